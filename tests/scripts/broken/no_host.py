"""A user that is not told whom to load."""

from aiotest import HttpUser


class Homeless(HttpUser):
    async def test_home(self):
        async with self.client.get("/"):
            pass
