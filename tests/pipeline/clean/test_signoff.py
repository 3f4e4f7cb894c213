"""Sign-offs are taken off, and last sentences stay."""

from __future__ import annotations

import pytest

from pipeline.clean.wire import parse_wire
from tests.pipeline.clean.wire_copy import BODY, paragraphs, texts_of


def test_an_unknown_agency_is_known_by_signing_twice() -> None:
    copy = parse_wire(paragraphs("NORTHPORT (Seawire) — " + BODY, BODY, "Seawire"), "")
    assert (copy.agency, texts_of(copy.blocks)) == ("Seawire", [BODY, BODY])


@pytest.mark.parametrize(
    ("signoff", "agency"),
    [
        ("Reporting by Jane Doe; Editing by John Smith", None),
        ("(Reporting by Jane Doe in Oslo; Writing by Ann Other; Editing by John Smith)", None),
        ("Reporting by Reuters offices. Written by Jane Doe; Editing by John Smith", None),
        ("Reuter\x03", "Reuters"),
        ("(AP)", "AP"),
        ("dpa/afp", "dpa"),
        ("rt/sms (AP, Reuters)", "AP"),
        ("© 2022 AFP", "AFP"),
        ("--ANI", "ANI"),
        ("(With inputs from PTI)", "PTI"),
        ("---- Reuters offices in Oslo", None),
        ("(This story has not been edited by our staff and is published from a syndicated feed.)", None),
        ("ENDS", None),
        ("dpa abc xx n1 def", "dpa"),
        ("EFE abc/de", "EFE"),
        ("Doe reported from Oslo, Norway.", None),
        ("Associated Press writer Jane Doe in Oslo contributed to this report.", "AP"),
        ("With files from The Associated Press and John Smith", "AP"),
        ("mit dpa", "dpa"),
        ("© dpa-infocom, dpa:210303-99-123456/3 (dpa)", "dpa"),
        ("(abc)", None),
    ],
)
def test_signoffs(signoff: str, agency: str | None) -> None:
    copy = parse_wire(paragraphs(BODY, BODY, signoff), "Old ferry sails on")
    assert texts_of(copy.blocks) == [BODY, BODY]
    assert copy.removed[-1].rule == "wire.signoff"
    assert copy.removed[-1].position == 2
    assert copy.agency == agency


@pytest.mark.parametrize(
    ("tail", "agency"),
    [
        (" (Reporting by Jane Doe; Editing by John Smith)", None),
        (" (AP)", "AP"),
        (" — AFP", "AFP"),
        (" AFP", "AFP"),
        (" REUTER \x03", "Reuters"),
        (" [Reuters]", "Reuters"),
    ],
)
def test_signoffs_at_the_end_of_the_last_paragraph(tail: str, agency: str | None) -> None:
    copy = parse_wire(paragraphs(BODY, BODY + tail), "")
    assert texts_of(copy.blocks) == [BODY, BODY]
    assert copy.agency == agency


@pytest.mark.parametrize(
    "last",
    [
        "Reporting by the papers was fair, the judge wrote, with one exception that he did not name.",
        "Mit der App kann man die Fahrkarten auch zu Hause kaufen.",
        "With the pilots of the AP hotel gone, nobody else was left on the island but the goats.",
        "The hull, the engine and the heat all contributed to this decision.",
        "With the ferry gone, the islands wait for the spring.",
        "He had learned the trade at Reuters.",
        "The end was near, and everybody on the quay knew it (some said so).",
    ],
)
def test_last_sentences_stay(last: str) -> None:
    assert texts_of(parse_wire(paragraphs(BODY, last), "").blocks)[-1][:20] == last[:20]


@pytest.mark.parametrize(
    ("signoff", "byline"),
    [
        ("(Written by Jane Doe; Editing by John Smith)", "Jane Doe"),
        (
            "Reporting by Seawire offices. Written by Jane Doe and Ann Other; Editing by John Smith",
            "Jane Doe and Ann Other",
        ),
        ("(Rewritten by Jane Doe; Editing by John Smith)", None),
        ("Reporting by Jane Doe; Editing by John Smith", None),
    ],
)
def test_who_wrote_by_the_sign_off_is_the_byline(signoff: str, byline: str | None) -> None:
    assert parse_wire(paragraphs(BODY, BODY, BODY, signoff), "").byline == byline
    assert parse_wire(paragraphs("By Una Vik", BODY, BODY, BODY, signoff), "").byline == "Una Vik"
