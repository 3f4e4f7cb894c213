"""Datelines are taken off, and sentences that only look like them stay."""

from __future__ import annotations

import re

import pytest

from pipeline.clean.wire import parse_wire
from pipeline.document import Block, BlockKind
from pipeline.text import AGENCIES, Agency
from tests.pipeline.clean.wire_copy import BODY, paragraphs, texts_of


@pytest.mark.parametrize(
    ("dateline", "place", "agency"),
    [
        ("LONDON, March 7 (Reuters) - ", "LONDON, March 7", "Reuters"),
        ("NORTHPORT (AP) — ", "NORTHPORT", "AP"),
        ("LONDON/Kyiv (Kyiv) (Reuters) – ", "LONDON/Kyiv (Kyiv)", "Reuters"),
        ("Berlin (dpa) - ", "Berlin", "dpa"),
        ("Berlin/Neustadt am See (dpa/bb) - ", "Berlin/Neustadt am See", "dpa"),
        ("PARIS (AFP) – ", "PARIS", "AFP"),
        ("Paris, le 3 mars 2021 (AFP) - ", "Paris, le 3 mars 2021", "AFP"),
        ("Madrid, 3 mar (EFE).- ", "Madrid, 3 mar", "EFE"),
        ("(ANSA) - ROMA, 12 MAR - ", "ROMA, 12 MAR", "ANSA"),
        ("МОСКВА, 5 марта. /ТАСС/. ", "МОСКВА, 5 марта", "TASS"),
        ("МОСКВА, 5 мар — РИА Новости. ", "МОСКВА, 5 мар", "RIA Novosti"),
        ("КИЇВ. Укрінформ. ", "КИЇВ", "Ukrinform"),
        ("BEIJING, March 3 (Xinhua) -- ", "BEIJING, March 3", "Xinhua"),
        ("WASHINGTON, March 3 (UPI) -- ", "WASHINGTON, March 3", "UPI"),
        ("New Delhi [India], March 3 (ANI): ", None, "ANI"),
        ("NEW YORK — ", "NEW YORK", None),
        ("KYIV, Ukraine — ", "KYIV, Ukraine", None),
        ("AUSTIN (KXYZ) — ", "AUSTIN", None),
        ("(Reuters) - ", None, "Reuters"),
        ("(AP) ", None, "AP"),
        ("WASHINGTON, D.C. (AP) - ", "WASHINGTON, D.C", "AP"),
    ],
)
def test_datelines(dateline: str, place: str | None, agency: str | None) -> None:
    copy = parse_wire(paragraphs(dateline + BODY, BODY), "Old ferry sails on")
    assert copy.agency == agency
    if place is not None:
        assert copy.dateline == place
    assert texts_of(copy.blocks) == [BODY, BODY]
    assert [(r.position, r.text, r.rule) for r in copy.removed] == [(0, dateline.strip(), "wire.dateline")]


@pytest.mark.parametrize(
    ("lead", "place", "agency", "rest"),
    [
        ("新华社北京3月5日电（记者 王小明）渡轮将继续航行。", "北京3月5日", "Xinhua", "渡轮将继续航行。"),
        ("【ロンドン共同】渡し船は運航を続ける。", "ロンドン", "Kyodo", "渡し船は運航を続ける。"),
        (
            "[ロンドン 5日 ロイター] - 渡し船は運航を続ける。",
            "ロンドン 5日",
            "Reuters",
            "渡し船は運航を続ける。",
        ),
    ],
)
def test_datelines_without_blanks(lead: str, place: str, agency: str, rest: str) -> None:
    copy = parse_wire(paragraphs(lead), "")
    assert (copy.dateline, copy.agency, texts_of(copy.blocks)) == (place, agency, [rest])


@pytest.mark.parametrize(
    "lead",
    [
        "The Atlantic Pact (AP) - as its founders called it - was signed in a harbour shed, it says.",
        "Ferries (and the people on them) - nobody counts either - will sail through the winter.",
        "BREAKING — The ferry will sail, the council said on Monday.",
        "WHERE THE FERRY STANDS — The council met on Monday in the town hall.",
        "NATO — the alliance, not the bar — met in Northport on Monday.",
        "John Smith (Northport) — A goalkeeper for ten seasons — will retire, the club said on Monday.",
        "The Associated Press reported on Monday that the ferry had been sold.",
        "In Paris (AFP) staff walked out, and the ferry company followed on Monday.",
    ],
)
def test_sentences_that_look_like_datelines_stay(lead: str) -> None:
    copy = parse_wire(paragraphs(lead, BODY), "Old ferry sails on")
    assert texts_of(copy.blocks) == [lead, BODY]
    assert copy.dateline is None


def test_a_dateline_under_a_summary_is_found() -> None:
    summary = tuple((n, Block(BlockKind.LIST_ITEM, f"Point {n} of the story")) for n in range(4))
    copy = parse_wire((*summary, (4, Block(BlockKind.PARAGRAPH, "OSLO (Reuters) - " + BODY))), "")
    assert copy.dateline == "OSLO"
    assert copy.removed[0].position == 4


@pytest.mark.parametrize("agency", AGENCIES, ids=lambda agency: agency.name)
def test_every_agency_is_known_by_its_own_name(agency: Agency) -> None:
    assert parse_wire(paragraphs(f"OSLO ({agency.name}) - " + BODY), "").agency == agency.name


@pytest.mark.parametrize("agency", AGENCIES, ids=lambda agency: agency.name)
def test_every_form_of_an_agency_is_found_in_a_dateline(agency: Agency) -> None:
    for form in agency.forms:
        plain = re.sub(r"\(\?:[^)]*\)(?:\?|\{0,3\})|\?", "", form).replace("\\", "")
        plain = re.sub(r"\[(.).*?\]", r"\1", plain)
        copy = parse_wire(paragraphs(f"LONDON, March 7 ({plain}) - {BODY}", BODY), "Old ferry sails on")
        assert (copy.agency is not None, copy.dateline) == (True, "LONDON, March 7"), plain
