"""Records of the pipeline as Arrow arrays, and back, exactly.

Which Python type a field has is read off the record's class, so that a new field of a record needs nothing
here, and a column in the schema. A field is a column or a struct's child of its own name:

- text, flags, whole numbers and bytes as they are; a member of an enum as its value
- an aware time as int64, microseconds from 1970 in UTC. A timestamp of Arrow would be read differently by
  each engine, in its own time zone and calendar
- a tuple as a list, a record as a struct

None is null anywhere; an empty tuple is an empty list.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from itertools import islice
from typing import Any, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.times import from_microseconds, microseconds


@cache
def hints(record: Any) -> Mapping[str, Any]:
    """The types of a record's fields by name, in order, without `| None`."""
    found = get_type_hints(record)
    return {field.name: _of_a_value(found[field.name]) for field in fields(record)}


def _of_a_value(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return next(one for one in get_args(hint) if one is not types.NoneType)
    return hint


def plain(value: Any) -> Any:
    """A value of a field as pyarrow takes it: records as dictionaries, times as microseconds."""
    if value is None or isinstance(value, (str, int, bytes)):
        return value
    if isinstance(value, datetime):
        return microseconds(value)
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    record: Any = type(value)
    return {name: plain(getattr(value, name)) for name in hints(record)}


def values(array: pa.Array, hint: Any) -> list[Any]:
    """The values of an array as the field has them. hint: the type of the field, without `| None`."""
    if get_origin(hint) is tuple:
        return _tuples(array, get_args(hint)[0])
    if is_dataclass(hint):
        return records(array, hint, {})
    found: list[Any] = array.to_pylist()
    if hint is datetime:
        return [None if value is None else from_microseconds(value) for value in found]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        members = {member.value: member for member in hint}
        return [None if value is None else members[value] for value in found]
    return found


def records(array: pa.StructArray, record: Any, given: Mapping[str, Any]) -> list[Any]:
    """The records of an array of structs, None for null. given: values of fields that are no children."""
    stored = {name: hint for name, hint in hints(record).items() if name not in given}
    columns = (
        values(child, hint)
        for child, hint in zip(_children(array, tuple(stored)), stored.values(), strict=True)
    )
    made = (dict(zip(stored, row, strict=True)) for row in zip(*columns, strict=True))
    is_there = array.is_valid().to_pylist()
    return [record(**row, **given) if there else None for row, there in zip(made, is_there, strict=True)]


def _children(array: pa.StructArray, names: tuple[str, ...]) -> Iterator[pa.Array]:
    # By name: an engine may have changed their order. `flatten` minds slices and nulls of the struct.
    children = dict(zip((field.name for field in array.type), array.flatten(), strict=True))
    return (children[name] for name in names)


def _tuples(array: pa.ListArray, item: Any) -> list[tuple[Any, ...] | None]:
    items = iter(values(array.flatten(), item))
    sizes = pc.list_value_length(array).to_pylist()
    return [None if size is None else tuple(islice(items, size)) for size in sizes]
