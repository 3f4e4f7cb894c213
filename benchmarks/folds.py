"""Decides which pages must not be split between training and test, and divides them into folds."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


def site_of_page(corpus: str, record: Mapping[str, Any]) -> str:
    """The publisher of a page, by the name of its domain: its pages share templates, so they stay together.

    If no URL is known, the name of the page's file is used, because it begins with the publisher's name. In a
    corpus by countries ("de-…"), all pages of a country are one publisher, because its publishers share
    templates. Publishers of the United States hardly do.

    record: one object of truth.jsonl, with "id" (or "path") and perhaps "url".
    """
    name = str(record.get("path") or record["id"])
    country = name.split("-")[0]
    if country.isalpha() and len(country) <= 3 and country != "us":
        return f"{corpus}/{country}"
    host = (urlsplit(str(record.get("url") or "")).hostname or name.split("_")[0]).lower().split(".")
    second_level = len(host) > 2 and len(host[-1]) == 2 and len(host[-2]) <= 3
    label = host[-3] if second_level else host[-2] if len(host) > 1 else host[0]
    return label.removeprefix("the")


def fold_of(site: str, folds: int, salt: str = "") -> int:
    """A site's fold, 0 to folds - 1. Each salt gives a different division."""
    return zlib.crc32(f"{salt}{site}".encode()) % folds
