"""Retry-After, back-off, and suspended hosts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from scrapy.http import Response

from crawler.fetch.politeness.hosts import retry_after


@pytest.mark.parametrize(("value", "seconds"), [("120", 120), ("0", 0)])
def test_retry_after_as_a_number(value: str, seconds: float) -> None:
    assert retry_after(Response("https://a.example/", headers={"Retry-After": value})) == seconds


@pytest.mark.parametrize(("hours", "least", "most"), [(2, 7000, 7200), (-2, 0, 0)])
def test_retry_after_as_a_date(hours: int, least: float, most: float) -> None:
    value = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    seconds = retry_after(Response("https://a.example/", headers={"Retry-After": value}))
    assert seconds is not None
    assert least <= seconds <= most


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e3", "9" * 400, "١٢"])
def test_retry_after_that_makes_no_sense(value: str) -> None:
    assert retry_after(Response("https://a.example/", headers={"Retry-After": value.encode()})) is None
