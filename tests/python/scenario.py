"""A scenario in Python, straight on the generated bindings: what the interface demands
of a language that has no SDK yet.

Build it from the root of the repository, with componentize-py 0.25:

    componentize-py -d wit -w load-test componentize -p tests/python scenario \
        -o scenario.wasm
"""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import scenario
from wit_world.imports import http, io, run
from wit_world.imports.manifest import (
    Execution,
    Manifest,
    Task,
    UserClass,
    WaitTime_Fixed,
)
from wit_world.imports.types import Failure_Failed

SECOND = 1_000_000_000


class Scenario(exports.Scenario):
    """The functions of the interface `scenario`."""

    def describe(self) -> Manifest:
        return Manifest(
            sdk="componentize-py 0.25",
            classes=[
                UserClass(
                    name="Visitor",
                    weight=1,
                    host="http://127.0.0.1:8080",
                    wait_time=WaitTime_Fixed(SECOND // 100),
                    execution=Execution.SEQUENTIAL,
                    alone=False,
                    max_concurrent_tasks=None,
                    throughput=None,
                    tasks=[
                        Task(name="test_products", weight=1, tags=[], parent=None, set=None)
                    ],
                )
            ],
            thresholds=[],
        )


class User(scenario.User):
    """The resource of the interface `scenario`."""

    def __init__(self, class_: int, id: int) -> None:
        options = http.SessionOptions(base_url=None, headers=[], cookies=True, options=None)
        self.id = id
        self.session = http.Session.open(id, options)

    async def on_start(self) -> None:
        await io.wait(self.id, SECOND // 1000)

    async def run_task(self, index: int) -> None:
        request = http.Request(
            method=http.Method_Get(),
            url=run.option("PATH") or "/products",
            name=None,
            tags=[],
            headers=[("accept", "application/json")],
            body=None,
            options=None,
        )
        with await io.send(self.session, request) as response:
            if response.status() != 200:
                raise Err(Failure_Failed(f"status {response.status()}"))

    async def run(self) -> None:
        raise Err(Failure_Failed("not an own loop"))

    async def wait_time(self) -> int:
        return SECOND

    async def on_stop(self) -> None:
        pass
