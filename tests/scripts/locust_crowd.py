"""Many users who block: each has a sandbox of its own."""

from locust import HttpUser, constant, task


class Visitor(HttpUser):
    wait_time = constant(60)

    @task
    def home(self):
        self.client.get("/")
