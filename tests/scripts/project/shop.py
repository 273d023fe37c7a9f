"""A test in several files: modules and a package beside it, and packages from elsewhere."""
import single
from aiotest import HttpUser
from slugs import slugify

import settings
from helpers import cart
from helpers.names import GOODS


class Customer(HttpUser):
    host = "https://shop.example.com"
    wait_time = 0

    async def test_page(self):
        headers = {"X-Greeting": settings.GREETING, "X-Single": single.word()}
        async with self.client.get(f"/{slugify(GOODS[0])}", headers=headers):
            pass

    async def test_order(self):
        async with self.client.post("/orderCommit", json=cart.Cart().order()) as resp:
            assert resp.status == 200
