"""What stands between the frameworks (aiotest, locust) and the engine."""
