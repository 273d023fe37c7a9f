"""Two load shapes."""

from aiotest import HttpUser, LoadUserShape


class Visitor(HttpUser):
    host = "https://shop.example.com"

    async def test_home(self):
        pass


class Morning(LoadUserShape):
    def tick(self):
        return (1, 1)


class Evening(LoadUserShape):
    def tick(self):
        return (2, 1)
