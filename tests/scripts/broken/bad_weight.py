"""A weight that is no number."""

from aiotest import HttpUser


class Heavy(HttpUser):
    host = "https://shop.example.com"
    weight = "much"

    async def test_home(self):
        pass
