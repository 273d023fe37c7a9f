"""Customers of a shop, for the dashboard to show: some look around, some order. Checks, a group and
numbers of their own are beside their requests.
"""

import random

from aiotest import HttpUser, engine


class Visitor(HttpUser):
    """Looks at the products, and at one of them, which may take a while."""

    wait_time = (0.2, 1.0)

    async def test_products(self) -> None:
        async with self.client.get("/products") as response:
            assert response.status == 200
            products = await response.json()
            engine.check("there are products", len(products) > 0)
            engine.trend("products on the page", len(products))

    async def test_detail(self) -> None:
        delay = random.choice((5, 10, 20, 40, 80, 160))
        async with self.client.get(f"/delay/{delay}", name="detail") as response:
            assert response.status == 200


class Buyer(HttpUser):
    """Orders and pays, once an iteration."""

    wait_time = 0

    async def on_start(self) -> None:
        await super().on_start()
        login = {"username": "admin", "password": "123456"}
        async with self.client.post("/login", json=login) as response:
            assert response.status == 200

    async def test_order(self) -> None:
        amount = random.randint(10, 200)
        with engine.group("checkout"):
            async with self.client.post("/orders", json={"amount": amount}) as response:
                assert response.status == 200
                order = (await response.json())["order"]["id"]
            async with self.client.post("/pay", json={"order": order}) as response:
                assert response.status == 200
                engine.check("the order is paid", (await response.json())["paid"])
        engine.count("orders", 1)
        engine.gauge("latest amount", amount)
        engine.trend("amount", amount)
