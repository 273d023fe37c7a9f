"""The customers of the dashboard's demo, beside one who has every kind of trouble. Needs the
folder of the demo on its path.
"""

from aiotest import HttpUser, engine
from shop import Buyer, Visitor

__all__ = ["Buyer", "Greedy", "Idle", "Unlucky", "Visitor"]


class Unlucky(HttpUser):
    """Finds nobody there, says so at length, and fails."""

    wait_time = 0.1

    async def test_luck(self):
        try:
            async with self.client.get("http://127.0.0.1:1/", name="silence"):
                pass
        except Exception:
            print("no answer\n" * 500)
        engine.check("there is luck", False)
        async with self.client.get("/nowhere") as response:
            assert response.status == 200, "not found"


class Greedy(HttpUser):
    """Computes until its sandbox is ended."""

    wait_time = 0

    async def test_compute(self):
        async with self.client.get("/products"):
            while True:
                pass


class Idle(HttpUser):
    """Has always more to do, later."""

    wait_time = 3600

    async def test_first(self):
        async with self.client.get("/products"):
            pass

    async def test_second(self):
        async with self.client.get("/products"):
            pass
