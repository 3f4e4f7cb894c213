"""Copydesk as a library (`copydesk.library`), and the command line: one file for each command.

copydesk.open(db)               a database: stored signatures
copydesk.sketch(text)           the signature of a text as datasketch's objects
copydesk.shingle_hashes(text)   what a signature is made of
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from copydesk.library import Database, Sketch, open, shingle_hashes, sketch

__all__ = ["Database", "Sketch", "open", "shingle_hashes", "sketch"]


def __getattr__(name: str) -> object:
    """Imports the library when it is used: commands start without it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from copydesk import library

    return getattr(library, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
