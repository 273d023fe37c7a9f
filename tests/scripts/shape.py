"""A load shape in steps."""
from aiotest import HttpUser, LoadUserShape

from telling import new_id, tell


class Walker(HttpUser):
    host = "https://shop.example.com"
    wait_time = 0.1

    async def on_start(self):
        await super().on_start()
        self.id = new_id()
        await tell(self.client, self.id, "start")

    async def test_step(self):
        await tell(self.client, self.id, "step")

    async def on_stop(self):
        await tell(self.client, self.id, "stop")
        await super().on_stop()


class Steps(LoadUserShape):
    stages = [
        {"duration": 2, "user_count": 2, "rate": 2},
        {"duration": 4, "user_count": 6, "rate": 6},
        {"duration": 6, "user_count": 1, "rate": 1},
    ]

    def tick(self):
        run_time = self.get_run_time()
        for stage in self.stages:
            if run_time < stage["duration"]:
                return (stage["user_count"], stage["rate"])
        return None
