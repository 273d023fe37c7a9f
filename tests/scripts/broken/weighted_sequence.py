"""A weight where the order is given."""

from aiotest import HttpUser, weight


class Sequence(HttpUser):
    host = "https://shop.example.com"

    @weight(3)
    async def test_home(self):
        pass
