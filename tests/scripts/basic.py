"""Customers who log in, order and pay; most of them come for the order only."""
from aiotest import ExecutionMode, HttpUser, logger


class Customer(HttpUser):
    host = "https://shop.example.com"
    wait_time = 0.2
    weight = 1
    execution_mode = ExecutionMode.SEQUENTIAL

    async def on_start(self):
        await super().on_start()
        login = {"username": "admin", "password": "123456"}
        async with self.client.post("/login", data=login, name="Login") as resp:
            data = await resp.json()
            self.headers = {"Authorization": f"Bearer {data['token']}"}

    async def test_trolley(self):
        async with self.client.get("/GetShoppingTrolley", headers=self.headers) as resp:
            data = await resp.json()
            assert resp.status == 200
            assert "tea" in data["goods"]

    async def order_test(self):
        order = {"orderAmount": 100, "coupon": 30}
        async with self.client.post("/orderCommit", json=order, headers=self.headers) as resp:
            data = await resp.json()
            assert data["order"]["Orderid"].startswith("2023")
            self.order = data["order"]["Orderid"]

    async def test_pay(self):
        assert self.is_ready()
        async with self.client.post(
            endpoint="/Pay", json={"id": self.order}, headers=self.headers, name="My Pay"
        ) as resp:
            data = await resp.json()
            assert resp.status == 200, f"status {resp.status}"
            assert data["paid"] == self.order

    def is_ready(self):
        return self.order is not None

    async def never_called(self):
        logger.error("this is no job")
        raise RuntimeError("this is no job")


class Guest(HttpUser):
    host = "https://shop.example.com"
    wait_time = (0.1, 0.2)
    weight = 4

    async def test_search(self):
        async with self.client.post("/search", json={"keyword": "礼服"}) as resp:
            data = await resp.json()
            assert data["keyword"] == "礼服"
