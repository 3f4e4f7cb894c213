"""Counts in messages: `1 copy`, `2 copies`."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """The number with its noun in the singular or the plural: `1 site`, `1,200 sites`.

    many: the plural, where it is not the singular with an s.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
