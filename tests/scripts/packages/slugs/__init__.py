"""A library of Python alone, as they are installed: modules, data, and an optional helper."""
from ._slugs import slugify

__all__ = ["slugify"]
__version__ = "1.0"
