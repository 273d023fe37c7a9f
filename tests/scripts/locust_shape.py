"""A load shape as locust has them."""
from locust import HttpUser, LoadTestShape, constant, task


class Walker(HttpUser):
    host = "https://shop.example.com"
    wait_time = constant(0.1)

    @task
    def step(self):
        self.client.get("/entries", name="step")


class Steps(LoadTestShape):
    def tick(self):
        run_time = self.get_run_time()
        if run_time < 2:
            return 2, 2
        if run_time < 4:
            return 4, 4
        return None
