"""A colon is missing."""

from aiotest import HttpUser


class Visitor(HttpUser):
    host = "https://shop.example.com"

    async def test_home(self)
        pass
