"""No user at all."""

class Visitor:
    async def test_home(self):
        pass
