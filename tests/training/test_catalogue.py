"""The catalogue of outlets, made of a list."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from training.catalogue import catalogue


def outlet(name: str, homepage: str, **more: Any) -> dict[str, Any]:
    given = {"country": "de", "language": "de", "feeds": [f"{homepage}/rss"], "news_sitemaps": []}
    return {"name": name, "homepage": homepage, **given, "sitemaps": [], **more}


def test_outlets_become_tables_without_those_that_are_not_maintained() -> None:
    made = tomllib.loads(
        catalogue(
            [
                outlet("The Gazette", "https://www.thegazette.example", country="uk", language="en"),
                outlet("Alt", "https://alt.example/", deprecated=True),
                outlet("Bote", "https://bote.example/", feeds=["https://bote.example/a"] * 2),
                outlet("Bote (EN)", "https://bote.test/", language="en", sitemaps=["https://bote.test/map"]),
            ],
            "2026-08",
        )
    )
    assert made == {
        "bote-de": {
            "name": "Bote",
            "country": "de",
            "language": "de",
            "homepage": "https://bote.example/",
            "feeds": ["https://bote.example/a"],
        },
        "bote": {
            "name": "Bote (EN)",
            "country": "de",
            "language": "en",
            "homepage": "https://bote.test/",
            "feeds": ["https://bote.test//rss"],
            "sitemaps": ["https://bote.test/map"],
        },
        "gazette": {
            "name": "The Gazette",
            "country": "gb",
            "language": "en",
            "homepage": "https://www.thegazette.example/",
            "feeds": ["https://www.thegazette.example/rss"],
        },
    }


def test_two_outlets_with_one_key_are_refused() -> None:
    twins = [outlet("Bote", "https://bote.example/"), outlet("Bote", "https://bote.test/")]
    with pytest.raises(ValueError, match="two outlets have the key bote-de"):
        catalogue(twins, "2026-08")
