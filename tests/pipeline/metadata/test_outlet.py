"""The names of an outlet."""

from __future__ import annotations

import lxml.html
import pytest

from pipeline.metadata.outlet import is_site, outlet_words, site_words
from pipeline.metadata.structured_data import read_structured_data
from tests.pipeline.metadata.pages import URL, ld


def test_an_outlet_is_known_by_its_host_and_by_what_it_calls_itself() -> None:
    head = '<meta name="twitter:site" content="@LindenPost">' + ld(
        **{"@type": "NewsArticle", "headline": "x", "publisher": {"name": "Linden Media"}}
    )
    said = read_structured_data(lxml.html.document_fromstring(f"<html><head>{head}</head></html>"), URL)
    names = site_words("The Linden Post", URL, said)
    assert names >= {"thelindenpost", "lindenpost", "lindenpostexample"}
    assert "lindenmedia" not in names
    assert "lindenmedia" in outlet_words("The Linden Post", URL, said)


@pytest.mark.parametrize(
    ("part", "is_named"),
    [
        ("The Linden Post", True),
        ("LINDEN POST", True),
        ("Linden Post Sport", True),
        ("…", True),
        ("Ida Brandt", False),
        ("Linden", False),
        ("Linden Post: two ferries wait outside the harbour", False),
    ],
)
def test_a_part_of_a_title_that_names_the_site(part: str, is_named: bool) -> None:
    assert is_site(part, {"thelindenpost", "lindenpost"}) == is_named


@pytest.mark.parametrize(
    ("part", "is_named"),
    [("LPN Malmö", True), ("LPN", True), ("Lpn Malmö", False), ("LPN finds chain in harbour", False)],
)
def test_a_short_name_of_the_site_is_known_in_capitals(part: str, is_named: bool) -> None:
    assert is_site(part, {"lpn"}) == is_named
