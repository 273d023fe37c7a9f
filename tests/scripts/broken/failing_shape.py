"""A load shape that always raises."""

from aiotest import HttpUser, LoadUserShape


class Visitor(HttpUser):
    host = "https://shop.example.com"
    wait_time = 0.1

    async def test_home(self):
        async with self.client.get("/"):
            pass


class Broken(LoadUserShape):
    def tick(self):
        raise RuntimeError("no shape today")
