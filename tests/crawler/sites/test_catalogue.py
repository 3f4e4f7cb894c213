"""The catalogue of outlets."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from crawler.sites.catalogue import find_outlets, outlets_named, read_catalogue
from crawler.sites.reader import read_sites, site_record
from pipeline.errors import OperatorError

FILE = Path(__file__).parents[3] / "crawler" / "sites" / "catalogue.toml"


def test_every_outlet_is_a_site_that_a_sites_file_can_have() -> None:
    outlets = read_catalogue()
    assert len(outlets) >= 170
    assert len({outlet.country for outlet in outlets.values()}) >= 37
    for key, outlet in outlets.items():
        assert re.fullmatch(r"[a-z]{2}", outlet.country), key
        entry = {
            "name": outlet.name,
            "homepage": outlet.homepage,
            "language": outlet.language,
            "feeds": outlet.feeds,
            "sitemaps": (*outlet.news_sitemaps, *outlet.sitemaps),
        }
        assert site_record("catalogue.toml", key, entry).key == key
    homepages = Counter(outlet.homepage for outlet in outlets.values())
    assert homepages.most_common(1)[0][1] == 1


def test_no_key_looks_like_an_address() -> None:
    assert not [key for key in read_catalogue() if any(sign in key for sign in ".:/")]


def test_the_catalogue_is_not_crawled() -> None:
    assert len(read_sites()) < 10


def test_the_source_and_its_licence_stand_in_the_file() -> None:
    text = " ".join(FILE.read_text("utf-8").replace("#", " ").split())
    for said in (
        "https://github.com/flairNLP/fundus",
        "MIT License",
        "Copyright (c) 2023 Max Dallabetta, Conrad Dobberstein, Aaron Wey",
        "The above copyright notice and this permission notice shall be included in all copies",
        "addresses of 2026-08",
    ):
        assert said in text


def keys(*words: str, country: str | None = None, language: str | None = None) -> set[str]:
    return {outlet.key for outlet in find_outlets(words, country=country, language=language)}


def test_outlets_are_found_by_words_country_and_language() -> None:
    assert keys() == read_catalogue().keys()
    assert keys("guardian") == {"guardian"}
    assert "nzz" in keys("ZURCHER")  # Neue Zürcher Zeitung
    assert keys("the", "guard") == {"guardian"}
    assert keys("lemonde.fr") == {"lemonde"}
    assert keys(country="NO") == {"db", "nettavisen", "nrk", "vg"}
    assert keys(country="uk") == keys(country="gb")
    assert {"derstandard", "tagesschau"} <= keys(language="de")
    assert keys("tagesschau", language="en") == set()
    assert keys("no outlet is like this") == set()


def test_unknown_keys_are_reported_with_the_nearest_one() -> None:
    assert [outlet.name for outlet in outlets_named(["tagesschau", "guardian", "tagesschau"])] == [
        "Tagesschau",
        "The Guardian",
    ]
    with pytest.raises(
        OperatorError, match=r"no outlet 'guardain' in the catalogue; did you mean guardian\?"
    ):
        outlets_named(["tagesschau", "guardain"])
    with pytest.raises(OperatorError, match="copydesk sites catalogue lists"):
        outlets_named(["zzzzzzzz"])
