"""Users whose jobs run at the same time."""
from aiotest import ExecutionMode, HttpUser, weight

from telling import new_id, tell


class Board(HttpUser):
    host = "https://shop.example.com"
    wait_time = 0
    execution_mode = ExecutionMode.CONCURRENT

    async def test_news(self):
        async with self.client.get("/gate?of=3", name="news"):
            pass

    async def test_weather(self):
        async with self.client.get("/gate?of=3", name="weather"):
            pass

    async def stocks_test(self):
        async with self.client.get("/gate?of=3", name="stocks"):
            pass


class Drawn(HttpUser):
    host = "https://shop.example.com"
    wait_time = 0
    execution_mode = ExecutionMode.CONCURRENT

    async def on_start(self):
        await super().on_start()
        self.id = new_id()

    @weight(4)
    async def test_often(self):
        await tell(self.client, self.id, "often")

    @weight(1)
    async def test_seldom(self):
        await tell(self.client, self.id, "seldom")


class HalfBroken(HttpUser):
    host = "https://shop.example.com"
    wait_time = 0
    execution_mode = ExecutionMode.CONCURRENT

    async def on_start(self):
        await super().on_start()
        self.id = new_id()

    async def test_broken(self):
        raise RuntimeError("one of two")

    async def test_whole(self):
        await tell(self.client, self.id, "whole")
