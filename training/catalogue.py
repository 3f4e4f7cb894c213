"""Makes the catalogue of outlets that the package ships, `crawler/sites/catalogue.toml`.

    python -m training.catalogue OUTLETS.json --date 2026-08 --out crawler/sites/catalogue.toml

OUTLETS.json is a list of objects with name, country, language, homepage, feeds, news_sitemaps and sitemaps,
as the publishers of fundus (github.com/flairNLP/fundus, MIT) have them; `deprecated` is true for those that
fundus does not maintain any more. The same list gives the same file.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomlkit

from crawler.discovery import site_key

# fundus names its folders by country, where the two letters of ISO 3166 are no Python name or are others'.
_COUNTRIES = {"ind": "in", "isl": "is", "uk": "gb"}
# Outlets whose pages are in another language than the list says.
_LANGUAGES = {"Taipei Times": "en", "Times Of India": "en"}
_ADDRESSES = ("feeds", "news_sitemaps", "sitemaps")

_HEAD = """\
# News outlets with the addresses of their feeds and sitemaps. `copydesk sites catalogue` lists them, and
# `copydesk sites add KEY` tries these addresses and writes a site of its own file. Nothing here is crawled
# before that. Made by training/catalogue.py; addresses of {date}, and addresses age.
#
# The addresses are those that the project fundus publishes (https://github.com/flairNLP/fundus), without
# the outlets that it calls deprecated. Its licence:
#
# MIT License
#
# Copyright (c) 2023 Max Dallabetta, Conrad Dobberstein, Aaron Wey
#
# Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
# associated documentation files (the "Software"), to deal in the Software without restriction, including
# without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
# copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
# following conditions:
#
# The above copyright notice and this permission notice shall be included in all copies or substantial
# portions of the Software.
#
# THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
# LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
# EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
# IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR
# THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def catalogue(outlets: Iterable[Mapping[str, Any]], date: str) -> str:
    """The catalogue as TOML: a table for each outlet, by country and name.

    outlets: as in OUTLETS.json. date: when their addresses were published. Raises ValueError for two outlets
    that would have one key.
    """
    kept = [_entry(outlet) for outlet in outlets if not outlet.get("deprecated")]
    shared = {key for key, count in Counter(_key(entry) for entry in kept).items() if count > 1}
    document = tomlkit.document()
    for entry in sorted(kept, key=lambda entry: (entry["country"], entry["name"].casefold())):
        key = _key(entry)
        # Of the editions of one outlet, the English one keeps the name of the outlet.
        if key in shared and entry["language"] != "en":
            key = f"{key}-{entry['language']}"
        if key in document:
            raise ValueError(f"two outlets have the key {key}: {entry['homepage']}")
        document.add(key, _table(entry))
    return f"{_HEAD.format(date=date)}\n{tomlkit.dumps(document)}"


def _entry(outlet: Mapping[str, Any]) -> dict[str, Any]:
    country, name = outlet["country"], outlet["name"]
    return {
        "name": name,
        "country": _COUNTRIES.get(country, country),
        "language": _LANGUAGES.get(name, outlet["language"]),
        "homepage": outlet["homepage"] if outlet["homepage"].count("/") > 2 else f"{outlet['homepage']}/",
        **{kind: list(dict.fromkeys(outlet[kind])) for kind in _ADDRESSES},
    }


def _key(entry: Mapping[str, Any]) -> str:
    """The key of the site, without the article of an English name: `guardian`."""
    key = site_key(entry["homepage"])
    return key.removeprefix("the") if entry["name"].lower().startswith("the ") else key


def _table(entry: Mapping[str, Any]) -> Any:
    table = tomlkit.table()
    for name, value in entry.items():
        if isinstance(value, list):
            array = tomlkit.array()
            array.extend(value)
            if value:
                table.add(name, array.multiline(len(value) > 1))
        else:
            table.add(name, value)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the catalogue of outlets.")
    parser.add_argument("outlets", type=Path, metavar="OUTLETS.json")
    parser.add_argument("--date", required=True, help="when the addresses were published, e.g. 2026-08")
    parser.add_argument("--out", required=True, type=Path)
    given = parser.parse_args()
    given.out.write_text(catalogue(json.loads(given.outlets.read_text("utf-8")), given.date), "utf-8")


if __name__ == "__main__":
    main()
