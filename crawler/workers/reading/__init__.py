"""Reads the documents of a source ahead of a run; files in a process of their own that may die of them."""

from crawler.workers.reading.ahead import ReadAhead, body_size, reading_ahead
from crawler.workers.reading.file_reader import FileReader

__all__ = [
    "FileReader",
    "ReadAhead",
    "body_size",
    "reading_ahead",
]
