import re

import pytest

from pipeline.clean.wire import parse_wire
from pipeline.document import Block, BlockKind
from pipeline.text import AGENCIES, Agency

BODY = "The harbour council voted on Monday to let the old ferry sail for one more winter, its chair said."


def paragraphs(*texts: str) -> tuple[tuple[int, Block], ...]:
    return tuple((n, Block(BlockKind.PARAGRAPH, text)) for n, text in enumerate(texts))


def texts_of(blocks: tuple[tuple[int, Block], ...]) -> list[str]:
    return [block.text for _, block in blocks]


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


def test_an_unknown_agency_is_known_by_signing_twice() -> None:
    copy = parse_wire(paragraphs("NORTHPORT (Seawire) — " + BODY, BODY, "Seawire"), "")
    assert (copy.agency, texts_of(copy.blocks)) == ("Seawire", [BODY, BODY])


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


def test_the_title_names_the_agency_when_nothing_else_does() -> None:
    assert parse_wire(paragraphs(BODY), "Old ferry sails on - Reuters").agency == "Reuters"
    assert parse_wire(paragraphs(BODY), "Reuters sells its ferry").agency is None


@pytest.mark.parametrize("agency", AGENCIES, ids=lambda agency: agency.name)
def test_every_agency_is_known_by_its_own_name(agency: Agency) -> None:
    assert parse_wire(paragraphs(f"OSLO ({agency.name}) - " + BODY), "").agency == agency.name


@pytest.mark.parametrize(
    "text", ["By AP" + "/AP" * 60, "(AP" + "/AP" * 90, "A-" * 200, "A Ap, " * 60, "AP/" * 130]
)
def test_endless_names_are_read_to_their_end(text: str) -> None:
    copy = parse_wire(paragraphs(text, BODY, text), text)
    assert BODY in texts_of(copy.blocks)


def test_nothing_in_nothing_out() -> None:
    assert parse_wire((), "") == parse_wire((), "Old ferry sails on")


@pytest.mark.parametrize("agency", AGENCIES, ids=lambda agency: agency.name)
def test_every_form_of_an_agency_is_found_in_a_dateline(agency: Agency) -> None:
    for form in agency.forms:
        plain = re.sub(r"\(\?:[^)]*\)(?:\?|\{0,3\})|\?", "", form).replace("\\", "")
        plain = re.sub(r"\[(.).*?\]", r"\1", plain)
        copy = parse_wire(paragraphs(f"LONDON, March 7 ({plain}) - {BODY}", BODY), "Old ferry sails on")
        assert (copy.agency is not None, copy.dateline) == (True, "LONDON, March 7"), plain
