"""Records as arrays, also as an engine may have rearranged them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.batch.records import hints, plain, records, values
from pipeline.document import Fingerprint, Origin, Removed

LINES = (Removed(1, "Register now", "phrase.a"), Removed(2, "Share", "phrase.b"))


def test_children_may_be_in_another_order_and_texts_large() -> None:
    kind = pa.list_(
        pa.struct([("rule", pa.large_string()), ("text", pa.large_string()), ("position", pa.int32())])
    )
    array = pa.array([plain(LINES), None, [], plain(LINES[:1])], type=kind)
    hint = tuple[Removed, ...]
    assert values(array, hint) == [LINES, None, (), LINES[:1]]
    assert values(array.slice(1), hint) == [None, (), LINES[:1]]


def test_a_record_without_a_value_is_none() -> None:
    kind = pa.struct([("version", pa.string()), ("bands", pa.list_(pa.int64()))])
    array = pa.array([None, {"version": "1", "bands": [1, -2]}], type=kind)
    assert records(array, Fingerprint, {"signature": b""}) == [None, Fingerprint("1", b"", (1, -2))]


def test_an_unknown_member_of_an_enum_is_an_error() -> None:
    assert values(pa.array(["warc", None]), Origin) == [Origin.WARC, None]
    with pytest.raises(KeyError):
        values(pa.array(["paper"]), Origin)


def test_types_of_fields_are_without_none() -> None:
    assert hints(Removed) == {"position": int, "text": str, "rule": str}
