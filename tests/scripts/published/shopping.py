from aiotest import AsyncHttpUser, LoadUserShape, logger

class TestUserShoppingTrolley(AsyncHttpUser):
    """
    Get the shopping cart and submit the order
    """
    weight = 1
    wait_time = 1
    host = "https://taobao.com"
    token = None
    orderid = None

    async def on_start(self):
        url = "/login"
        data = {"username": "admin", "password": "123456"}
        async with self.session.post(url=url, data=data) as resp:
            data = await resp.json()
            self.token = data["token"]

    async def test_get_shopping_trolley(self):
        url = "/GetShoppingTrolley"
        hearders = {"Authorization": self.token}
        async with self.session.get(url=url, hearders=hearders) as resp:
            data = await resp.json()      

    async def order_commit_test(self):
        url = "/orderCommit"
        hearders = {"Authorization": self.token}
        data = {"orderAmount": 100, "coupon": 30}
        async with self.session.post(url=url, json=data, hearders=hearders) as resp:
            data = await resp.json()
            self.orderid = data["order"]["Orderid"]
    
    async def test_pay(self):
        url = "/Pay"
        hearders = {"Authorization": self.token}
        data = {"id": self.orderid}
        async with self.session.post(url=url, json=data, headers=self.headers, name="My Pay") as resp:    
            data = await resp.json()


class UserOrderCommitTest(AsyncHttpUser):
    """
    Direct order submission
    """
    weight = 4
    wait_time = 1
    host = "https://taobao.com"
    token = None
    orderid = None

    async def on_start(self):
        url = "/login"
        data = {"username": "admin", "password": "123456"}
        async with self.session.post(url=url, data=data) as resp:
            data = await resp.json()
            self.token = data["token"]

    async def order_commit_test(self):
        url = "/orderCommit"
        hearders = {"Authorization": self.token}
        data = {"orderAmount": 100, "coupon": 30}
        async with self.session.post(url=url, json=data, hearders=hearders) as resp:
            data = await resp.json()
            self.orderid = data["order"]["Orderid"]
    
    async def test_pay(self):
        url = "/Pay"
        hearders = {"Authorization": self.token}
        data = {"id": self.orderid} 
        async with self.session.post(url=url, json=data, headers=self.headers, name="My Pay") as resp:    
            data = await resp.json()
