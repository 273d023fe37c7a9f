"""A thousand users, who wait for each other."""
from aiotest import HttpUser


class Member(HttpUser):
    host = "https://shop.example.com"
    wait_time = 0
    timeout = 100

    async def on_start(self):
        await super().on_start()
        async with self.client.get("/gate?of=1000", name="all there"):
            pass

    async def test_home(self):
        async with self.client.get("/", name="home") as resp:
            assert await resp.text() == "ok"
