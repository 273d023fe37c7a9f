"""A page that asks for several things at once, and handlers that watch the run.

cargo run --release -p shop-server
aiotest-engine run examples/python/watch.py -u 20 -t 10s
"""

import asyncio
import random

from aiotest import ExecutionMode, HttpUser, engine, logger, request_metrics, test_start, weight
from aiotest.metrics import RequestMetrics

engine.threshold("failures: rate<1%", "http_req_duration: p(95)<500ms")


@test_start.handler()
async def announce(**kwargs) -> None:
    logger.info("the run begins")


@request_metrics.handler()
async def complain(metrics: RequestMetrics, **kwargs) -> None:
    if metrics.duration > 0.5:
        logger.warning("%s took %.1f s", metrics.endpoint, metrics.duration)


class Page(HttpUser):
    """Its jobs run at the same time, the products three times as often."""

    host = "http://127.0.0.1:8080"
    execution_mode = ExecutionMode.CONCURRENT

    def wait_time(self) -> float:
        return random.expovariate(1.0)

    @weight(3)
    async def test_products(self) -> None:
        async with self.client.get("/products") as response:
            products = await response.json()
            engine.check("there are products", len(products) > 0)

    async def test_home(self) -> None:
        await asyncio.gather(self.fetch("/"), self.fetch("/products"))

    async def fetch(self, path: str) -> None:
        async with self.client.get(path) as response:
            assert response.status == 200
