"""A module that is a native extension."""

from aiotest import HttpUser

import numpy


class Visitor(HttpUser):
    host = "https://shop.example.com"

    async def test_home(self):
        pass
