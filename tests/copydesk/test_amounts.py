"""Ages and sizes as users write and read them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from copydesk.amounts import parse_age, parse_size, shown_age, shown_size
from pipeline.errors import OperatorError


def test_ages_and_sizes() -> None:
    assert [parse_age(t).total_seconds() / 3600 for t in ("36h", "90d", "2 w", "1Y")] == [36, 2160, 336, 8760]
    sizes = [parse_size(t) for t in ("800MB", "5GB", "0.5 tb", "5GiB", "2k", "12B")]
    assert sizes == [800_000_000, 5_000_000_000, 500_000_000_000, 5 << 30, 2000, 12]
    for text in ("", "d", "-1d", "90", "3m", "1e3d"):
        with pytest.raises(OperatorError, match="is not an age"):
            parse_age(text)
    for text in ("", "GB", "-1GB", "5", "5XB", "5 G B"):
        with pytest.raises(OperatorError, match="is not a size"):
            parse_size(text)
    shown = [shown_size(n) for n in (0, 999, 1000, 1_234_567, 5_000_000_000)]
    assert shown == ["0 bytes", "999 bytes", "1.0 kB", "1.2 MB", "5.0 GB"]


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        (timedelta(minutes=-5), "0 min"),
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=47, minutes=59), "47 h"),
        (timedelta(hours=48), "2 d"),
        (timedelta(days=1234), "1,234 d"),
    ],
)
def test_an_age_is_shown_in_one_unit(age: timedelta, shown: str) -> None:
    assert shown_age(age) == shown


def test_an_age_beyond_all_dates_is_refused() -> None:
    with pytest.raises(OperatorError, match="is not an age"):
        parse_age("9" * 20 + "y")
