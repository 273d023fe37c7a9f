"""Users and events as aiotest 0.5 had them. A class for each piece of it."""
import asyncio
import sys
import traceback

from aiotest import AsyncHttpUser, events, runners


async def on_test_start(runner):
    print("old: test start")


async def on_stats_request(
    runner, request_name, request_method, response_time, response_length, error
):
    print(f"old: request {request_method} {request_name} error={error}")


async def on_user_error(runner, error):
    print(f"old: user error {error}")


async def on_test_stop(runner):
    print("old: test stop")


async def on_quitting():
    print("old: quitting")


events.test_start += on_test_start
events.stats_request += on_stats_request
events.user_error += on_user_error
events.test_stop += on_test_stop
events.quitting += on_quitting


class MarksTest(AsyncHttpUser):
    host = "https://shop.example.com"
    wait_time = 0

    async def test_marks(self):
        async with self.session.get(url="/status/404", name="forgiven") as resp:
            resp.success()
        async with self.session.get("/personalInfo", name="refused") as resp:
            data = await resp.json()
            if data["id"] != "nobody":
                resp.failure("id is not nobody")
        async with self.session.get("/status/503", name="broken") as resp:
            pass
        async with self.session.get("/entries", name="fine") as resp:
            assert resp.status == 200


class VerbsTest(AsyncHttpUser):
    host = "https://shop.example.com"
    wait_time = 0

    async def search_test(self):
        keyword = {"keyword": "tea"}
        async with self.session.post(url="/search", json=keyword, headers={"X-Mine": "1"}) as resp:
            assert (await resp.json())["hits"] == 3
        async with self.session.put("/put", data="text") as resp:
            resp.success()
        async with self.session.delete("/delete") as resp:
            resp.success()
        async with self.session.request("PATCH", "/patch", params={"a": 1}) as resp:
            resp.success()
            assert "no such page" in await resp.text()


class ParallelTest(AsyncHttpUser):
    """Its own loop: all jobs at a time, again and again."""

    host = "https://shop.example.com"
    wait_time = 0.2

    async def test_one(self):
        async with self.session.get("/entries", name="one"):
            pass

    async def test_two(self):
        async with self.session.get("/entries", name="two"):
            pass

    async def start(self):
        try:
            await self.on_start()
            while True:
                await asyncio.gather(*(job(self) for job in self.jobs))
                await asyncio.sleep(self.wait_time)
        except asyncio.CancelledError:
            await self.on_stop()
            raise
        except Exception as e:
            error = f"{type(e).__name__}: {e}" + "".join(traceback.format_tb(sys.exc_info()[2]))
            await events.user_error.fire(runner=runners.global_runner, error=error)

    async def on_stop(self):
        async with self.session.get("/GetShoppingTrolley", name="bye"):
            pass


class Unnamed(AsyncHttpUser):
    """No users: its name neither begins nor ends as it has to."""

    host = "https://shop.example.com"

    async def test_never(self):
        raise RuntimeError("never")
