"""A wait that is no time."""

from aiotest import HttpUser


class Waiter(HttpUser):
    host = "https://shop.example.com"
    wait_time = "soon"

    async def test_home(self):
        pass
