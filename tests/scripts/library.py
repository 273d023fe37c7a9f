"""The standard library: a little of all that load tests use."""
import argparse
import base64
import bisect
import calendar
import collections
import configparser
import contextlib
import copy
import csv
import dataclasses
import datetime
import decimal
import email.utils
import enum
import fractions
import functools
import hashlib
import heapq
import hmac
import html
import http
import io
import itertools
import json
import logging
import math
import operator
import os
import pathlib
import queue
import random
import re
import secrets
import statistics
import string
import struct
import sys
import textwrap
import time
import traceback
import types
import typing
import unicodedata
import urllib.parse
import uuid
import xml.etree.ElementTree

from aiotest import HttpUser

from telling import new_id, tell


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


@dataclasses.dataclass(order=True)
class Item:
    price: decimal.Decimal
    name: str = "tea"


class Reader(HttpUser):
    host = "https://shop.example.com"
    wait_time = 0

    async def test_texts(self):
        assert re.findall(r"\d+", "a1b22") == ["1", "22"]
        assert string.capwords("two words") == "Two Words"
        assert textwrap.shorten("a b c d", 5, placeholder="") == "a b c"
        assert unicodedata.name("ü") == "LATIN SMALL LETTER U WITH DIAERESIS"
        assert html.escape("<a>") == "&lt;a&gt;"
        assert urllib.parse.quote("a b/ü") == "a%20b/%C3%BC"
        assert urllib.parse.parse_qs("a=1&a=2") == {"a": ["1", "2"]}
        assert email.utils.parseaddr("A B <a@b.c>") == ("A B", "a@b.c")
        assert xml.etree.ElementTree.fromstring("<a><b>c</b></a>").findtext("b") == "c"
        assert pathlib.PurePosixPath("/a/b.txt").suffix == ".txt"
        assert "grün".encode("latin-1").decode("cp1252") == "grün"

    async def test_data(self):
        assert json.loads(json.dumps({"a": [1, None, "ü"]})) == {"a": [1, None, "ü"]}
        assert list(csv.reader(io.StringIO("a,b\n1,2\n"))) == [["a", "b"], ["1", "2"]]
        assert struct.unpack("<IH", struct.pack("<IH", 7, 8)) == (7, 8)
        assert base64.b64encode(b"tea") == b"dGVh"
        settings = configparser.ConfigParser()
        settings.read_string("[shop]\nname = tea\n")
        assert settings["shop"]["name"] == "tea"
        assert argparse.ArgumentParser().parse_args([]) == argparse.Namespace()
        assert copy.deepcopy([[1]]) == [[1]]
        assert http.HTTPStatus.NOT_FOUND == 404
        assert Size.LARGE > Size.SMALL
        assert min(Item(decimal.Decimal("2.50")), Item(decimal.Decimal("1.10"))).price < 2

    async def test_numbers(self):
        assert math.isclose(statistics.mean([1, 2, 4]), 7 / 3)
        assert fractions.Fraction(1, 3) * 3 == 1
        assert decimal.Decimal("0.1") * 3 == decimal.Decimal("0.3")
        assert hashlib.sha256(b"").hexdigest().startswith("e3b0c442")
        assert hashlib.md5(b"").hexdigest().startswith("d41d8cd9")
        assert len(hmac.new(b"key", b"text", "sha256").digest()) == 32
        assert uuid.uuid4() != uuid.uuid4()
        assert secrets.token_hex(8) != secrets.token_hex(8)
        assert 1 <= random.randint(1, 6) <= 6

    async def test_collections(self):
        assert collections.Counter("aab").most_common(1) == [("a", 2)]
        assert list(itertools.batched("abc", 2)) == [("a", "b"), ("c",)]
        assert functools.reduce(operator.mul, [1, 2, 3]) == 6
        assert heapq.nsmallest(1, [2, 1]) == [1]
        assert bisect.bisect([1, 3], 2) == 1
        waiting = queue.Queue()
        waiting.put(1)
        assert waiting.get_nowait() == 1
        assert types.SimpleNamespace(a=1).a == 1
        assert typing.get_type_hints(Item)["name"] is str
        with contextlib.suppress(KeyError):
            {}["no"]

    async def test_times(self):
        assert datetime.date(2024, 2, 29).weekday() == calendar.THURSDAY
        assert datetime.datetime.now(datetime.timezone.utc).year > 2024
        assert datetime.datetime.fromisoformat("2024-01-02T03:04:05+00:00").second == 5
        assert time.strftime("%Y", time.gmtime(0)) == "1970"
        before = time.perf_counter()
        assert time.monotonic() > 0 and time.perf_counter() >= before

    async def test_python(self):
        assert sys.version_info >= (3, 14)
        assert sys.argv == [__file__] and os.path.basename(__file__) == "library.py"
        assert __name__ == "library"
        assert os.environ["GREETING"] == "good-day"
        try:
            raise ValueError("for the traceback")
        except ValueError:
            assert "for the traceback" in traceback.format_exc()
        logging.getLogger("shop").warning("logged by %s", "logging")
        print("printed")


class Random(HttpUser):
    """Users who must not draw the same, also when their sandboxes were made alike."""

    host = "https://shop.example.com"
    wait_time = 0

    async def test_random(self):
        for drawn in (new_id(), uuid.uuid4().hex, secrets.token_hex(8)):
            await tell(self.client, 1, drawn)
