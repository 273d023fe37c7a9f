"""An import of a module that raises."""

from aiotest import HttpUser

from raises import Visitor
