"""A module that works by switching stacks."""

import gevent
from locust import HttpUser, task


class Visitor(HttpUser):
    host = "https://shop.example.com"

    @task
    def home(self):
        gevent.sleep(1)
