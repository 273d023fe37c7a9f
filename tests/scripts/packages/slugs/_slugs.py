"""Names as paths."""
import pkgutil
import re

try:
    import numpy
except ImportError:
    # It would be faster with it.
    numpy = None

STOP_WORDS = set(pkgutil.get_data(__package__, "stop_words.txt").decode().split())


def slugify(text):
    words = re.findall(r"\w+", text.lower())
    return "-".join(word for word in words if word not in STOP_WORDS)
