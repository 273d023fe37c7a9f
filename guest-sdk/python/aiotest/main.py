"""Where aiotest begins when it is a program."""


async def main() -> None:
    """Scripts are run by the engine."""
    raise RuntimeError("run the script with `aiotest-engine run FILE`")
