"""A crowd in which the first one to come has bad luck, and nobody else."""
import asyncio

from aiotest import HttpUser

from telling import new_id, tell


class Crowd:
    host = "https://shop.example.com"
    wait_time = 0.05

    async def on_start(self):
        await super().on_start()
        self.id = new_id()
        self.unlucky = await tell(self.client, 0, "come") == 0

    async def good(self):
        await tell(self.client, self.id, "good")


class Raises(Crowd, HttpUser):
    async def test_luck(self):
        if self.unlucky:
            asyncio.create_task(self.breaks())
            await asyncio.sleep(0)
            raise RuntimeError("bad luck")
        await self.good()

    async def breaks(self):
        raise RuntimeError("in the background")


class StartFails(Crowd, HttpUser):
    async def on_start(self):
        await super().on_start()
        if self.unlucky:
            raise RuntimeError("no luck at the start")

    async def test_luck(self):
        await self.good()


class Loops(Crowd, HttpUser):
    async def test_luck(self):
        while self.unlucky:
            pass
        await self.good()


class Recurses(Crowd, HttpUser):
    def deeper(self, n):
        return self.deeper(n + 1) + 1

    async def test_luck(self):
        if self.unlucky:
            self.deeper(0)
        await self.good()


class Hoards(Crowd, HttpUser):
    async def test_luck(self):
        if self.unlucky:
            hoard = []
            while True:
                hoard.append(bytearray(1 << 20))
        await self.good()


class Exits(Crowd, HttpUser):
    async def test_luck(self):
        if self.unlucky:
            raise SystemExit(3)
        await self.good()
