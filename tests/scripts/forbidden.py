"""What no sandbox has: each job tries one thing, and says how that went."""
import asyncio
import socket
import subprocess
import threading

from aiotest import HttpUser


class Explorer:
    host = "https://shop.example.com"
    wait_time = 0


class Thread(Explorer, HttpUser):
    async def test_thread(self):
        threading.Thread(target=print, args=("in a thread",)).start()


class Executor(Explorer, HttpUser):
    async def test_executor(self):
        await asyncio.get_running_loop().run_in_executor(None, print, "in a thread")


class Socket(Explorer, HttpUser):
    async def test_socket(self):
        socket.create_connection(("127.0.0.1", 1))


class Streams(Explorer, HttpUser):
    async def test_streams(self):
        await asyncio.open_connection("127.0.0.1", 1)


class Subprocess(Explorer, HttpUser):
    async def test_subprocess(self):
        subprocess.run(["true"])


class Process(Explorer, HttpUser):
    async def test_process(self):
        import multiprocessing

        multiprocessing.Process(target=print).start()


class Files(Explorer, HttpUser):
    async def test_files(self):
        open("/etc/passwd")


class Elsewhere(Explorer, HttpUser):
    async def test_elsewhere(self):
        async with self.client.get("http://169.254.169.254/latest/meta-data/", name="steal"):
            pass
