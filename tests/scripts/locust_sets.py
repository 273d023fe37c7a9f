"""Sets of tasks as locust has them: nested, weighted, and in order."""
import random

from locust import HttpUser, SequentialTaskSet, TaskSet, constant, task


class Browse(TaskSet):
    def on_start(self):
        self.user.tell("browse-start")

    @task(4)
    def look(self):
        self.user.tell("look")

    @task(2)
    class Search(SequentialTaskSet):
        @task
        def type(self):
            self.user.tell("type")

        @task
        def choose(self):
            self.parent.user.tell("choose")

        @task
        def back(self):
            self.interrupt()

    @task
    def leave(self):
        self.interrupt()

    def on_stop(self):
        self.user.tell("browse-stop")


class Buy(SequentialTaskSet):
    @task
    def cart(self):
        self.user.tell("cart")

    @task
    def pay(self):
        self.user.tell("pay")

    @task
    def done(self):
        self.interrupt()


class Shopper(HttpUser):
    host = "https://shop.example.com"
    wait_time = constant(0)
    tasks = {Browse: 2, Buy: 1}

    def on_start(self):
        self.id = random.getrandbits(40)

    def tell(self, what):
        self.client.get(f"/event?user={self.id}&what={what}", name="tell")
