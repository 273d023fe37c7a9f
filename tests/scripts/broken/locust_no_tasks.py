"""A user without tasks."""

from locust import HttpUser, constant


class Idle(HttpUser):
    host = "https://shop.example.com"
    wait_time = constant(1)
