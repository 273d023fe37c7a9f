"""Customers of a shop: one in five looks at the cart before ordering, the others order at once.
The load comes in three stages.

    cargo run --release -p shop-server
    aiotest-engine run examples/python/shop.py
"""

from aiotest import HttpUser, LoadUserShape


class Customer(HttpUser):
    """What both kinds of customers do."""

    host = "http://127.0.0.1:8080"
    wait_time = 1
    token: str

    async def on_start(self) -> None:
        await super().on_start()
        login = {"username": "admin", "password": "123456"}
        async with self.client.post("/login", json=login) as response:
            assert response.status == 200
            self.token = (await response.json())["token"]

    async def order(self) -> int:
        order = {"amount": 100, "coupon": 30}
        async with self.client.post("/orders", json=order) as response:
            assert response.status == 200
            return (await response.json())["order"]["id"]

    async def pay(self, order: int) -> None:
        async with self.client.post("/pay", json={"order": order}, name="My Pay") as response:
            assert (await response.json())["paid"]


class CartCustomer(Customer):
    weight = 1

    async def test_cart(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.client.get("/cart", headers=headers) as response:
            assert "lines" in await response.json()

    async def test_order(self) -> None:
        self.ordered = await self.order()

    async def test_pay(self) -> None:
        await self.pay(self.ordered)


class DirectCustomer(Customer):
    weight = 4

    async def test_order(self) -> None:
        self.ordered = await self.order()

    async def test_pay(self) -> None:
        await self.pay(self.ordered)


class Stages(LoadUserShape):
    """Until when (in seconds) how many users are wanted."""

    stages = ((3, 10), (7, 50), (10, 5))

    def tick(self) -> tuple[int, float] | None:
        for end, users in self.stages:
            if self.get_run_time() < end:
                return users, 20
        return None
