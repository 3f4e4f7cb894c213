"""Documents from local files: pages, texts, JSON Lines, WARC, and archives of these, compressed or not.

A file that is damaged gives what is left of it and a rejection that says what was wrong.
"""

from crawler.files.origin import Item
from crawler.files.paths import read_paths
from crawler.files.unpack import Unpacked

__all__ = [
    "Item",
    "Unpacked",
    "read_paths",
]
