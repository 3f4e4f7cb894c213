"""What the JSON of each column must be: whoever reads another shape would fail somewhere, and not say why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_counts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, int) for one in value.values())


_OF_RIGHTS = frozenset(("name", "value", "source", "agent", "reserved"))


def _is_rights(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict)
        and one.keys() <= _OF_RIGHTS
        and all(isinstance(one.get(key), str) for key in ("name", "value", "source"))
        and isinstance(one.get("agent"), str | None)
        and isinstance(one.get("reserved"), bool | None)
        for one in value
    )


def _is_alerts(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict)
        and all(isinstance(one.get(key), str) for key in ("figure", "message"))
        and all(isinstance(one.get(key), int | float) for key in ("was", "now"))
        for one in value
    )


# What claims have beside texts. Those that were stored before 0011 have authors alone.
_LISTS: dict[str, Callable[[Any], bool]] = {"authors": _is_texts, "keywords": _is_texts, "rights": _is_rights}


def _is_claims(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() >= {"title", "published_at", "authors", "language"}
        and isinstance(value["authors"], list)
        and all(one is None or _LISTS.get(key, _is_text)(one) for key, one in value.items())
    )


def _is_removed(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, list) and [type(part) for part in one] == [int, str, str] for one in value
    )


def _is_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(_is_texts(one) and len(one) == 2 for one in value)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


# By the names of columns.
SHAPES: dict[str, Callable[[Any], bool]] = {
    "authors": _is_texts,
    "keywords": _is_texts,
    "rights": _is_rights,
    "reasons": _is_counts,
    "alerts": _is_alerts,
    "claims": _is_claims,
    "removed": _is_removed,
    "children": _is_pairs,
    "headers": _is_pairs,
    "tells": _is_texts,
    "ways": _is_texts,
    "body": _is_object,
}
