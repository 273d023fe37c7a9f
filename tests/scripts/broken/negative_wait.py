"""A wait into the past."""

from aiotest import HttpUser


class Waiter(HttpUser):
    host = "https://shop.example.com"
    wait_time = -1

    async def test_home(self):
        pass
