"""A name that aiotest does not have."""

from aiotest import HttpUser, NoSuchName
