"""Lists are cut into parts that a statement can take."""

from __future__ import annotations

from storage.base.chunks import IN_LIST, chunks


def test_parts_are_in_order_and_hold_everything_once() -> None:
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks([])) == []


def test_a_part_stays_below_what_an_old_sqlite_takes() -> None:
    assert max(map(len, chunks(range(5000)))) == IN_LIST < 999


def test_a_generator_is_read_once() -> None:
    assert list(chunks((n for n in range(3)), 3)) == [[0, 1, 2]]
