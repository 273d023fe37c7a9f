"""All that a request can have, and how its verdict comes about. A class for each."""
import asyncio

from aiotest import HttpUser


class Quick:
    host = "https://shop.example.com"
    wait_time = 0


class Verbs(Quick, HttpUser):
    async def test_verbs(self):
        client = self.client
        async with client.get("/get", params={"page": 2, "word": "a b"}) as resp:
            assert resp.status == 404
        async with client.post("/form", data={"a": "1", "b": "x&y"}) as resp:
            await resp.text()
        async with client.post("/text", data="plain words") as resp:
            await resp.text()
        async with client.put("/json", json={"list": [1, None, "ü"]}) as resp:
            await resp.json()
        async with client.delete("/gone") as resp:
            pass
        async with client.request("PATCH", "/part", json=[]) as resp:
            assert "application/json" in resp.headers["Content-Type"]


class Headers(Quick, HttpUser):
    async def test_headers(self):
        async with self.client.get("/default"):
            pass
        async with self.client.get("/own", headers={"Accept": "text/plain", "X-Mine": "1"}):
            pass


class Cookies(Quick, HttpUser):
    async def on_start(self):
        await super().on_start()
        login = {"username": "admin", "password": "123456"}
        async with self.client.post("/login", json=login) as resp:
            assert resp.status == 200

    async def test_me(self):
        async with self.client.get("/personalInfo") as resp:
            assert (await resp.json())["id"] == "123456"


class Names(Quick, HttpUser):
    async def test_names(self):
        for path in ("/users/7", "/users/7/orders/9", "/v2/list", "/"):
            async with self.client.get(path):
                pass
        async with self.client.get("/users/8", name="One user"):
            pass


class Statuses(Quick, HttpUser):
    async def test_statuses(self):
        for status in (200, 404, 500):
            async with self.client.get(f"/status/{status}", name=f"status {status}") as resp:
                assert resp.status == status


class Asserting(Quick, HttpUser):
    async def test_person(self):
        async with self.client.get("/personalInfo") as resp:
            data = await resp.json()
            assert data["id"] == "nobody", "not nobody"

    async def test_later(self):
        async with self.client.get("/later"):
            pass


class Outside(Quick, HttpUser):
    async def test_person(self):
        async with self.client.get("/personalInfo") as resp:
            data = await resp.json()
        raise KeyError(data["id"])


class Impatient(Quick, HttpUser):
    timeout = 1
    max_retries = 0

    async def test_hold(self):
        try:
            async with self.client.get("/hold"):
                pass
        except asyncio.TimeoutError:
            async with self.client.get("/entries", name="after the timeout"):
                pass
