"""A user without jobs."""

from aiotest import HttpUser


class Idle(HttpUser):
    host = "https://shop.example.com"

    async def home(self):
        pass
