"""How users tell the tests what they do. Imported by the scripts beside it."""
import random


def new_id():
    return random.getrandbits(40)


async def tell(client, user, what):
    """How often this was told before, by a user with this id."""
    async with client.get(f"/event?user={user}&what={what}", name="tell") as resp:
        return await resp.json()
