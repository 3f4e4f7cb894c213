"""Bylines are taken off, and sentences that only look like them stay."""

from __future__ import annotations

import pytest

from pipeline.clean.wire import parse_wire
from tests.pipeline.clean.wire_copy import BODY, paragraphs, texts_of


@pytest.mark.parametrize(
    ("line", "byline", "agency"),
    [
        ("By Jane Doe and John Smith, Reuters Staff", "Jane Doe and John Smith", "Reuters"),
        ("By Jane Doe, Reuters 21.11.2026", "Jane Doe", "Reuters"),
        ("מאת: דנה כהן", "דנה כהן", None),
        ("By JANE DOE Associated Press", None, "AP"),
        ("Von Erika Mustermann, dpa", "Erika Mustermann", "dpa"),
        ("Par Jeanne Exemple avec AFP", None, None),
        ("Staff Writer | 2022-02-21", "Staff Writer", None),
        ("Reuters Staff", "Reuters Staff", "Reuters"),
        ("Jane van der Doe, Staff Reporter", "Jane van der Doe", None),
        ("By Associated Press", "Associated Press", "AP"),
    ],
)
def test_bylines(line: str, byline: str | None, agency: str | None) -> None:
    copy = parse_wire(paragraphs(line, BODY, BODY), "Old ferry sails on")
    if byline is not None:
        assert copy.byline == byline
        assert texts_of(copy.blocks) == [BODY, BODY]
        assert (copy.removed[0].rule, copy.removed[0].text) == ("wire.byline", line)
    if agency is not None:
        assert copy.agency == agency


@pytest.mark.parametrize(
    ("line", "authors"),
    [
        ("By Jane Doe and John Smith, Reuters Staff", ("Jane Doe", "John Smith")),
        ("By Jane Doe, Ann Other and John Smith", ("Jane Doe", "Ann Other", "John Smith")),
        ("Von Erika Mustermann und Max Mustermann", ("Erika Mustermann", "Max Mustermann")),
        ("By Associated Press", ("Associated Press",)),
        ("Staff Writer | 2022-02-21", ()),
        ("Reuters Staff", ()),
    ],
)
def test_authors_are_the_names_of_the_byline(line: str, authors: tuple[str, ...]) -> None:
    assert parse_wire(paragraphs(line, BODY, BODY), "Old ferry sails on").authors == authors


def test_a_byline_that_runs_into_the_dateline_is_split_off() -> None:
    copy = parse_wire(paragraphs("By Jane Doe LONDON, March 7 (Reuters) - " + BODY), "")
    assert (copy.byline, copy.dateline, texts_of(copy.blocks)) == ("Jane Doe", "LONDON, March 7", [BODY])


@pytest.mark.parametrize(
    "sentence",
    [
        "By Monday the ferry had been sold, painted and renamed.",
        "By John's account nobody was on board.",
        "Jane Doe and John Smith met on the ferry.",
        "כתב רון לוי בטוויטר.",
        "Von Anfang an war klar, dass niemand fahren würde.",
    ],
)
def test_sentences_that_look_like_bylines_stay(sentence: str) -> None:
    assert texts_of(parse_wire(paragraphs(sentence, BODY), "").blocks) == [sentence, BODY]
