"""A wait between more and less."""

from aiotest import HttpUser


class Waiter(HttpUser):
    host = "https://shop.example.com"
    wait_time = (3, 1)

    async def test_home(self):
        pass
