"""What is a copy and what only looks like one."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies.article_copy import ArticleCopy
from pipeline.copies.candidates import are_alike, band_weight, is_candidate
from pipeline.copies.fingerprint import fingerprint
from pipeline.copies.tokens import tokens
from pipeline.copies.verification import (
    LATER,
    MUCH_LATER,
    Judgement,
    Pair,
    PairKind,
    Refusal,
    judge,
    prepare,
    verify,
)
from pipeline.settings import FingerprintSettings, GroupSettings
from tests.pipeline.copies.stories import FERRY, NOON, RIVAL, edited, story

SETTINGS = GroupSettings()
SHINGLING = FingerprintSettings()

WEEKLY = (
    "Crude stocks held in the Alba basin {verb} by {change} million barrels to {level} million in the week "
    "ended {day}, the Energy Registry said in its weekly report. Analysts polled ahead of the report had "
    "expected a change of {poll} million barrels. Refineries ran at {rate} per cent of capacity, against "
    "{before} per cent the week before. Imports averaged {imports},000 barrels a day. Petrol stocks stood at "
    "{petrol} million barrels and heating oil at {oil} million, the registry said. The report is published "
    "every Wednesday and is based on a survey of terminals and refineries."
)
WEEK_1 = WEEKLY.format(
    verb="rose", change="2.1", level="431.6", day="May 10", poll="0.5", rate="88.4", before="87.9",
    imports="612", petrol="227.3", oil="116.4",
)  # fmt: skip
WEEK_2 = WEEKLY.format(
    verb="fell", change="3.4", level="428.2", day="May 17", poll="1.2", rate="90.1", before="88.4",
    imports="588", petrol="225.9", oil="115.0",
)  # fmt: skip
BOND = (
    "{name} is issuing a {size} mln crown eurobond due {due}, carrying a coupon of {coupon} pct and "
    "priced at {price} pct, lead manager {bank} said. The bond is available in denominations of 1,000 and "
    "10,000 crowns and will be listed in Luxembourg. Fees comprise one pct for selling and 1/2 pct for "
    "management and underwriting combined. Pay date is {due}."
)
BOND_1 = BOND.format(
    name="Alba Telefon AB", size=75, due="June 12", coupon="5-1/8", price="101-3/4", bank="Norra Bank"
)
BOND_2 = BOND.format(
    name="Gulf Cement Co", size=120, due="June 12", coupon="6", price="99-1/2", bank="Skerry Trust"
)
BOND_3 = BOND.format(
    name="Alba Telefon AB", size=200, due="July 3", coupon="7-1/4", price="100-7/8", bank="Norra Bank"
)


def compare(a: ArticleCopy, b: ArticleCopy, settings: GroupSettings = SETTINGS) -> Pair | None:
    one, other = prepare(a, SHINGLING), prepare(b, SHINGLING)
    found = verify(one, other, settings)
    mirrored = verify(other, one, settings)
    if found is None or mirrored is None:
        assert found is mirrored, "verification is symmetric"
        return found
    assert found == replace(
        mirrored,
        passage=mirrored.other_passage,
        other_passage=mirrored.passage,
        is_held=mirrored.holds,
        holds=mirrored.is_held,
    )
    for passage, text in ((found.passage, one), (found.other_passage, other)):
        assert 0 <= passage.start < passage.end <= text.tokens.size
    return found


def is_exact(found: Pair | None) -> bool:
    """Whether it is a pair of the same words, which share all of them."""
    return (
        found is not None
        and (found.kind, found.jaccard, found.containment) == (PairKind.EXACT, 1.0, 1.0)
        and found.passage == found.other_passage
        and found.passage.start == 0
    )


def proposed(a: str, b: str) -> bool:
    one, other = fingerprint(a, SHINGLING), fingerprint(b, SHINGLING)
    assert one is not None
    assert other is not None
    shared = set(one.bands) & set(other.bands)
    alike = are_alike(one.signature, other.signature, SETTINGS)
    return is_candidate(sum(band_weight(band, SETTINGS) for band in shared), alike, SETTINGS)


LOCAL = [
    "In Brightwater, the ferry clerk Anna Sundh said that regulars were worried about getting to the market.",
    "The town council is to discuss the matter on Thursday evening at the Methodist hall in Mill Lane.",
]
SPUN = (
    ("said on Tuesday", "announced on Tuesday"), ("told reporters", "told journalists"),
    ("keep empty piers open", "maintain deserted piers"), ("runs 31 vessels", "operates 31 vessels"),
    ("called the plan a blow", "described the plan as a blow"), ("within a fortnight", "inside two weeks"),
)  # fmt: skip


def spun() -> list[str]:
    text = FERRY
    for old, new in SPUN:
        text = edited(text, old, new)
    return text


@pytest.mark.parametrize(
    ("copy", "kind"),
    [
        (FERRY, PairKind.EXACT),
        (edited(FERRY, "12.5 per cent", "12,5%"), PairKind.EXACT),
        (edited(edited(FERRY, "“", '"'), "”", '"'), PairKind.EXACT),
        (edited(FERRY, "4,300,000", "4 300 000"), PairKind.EXACT),
        (edited(FERRY, "seven ferry", "7 ferry"), PairKind.EXACT),
        (FERRY[:3], PairKind.PARTIAL),
        (FERRY[:2], PairKind.PARTIAL),
        ([FERRY[0], *LOCAL, *FERRY[1:]], PairKind.NEAR),
        ([*FERRY[:3], *LOCAL, FERRY[3]], PairKind.PARTIAL),
        (["Islanders will have to get up earlier from this autumn.", *FERRY[1:]], PairKind.NEAR),
        (edited(FERRY, "with 146 jobs lost", "with 152 jobs lost"), PairKind.NEAR),
        (spun(), PairKind.NEAR),
        (["ALBA WIRE -", *FERRY], PairKind.NEAR),
        ([*FERRY, "Alba Wire/jk"], PairKind.NEAR),
    ],
    ids=[
        "whole", "percent", "quotes", "separators", "number word", "half", "third", "localised",
        "localised and cut", "other lead", "updated", "reworded", "agency tag before", "agency tag after",
    ],
)  # fmt: skip
@pytest.mark.parametrize("days", [0.0, 0.4, None])
def test_copies(copy: list[str], kind: PairKind, days: float | None) -> None:
    found = compare(story(FERRY), story(copy, days=days))
    assert found is not None
    assert found.kind is kind
    assert 0 < found.jaccard <= found.containment <= 1
    assert proposed("\n".join(FERRY), "\n".join(copy))


@pytest.mark.parametrize("days", [0.0, 1.5, 7.0, None])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\n".join(FERRY), RIVAL),
        (WEEK_1, WEEK_2),
        (BOND_1, BOND_2),
        (BOND_1, BOND_3),
    ],
    ids=["another reporter", "next week's figures", "another issuer", "another issue"],
)
def test_look_alikes(one: str, other: str, days: float | None) -> None:
    assert compare(story(one), story(other, days=days)) is None


def test_a_later_copy_has_to_be_closer() -> None:
    one, other = story(FERRY), story(spun())
    gaps: list[float] = [0, 0.9, 2, 4, 6, 300]
    accepted = [compare(one, replace(other, published_at=NOON + timedelta(days=g))) is not None for g in gaps]
    assert accepted == sorted(accepted, reverse=True)
    assert accepted[0]
    assert not accepted[-1]
    assert compare(one, story(FERRY[:3], days=300)) is not None
    assert is_exact(compare(one, story(FERRY, days=3000)))


def test_ungraded_by_case() -> None:
    """A copy in capitals has the same words; only its particulars are more."""
    shouted = [p.upper() for p in FERRY]
    assert is_exact(compare(story(FERRY), story(shouted)))
    assert compare(story(FERRY), story(shouted[:3])) is not None


SHORT = "A ferry with 40 people on board ran aground off Port Alba early on Tuesday, the coast guard said."


def test_short_items() -> None:
    assert is_exact(compare(story(SHORT), story(SHORT)))
    assert compare(story(SHORT), story(SHORT.replace("early on Tuesday", "on Tuesday"))) is not None
    assert compare(story(SHORT), story([SHORT, *FERRY])) is not None
    assert compare(story(SHORT), story(SHORT.replace("40", "12").replace("Port Alba", "Gull Point"))) is None
    assert proposed(SHORT, SHORT.replace("early on Tuesday", "on Tuesday"))


@pytest.mark.parametrize("text", ["", "Video", "Read more", "Please wait a moment", "続きを読む"])
def test_too_short_to_be_evidence(text: str) -> None:
    assert compare(story(text), story(text)) is None
    assert compare(story(text), story([text, *FERRY])) is None


CHINESE = (
    "阿尔巴港务局星期二宣布,由于乘客人数自2019年以来下降12.5%,将关闭七个渡轮码头中的两个。"
    "主席莫罗对记者表示,港务局去年亏损430万克朗,无法再维持空荡荡的码头。"
    "工会称该计划是对外岛居民的打击,并表示将举行罢工投票。"
)
JAPANESE = (
    "アルバ港湾局は火曜日、2019年以降に乗客が12.5%減少したとして、七つのフェリー乗り場のうち二つを閉鎖すると発表した。"
    "モロー局長は記者団に対し、昨年は430万クローネの赤字を出したと述べた。"
    "労働組合は離島への打撃だと批判し、ストライキの投票を行うとしている。"
)
THAI = (
    "การท่าเรืออัลบาประกาศเมื่อวันอังคารว่าจะปิดท่าเรือข้ามฟากสองแห่งจากเจ็ดแห่ง หลังจำนวนผู้โดยสารลดลงร้อยละ 12.5 "
    "ประธานโมโรกล่าวว่าปีที่แล้วขาดทุน 4.3 ล้านโครน สหภาพแรงงานเรียกแผนนี้ว่าเป็นการทำร้ายชาวเกาะ"
)


@pytest.mark.parametrize("text", [CHINESE, JAPANESE, THAI], ids=["zh", "ja", "th"])
def test_scripts_without_blanks(text: str) -> None:
    cut = text[: len(text) * 2 // 3]
    found = compare(story(text), story(cut))
    assert found is not None
    assert found.containment > 0.9
    assert proposed(text, cut)
    assert (
        compare(story(text), story(text.replace("12.5", "31").replace("2019", "2007"))) is None
        or text is THAI
    )
    others = [t for t in (CHINESE, JAPANESE, THAI) if t is not text]
    assert all(compare(story(text), story(other)) is None for other in others)


def test_text_in_two_languages() -> None:
    both = [*FERRY[:4], CHINESE]
    assert compare(story(both), story(FERRY[:4])) is not None
    assert compare(story(both), story([CHINESE, *FERRY[:4]])) is not None
    assert compare(story(both, language="en"), story(both, language="zh")) is not None


@given(st.lists(st.sampled_from([*FERRY, RIVAL, WEEK_1, CHINESE, SHORT, "x", ""]), max_size=6),
       st.lists(st.sampled_from([*FERRY, RIVAL, WEEK_1, CHINESE, SHORT, "x", ""]), max_size=6),
       st.sampled_from([0.0, 0.5, 2.0, 50.0, None]))  # fmt: skip
def test_verification_is_symmetric(a: list[str], b: list[str], days: float | None) -> None:
    compare(story(a), story(b, days=days))


NOTICE = (
    "The regular dividend is 22 cents a share against 21 cents a quarter ago. It will be paid on April 10 to "
    "the holders of record of March 20."
)


def judged(a: ArticleCopy, b: ArticleCopy) -> Judgement:
    one, other = prepare(a, SHINGLING), prepare(b, SHINGLING)
    found = judge(one, other, SETTINGS)
    assert judge(other, one, SETTINGS).refusal is found.refusal
    return found


def test_the_subject_of_a_short_text_may_stand_in_the_headline_alone() -> None:
    telecom = story(NOTICE, title="Alba Telefon declares payout")
    cement = story(NOTICE, title="Gulf Cement keeps its distribution")
    assert judged(telecom, cement).refusal is Refusal.HEADLINE
    assert judged(telecom, replace(cement, title="")).refusal is None
    assert judged(telecom, replace(cement, title="UPDATE 2 - Alba Telefon declares payout")).refusal is None
    assert judged(telecom, replace(cement, title="Regular dividend paid in April")).refusal is None
    brennock = replace(cement, title="Brennock sets regular quarterly dividend on its common shares")
    assert judged(brennock, replace(telecom, title=brennock.title.replace("Brennock", "Kestrane"))).refusal
    long = story(FERRY, title="Alba Telefon declares payout")
    assert judged(long, story(FERRY, title="Gulf Cement keeps its distribution")).refusal is None


def test_the_same_short_words_are_another_issue_from_the_next_day_on() -> None:
    """A notice that comes daily comes some minutes earlier or later each time."""
    assert judged(story(NOTICE), story(NOTICE, days=0.7)).refusal is None
    for days in (0.97, 1.03, 2):
        assert judged(story(NOTICE), story(NOTICE, days=days)).refusal is Refusal.ISSUE
    assert judged(story(NOTICE), story(NOTICE, days=None)).refusal is None
    assert judged(story(FERRY), story(FERRY, days=2)).refusal is None


def table(step: int) -> str:
    """Shipments of one week: what stands between the figures is enough to be a copy by words alone."""
    goods = "wheat barley maize sugar timber cement"
    return "\n".join(
        f"Shipments of {name} from the three harbours of the Alba coast came to {n * 311 + step} tonnes"
        for n, name in enumerate(goods.split(), 2)
    )


@pytest.mark.parametrize("days", [0.2, 3.0])
def test_a_table_with_other_figures_is_another_issue(days: float) -> None:
    loose = replace(SETTINGS, particulars=0.1)
    one, other = prepare(story(table(7)), SHINGLING), prepare(story(table(9), days=days), SHINGLING)
    assert judge(one, other, loose).refusal is Refusal.FIGURES
    assert judge(one, prepare(story(table(7), days=days), SHINGLING), loose).refusal is None


RENAMED = (
    ("Port Alba", "Kaldvik"), ("Ines Moreau", "Ada Lind"), ("Gull Point", "Cape Werth"),
    ("Old Salt Street", "Quay Lane"), ("Tomas Lindqvist", "Jon Reyes"),
)  # fmt: skip


def test_a_release_with_other_names_is_not_a_copy_and_one_with_a_corrected_name_is() -> None:
    text = FERRY
    for count, (old, new) in enumerate(RENAMED, 1):
        text = edited(text, old, new)
        found = judge(prepare(story(FERRY), SHINGLING), prepare(story(text), SHINGLING), SETTINGS)
        assert (found.refusal is None) is (count < 3), (count, found)
    loose = replace(SETTINGS, particulars=0.1)
    found = judge(prepare(story(FERRY), SHINGLING), prepare(story(text), SHINGLING), loose)
    assert found.refusal is Refusal.NAMES
    assert found.conflicts is not None
    assert found.conflicts.names_differ == 5


def test_time_raises_no_doubt_about_an_update_in_which_names_and_figures_agree() -> None:
    lead = (
        "Hundreds of islanders have asked the government in the capital to stop the closure of their piers. "
        "They came over in small boats, with lanterns and a brass band, and stood in the rain before the old "
        "ministry until a clerk opened the door and took in a letter that had been signed in every village."
    )
    later = story([lead, *FERRY[2:]], days=1.3)
    found = judged(story(FERRY), later)
    assert (found.refusal, found.doubt) == (None, 0.0)
    assert found.containment < 0.55 + LATER * 0.45, "without the rule it would be too little"
    changed = story([lead, *edited(FERRY[2:], "146", "152")], days=1.3)
    assert judged(story(FERRY), changed).refusal is Refusal.CONTAINMENT
    assert judged(story(FERRY), replace(later, published_at=NOON + timedelta(days=9))).doubt == MUCH_LATER


def test_background_that_two_stories_share_makes_no_copy_of_them() -> None:
    """Over half of the shorter is in the longer, and neither headline nor lead."""
    own = (
        "Ministers of the northern states met behind closed doors this morning and left without a word to"
        " the press, while islanders gathered outside the ministry with drums and banners to hear what was"
        " decided."
    )
    longer = story(FERRY, title="Ferry board to close two piers", days=0)
    shorter = story([own, *FERRY[1:2], *FERRY[3:4]], title="Ministers meet on islands", days=0.1, id=2)

    def judged(copy: ArticleCopy) -> Judgement:
        return judge(prepare(longer, SHINGLING), prepare(copy, SHINGLING), SETTINGS)

    found = judged(shorter)
    assert 0.55 < found.containment < 0.65
    assert (found.refusal, found.needed) == (Refusal.CONTAINMENT, 0.65)
    assert judged(replace(shorter, title="Ministers meet on ferry piers")).refusal is None
    assert judged(replace(shorter, title="")).refusal is None
    whole = replace(shorter, text="\n".join([own, *FERRY[1:]]))
    assert judged(whole).refusal is None


def test_the_shared_passage_of_either_text() -> None:
    own = (
        "The town of Brightwater has no pier, and its council has never asked for one, clerks there said. "
        * 4
    )
    found = compare(story(FERRY), story([own, *FERRY[:4], own]))
    assert found is not None
    words = len(tokens(own))
    assert abs(found.other_passage.start - words) <= 3
    assert found.passage.start <= 3
    assert abs(found.other_passage.words - found.passage.words) <= 6


@pytest.mark.parametrize("days", [0.0, 2.0])
def test_verifying_stops_early_and_decides_as_judging_does(days: float) -> None:
    loose = replace(SETTINGS, particulars=0.3)
    lines = [f"Mills of district {chr(65 + n)} bought {101 + n} tonnes of wheat." for n in range(20)]
    one = prepare(story(lines), SHINGLING)
    refusals = set()
    for changed in range(13):
        again = [re.sub(r"\d+", str(400 + n), line) if n < changed else line for n, line in enumerate(lines)]
        for text in (again, [*again, "The office is closed on Monday."]):
            other = prepare(story(text, days=days), SHINGLING)
            found = judge(one, other, loose)
            assert (verify(one, other, loose) is None) == (found.refusal is not None)
            assert found.conflicts is None or found.conflicts.figures_differ == changed
            refusals.add(found.refusal)
    assert refusals == {None, Refusal.FIGURES}
