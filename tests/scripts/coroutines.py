"""What users do with asyncio. A class for each piece of it."""
import asyncio

from aiotest import HttpUser

from telling import new_id, tell


class Teller:
    host = "https://shop.example.com"
    wait_time = 0

    async def on_start(self):
        await super().on_start()
        self.id = new_id()

    async def tell(self, what):
        return await tell(self.client, self.id, what)

    async def get(self, path, name=None):
        async with self.client.get(path, name=name or path.split("?")[0]) as resp:
            return await resp.text()


class Gathers(Teller, HttpUser):
    async def test_gather(self):
        answers = await asyncio.gather(*(self.get("/gate?of=5") for _ in range(5)))
        assert answers == ["ok"] * 5
        results = await asyncio.gather(
            self.tell("one"), self.fails(), self.tell("two"), return_exceptions=True
        )
        assert [type(result) for result in results] == [int, LookupError, int], results

    async def fails(self):
        await asyncio.sleep(0)
        raise LookupError("one of the gathered")


class Tasks(Teller, HttpUser):
    async def test_tasks(self):
        tasks = [asyncio.create_task(self.get("/gate?of=3"), name=f"t{n}") for n in range(3)]
        done, pending = await asyncio.wait(tasks)
        assert len(done) == 3 and not pending
        async with asyncio.TaskGroup() as group:
            first = group.create_task(self.tell("first"))
            second = group.create_task(self.tell("second"))
        assert (first.result(), second.result()) == (0, 0)
        for number, task in enumerate(asyncio.as_completed([self.tell("a"), self.tell("b")])):
            await task
        assert number == 1
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.get("/hold"))
                group.create_task(self.fails())
        except* LookupError as errors:
            assert len(errors.exceptions) == 1
            await self.tell("group-failed")

    async def fails(self):
        await self.tell("failing")
        raise LookupError("one of the group")


class TimesOut(Teller, HttpUser):
    async def test_timeouts(self):
        try:
            await asyncio.wait_for(self.get("/hold"), timeout=0.2)
        except TimeoutError:
            await self.tell("wait_for")
        try:
            async with asyncio.timeout(0.2):
                await self.get("/hold")
        except TimeoutError:
            await self.tell("timeout")
        assert await asyncio.wait_for(self.tell("in-time"), timeout=30) == 0


class Cancels(Teller, HttpUser):
    async def test_cancel(self):
        task = asyncio.create_task(self.held())
        await self.tell("begun")
        # Its request has reached the server by then.
        await asyncio.sleep(0.3)
        task.cancel("no longer needed")
        try:
            await task
        except asyncio.CancelledError:
            await self.tell("cancelled")
        assert task.cancelled()
        kept = asyncio.create_task(self.get("/gate?of=1"))
        try:
            await asyncio.wait_for(asyncio.shield(kept), timeout=0.001)
        except TimeoutError:
            pass
        assert await kept == "ok"

    async def held(self):
        try:
            await self.get("/hold")
        finally:
            await self.tell("cleaned-up")


class Locks(Teller, HttpUser):
    async def test_lock(self):
        lock = asyncio.Lock()

        async def critical():
            async with lock:
                await self.tell("in")
                await self.tell("out")

        await asyncio.gather(*(critical() for _ in range(4)))

    async def test_semaphore(self):
        semaphore = asyncio.Semaphore(2)

        async def limited():
            async with semaphore:
                await self.get("/gate?of=2")

        await asyncio.gather(*(limited() for _ in range(6)))

    async def test_queue(self):
        queue = asyncio.Queue(maxsize=1)
        ready = asyncio.Event()

        async def produce():
            await ready.wait()
            for number in range(3):
                await queue.put(number)
            await queue.put(None)

        async def consume():
            ready.set()
            while (number := await queue.get()) is not None:
                await self.tell(f"got-{number}")

        await asyncio.gather(produce(), consume())


class Background(Teller, HttpUser):
    """Work beside the jobs, which ends with the user."""

    async def on_start(self):
        await super().on_start()
        self.beats = 0
        self.heart = asyncio.create_task(self.beat())
        self.broken = asyncio.create_task(self.breaks())

    async def beat(self):
        while True:
            await self.tell("beat")
            self.beats += 1
            await asyncio.sleep(0.01)

    async def breaks(self):
        raise RuntimeError("nobody waits for me")

    async def test_beats(self):
        before = self.beats
        while self.beats < before + 3:
            await asyncio.sleep(0.01)
        await self.tell("job")


class ToThread(Teller, HttpUser):
    async def test_thread(self):
        await asyncio.to_thread(print, "in a thread")
