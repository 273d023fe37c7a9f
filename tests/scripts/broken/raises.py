"""An exception at import."""

from aiotest import HttpUser


def region():
    return {}["region"]


class Visitor(HttpUser):
    host = f"https://{region()}.example.com"

    async def test_home(self):
        pass
