# The fragments of a published tutorial on locust, in one file: buying in a demo shop.
import os
import random
import string

from locust import HttpUser, SequentialTaskSet, between, task


def get_uuid():
    #make a random string
    r_s = ''.join(random.choices(string.ascii_lowercase + string.digits, k=32))
    #turn it into a uuid
    uuid = r_s[:8] + "-" + r_s[8:12] + "-" + r_s[12:16] + "-" + r_s[16:20] + "-" + r_s[20:32]
    return uuid


class MakePurchase(SequentialTaskSet):
    api_host = os.environ.get("API_HOST", "https://api.demoblaze.com")

    def on_start(self):
        #make a unique purchase id for later use
        self.purchase_id = get_uuid()
        #create random string using the function we made for purchase ids and add to cookies dictionary
        self.client.cookies["user"] = get_uuid()

    @task
    def home(self):
        self.client.get("/", name ="01 /")
        self.client.get(self.api_host + "/entries", name="02 /entries")

    @task
    def view_product(self):
        payload = '{"id":"1"}'
        self.client.post(self.api_host + "/check", payload, headers={"Content-Type": "application/json"}, name="03 /check")
        with self.client.post(self.api_host + "/view", payload, headers={"Content-Type": "application/json"}, name="04 /view", catch_response=True) as response:
            if "Items" not in response.json():
                response.failure("no items")

    @task
    def add_to_cart(self):
        item = {"id": self.purchase_id, "cookie": "user=" + self.client.cookies["user"], "prod_id": 1, "flag": False}
        self.client.post(self.api_host + "/addtocart", json=item, name="06 /addtocart")

    @task
    def view_cart(self):
        payload = '{"cookie":"user"}'
        response = self.client.post(self.api_host + "/viewcart", payload, headers={"Content-Type": "application/json"},  name="08 /viewcart")
        assert response.status_code == 200

    @task
    def delete_cart(self):
        with self.client.post(self.api_host + "/deletecart", catch_response=True) as response:
            if response.content != b"Delete complete":
                response.failure("delete incomplete")


class Buyer(HttpUser):
    wait_time = between(0.1, 0.2)
    host = "https://www.demoblaze.com"
    tasks = [MakePurchase]
