"""The ways to say how long a user waits. A class for each."""
import random

from aiotest import HttpUser


class Waiter:
    host = "https://shop.example.com"

    async def on_start(self):
        await super().on_start()
        async with self.client.get("/", name="start"):
            pass


class Fixed(Waiter, HttpUser):
    wait_time = 0.5

    async def test_home(self):
        async with self.client.get("/"):
            pass


class Between(Waiter, HttpUser):
    wait_time = (0.5, 0.6)

    async def test_home(self):
        async with self.client.get("/"):
            pass


class Method(Waiter, HttpUser):
    def wait_time(self):
        return random.uniform(0.5, 0.6)

    async def test_home(self):
        async with self.client.get("/"):
            pass


class Lambda(Waiter, HttpUser):
    wait_time = lambda *args: (0.5, 0.6)

    async def test_home(self):
        async with self.client.get("/"):
            pass


class Coroutine(Waiter, HttpUser):
    async def ask(self, *args):
        async with self.client.get("/entries", name="how long"):
            return 0.5

    wait_time = ask

    async def test_home(self):
        async with self.client.get("/"):
            pass


class Default(Waiter, HttpUser):
    async def test_home(self):
        async with self.client.get("/"):
            pass


class Failing(Waiter, HttpUser):
    """A wait that cannot be computed is told, and one second."""

    def wait_time(self):
        return 0.1 / 0

    async def test_home(self):
        async with self.client.get("/"):
            pass
