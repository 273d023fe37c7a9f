"""The smallest script that there is."""
from aiotest import HttpUser


class Visitor(HttpUser):
    host = "https://shop.example.com"

    async def test_home(self):
        async with self.client.get("/") as resp:
            assert resp.status == 200
