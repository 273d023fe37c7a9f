"""Users of locust: requests, verdicts and events. A class for each."""
from locust import FastHttpUser, HttpUser, constant, constant_pacing, events, tag, task
from locust.exception import StopUser

seen = []


@events.test_start.add_listener
def on_test_start(environment, **kwargs):
    print("locust: test start")


@events.request.add_listener
def on_request(request_type, name, response_time, response_length, exception, **kwargs):
    seen.append(f"{request_type} {name} {'failed' if exception else 'passed'}")


@events.test_stop.add_listener
def on_test_stop(environment, **kwargs):
    for row in sorted(set(seen)):
        print(f"locust: {seen.count(row)} of {row}")


class Quick:
    host = "https://shop.example.com"
    wait_time = constant(0)


class Requests(Quick, HttpUser):
    def on_start(self):
        self.client.headers["X-Always"] = "yes"
        self.client.cookies["flavour"] = "oat"

    @task
    def verbs(self):
        self.client.get("/get", params={"page": 2}, name="get")
        self.client.post("/form", {"a": "1", "b": "x&y"}, name="form")
        self.client.post("/json", json={"list": [1, None]}, auth=("me", "secret"), name="json")
        self.client.put("/put", data="text", headers={"X-Once": "1"}, name="put")
        self.client.delete("/delete", name="delete")
        self.client.patch("/patch", b"bytes", cookies={"extra": "1"}, name="patch")
        with self.client.rename_request("/item/[id]"):
            self.client.get("/item/7")
        response = self.client.get("/personalInfo")
        assert response.ok and response.json()["id"] == "123456"
        assert response.headers["content-type"].startswith("application/json")
        assert response.elapsed.total_seconds() >= 0


class Verdicts(Quick, HttpUser):
    @task
    def verdicts(self):
        self.client.get("/status/500", name="judged")
        with self.client.get("/status/404", name="forgiven", catch_response=True) as response:
            response.success()
        with self.client.get("/personalInfo", name="refused", catch_response=True) as response:
            if response.json()["id"] != "nobody":
                response.failure("id is not nobody")
        with self.client.get("/entries", name="raised", catch_response=True) as response:
            raise ValueError("in the block")


class GoesOn(Quick, HttpUser):
    @task
    def fails(self):
        self.client.get("/entries", name="before")
        raise ValueError("this task always fails")


class Stops(Quick, HttpUser):
    @task
    def once(self):
        self.client.get("/entries", name="once")
        raise StopUser()


class Unreachable(Quick, HttpUser):
    @task
    def refused(self):
        response = self.client.get("http://127.0.0.1:1/", name="refused")
        assert response.status_code == 0 and response.error
        raise StopUser()


class Fast(Quick, FastHttpUser):
    @task
    def fast(self):
        with self.client.post("/search", json={"keyword": "tea"}, catch_response=True) as response:
            if response.json()["hits"] != 3:
                response.failure("wrong hits")


class Paced(HttpUser):
    host = "https://shop.example.com"
    wait_time = constant_pacing(0.5)

    @task
    def beat(self):
        self.client.get("/entries", name="beat")


class Custom(Quick, HttpUser):
    @task
    def custom(self):
        events.request.fire(
            request_type="grpc",
            name="List",
            response_time=12,
            response_length=3,
            exception=None,
            context={},
        )
        events.request.fire(
            request_type="grpc",
            name="Broken",
            response_time=5,
            response_length=0,
            exception=ConnectionError("no such service"),
            context={},
        )
        raise StopUser()


class Tagged(Quick, HttpUser):
    @tag("fast")
    @task
    def quick(self):
        self.client.get("/entries", name="fast")

    @tag("slow", "admin")
    @task
    def thorough(self):
        self.client.get("/entries", name="slow")
