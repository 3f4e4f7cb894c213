"""Which pages must not be split between training and test, and how they fall into folds."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


def site_of_page(corpus: str, record: Mapping[str, Any]) -> str:
    """What shares a template, and so must stay together: the publisher, by the name of its domain.

    Where no URL is known, the name of the page's file stands in, as it begins with the publisher's. Pages
    of a corpus by countries ("de-…") are one for each country, because its publishers share templates;
    those of the United States hardly do.

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
    """A site's fold, 0 to folds - 1; another salt, another division."""
    return zlib.crc32(f"{salt}{site}".encode()) % folds
