"""Handlers of events, with decorators as in aiotest 1.x."""
from aiotest import (
    HttpUser,
    LoadUserShape,
    events,
    init_events,
    logger,
    request_metrics,
    startup_completed,
    test_quit,
    test_start,
    test_stop,
)

seen = []
special = events.register("special")


@init_events.handler()
async def on_init(**kwargs):
    logger.info("handler: init")


@test_start.handler(priority=0)
async def on_test_start(**kwargs):
    logger.info("handler: test start, second")


@test_start.handler(priority=5)
def on_test_start_first(**kwargs):
    logger.info("handler: test start, first")


@test_start.handler(priority=1)
async def on_test_start_broken(**kwargs):
    raise ValueError("a handler's own fault")


@special.handler()
async def on_special(word, **kwargs):
    logger.info("handler: special %s", word)


@startup_completed.handler()
async def on_startup_completed(**kwargs):
    logger.info("handler: startup completed")


@request_metrics.handler(priority=0)
async def on_request(**kwargs):
    metrics = kwargs.get("metrics")
    seen.append((metrics.method, metrics.endpoint, metrics.status_code, metrics.assertion_result))
    assert 0 <= metrics.duration < 60


@test_stop.handler()
async def on_test_stop(**kwargs):
    for row in sorted(set(seen)):
        logger.info("handler: %d of %s %s %s %s", seen.count(row), *row)
    await special.fire(word="fired")


@test_quit.handler()
async def on_test_quit(**kwargs):
    print("handler: quit")


class Visitor(HttpUser):
    host = "https://shop.example.com"
    wait_time = 0.05

    async def test_home(self):
        async with self.client.get("/", name="Home"):
            pass

    async def test_missing(self):
        async with self.client.get("/missing") as resp:
            assert resp.status == 200


class Three(LoadUserShape):
    def tick(self):
        return (3, 3) if self.get_run_time() < 2 else None
