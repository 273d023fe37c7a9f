"""A module that is nowhere."""

from aiotest import HttpUser

import no_such_module
