"""The script and its modules: they come from the engine as data, not from a file system."""

import io
import linecache
import marshal
import os
import random
import sys
from collections.abc import Iterator
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import decode_source, module_from_spec
from types import CodeType, ModuleType

import _aiotest
from _aiotest import main_file, options, read_file

from . import report
from .model import ScriptError


class Loader(InspectLoader):
    """Runs one source file: `path` is its name in the engine, `origin` what messages call it."""

    def __init__(self, path: str, origin: str, source: bytes):
        self._path = path
        self._folder = os.path.dirname(path)
        self._is_package = path.endswith("/__init__.py")
        self._origin = origin
        self._source = source

    def spec(self, name: str) -> ModuleSpec:
        spec = ModuleSpec(name, self, origin=self._origin, is_package=self._is_package)
        spec.has_location = True
        if self._is_package:
            spec.submodule_search_locations = [self._folder]
        return spec

    def is_package(self, fullname: str) -> bool:
        return self._is_package

    def get_source(self, fullname: str) -> str:
        return decode_source(self._source)

    def get_code(self, fullname: str) -> CodeType:
        if fullname.partition(".")[0] not in sys.stdlib_module_names:
            report.own_files.add(self._origin)
        made = _aiotest.made(self._path)
        if made is None:
            # Bytes: what is wrong with their encoding is a SyntaxError too.
            code = compile(self._source, self._origin, "exec", dont_inherit=True)
            _aiotest.keep(self._path, marshal.dumps(code))
        else:
            code = marshal.loads(made)
        if self._origin in report.own_files:
            lines = self.get_source(fullname).splitlines(keepends=True)
            linecache.cache[self._origin] = len(self._source), None, lines, self._origin
        return code

    def get_data(self, path: str) -> bytes:
        """A file of the same folder, as `pkgutil` names it: by the place of `__file__`."""
        name = os.path.relpath(path, os.path.dirname(self._origin) or ".")
        return _content(os.path.normpath(os.path.join(self._folder, name)))

    def get_resource_reader(self, fullname: str) -> "Resources":
        return Resources(self._folder)


class Resources:
    """The files in a package's folder, for `importlib.resources`."""

    def __init__(self, folder: str):
        self._folder = folder

    def open_resource(self, resource: str) -> io.BytesIO:
        return io.BytesIO(_content(f"{self._folder}/{resource}"))

    def resource_path(self, resource: str) -> str:
        raise FileNotFoundError(f"{resource} is in no file system")

    def is_resource(self, path: str) -> bool:
        return read_file(f"{self._folder}/{path}") is not None

    def contents(self) -> Iterator[str]:
        raise OSError(f"the files in {self._folder} cannot be listed in a sandbox")


def _content(path: str) -> bytes:
    file = read_file(path)
    if file is None:
        raise FileNotFoundError(
            f"there is no {path}: of the script's folder only .py files can be read, and all of "
            "--python-path folders"
        )
    return file[1]


class Finder:
    """Finds modules beside the script, in the folders of `--python-path` and in the library."""

    @staticmethod
    def find_spec(name: str, path=None, target=None) -> ModuleSpec | None:
        base = name.replace(".", "/")
        for candidate in (f"{base}/__init__.py", f"{base}.py"):
            file = read_file(candidate)
            if file is not None:
                return Loader(candidate, *file).spec(name)
        return None


def load() -> ModuleType:
    """Imports the script. The error is for its author."""
    main = main_file()
    if main is None:
        raise ScriptError("there is no script")
    origin, source = main
    if Finder not in sys.meta_path:
        # Before the file system, of which there may be nothing.
        sys.meta_path.insert(sys.meta_path.index(PathFinder), Finder)
    os.environ.update(options())
    sys.argv = [origin]
    # Sandboxes begin with the same memory.
    random.seed()
    name = os.path.splitext(os.path.basename(origin))[0]
    if name in sys.modules:
        # What others know by that name stays.
        name = f"{name} (script)"
    spec = Loader(os.path.basename(origin), origin, source).spec(name)
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except SystemExit as error:
        text = f"the script called sys.exit({error.code!r}) when it was imported"
        raise ScriptError(f"{text}\n{report.traceback_text(error)}") from None
    except Exception as error:
        raise ScriptError(report.traceback_text(error)) from None
    return module
