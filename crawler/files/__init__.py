"""Reads documents from local files: pages, texts, JSON Lines, WARC, and archives of these, compressed or not.

A damaged file gives what is left of it, and a rejection that says what is wrong.
"""

from crawler.files.fields import RECORD_KEYS
from crawler.files.inputs import InputFile, find_files, open_file, os_error
from crawler.files.jsonl import read_records
from crawler.files.paths import read_file, read_page, read_paths
from crawler.files.position import DocumentOrRejection
from crawler.files.unpack import Unpacked

__all__ = [
    "RECORD_KEYS",
    "DocumentOrRejection",
    "InputFile",
    "Unpacked",
    "find_files",
    "open_file",
    "os_error",
    "read_file",
    "read_page",
    "read_paths",
    "read_records",
]
