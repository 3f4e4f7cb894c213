"""What is a copy and what only looks like one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies.article_copy import ArticleCopy
from pipeline.copies.candidates import band_weight, is_candidate
from pipeline.copies.fingerprint import fingerprint
from pipeline.copies.verification import Pair, PairKind, prepare, verify
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
    assert verify(other, one, settings) == found, "verification is symmetric"
    return found


def proposed(a: str, b: str) -> bool:
    one, other = fingerprint(a, SHINGLING), fingerprint(b, SHINGLING)
    assert one is not None
    assert other is not None
    shared = set(one.bands) & set(other.bands)
    return is_candidate(sum(band_weight(band, SETTINGS) for band in shared), SETTINGS)


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
    assert compare(one, story(FERRY, days=3000)) == Pair(PairKind.EXACT, 1.0, 1.0)


def test_ungraded_by_case() -> None:
    """A copy in capitals has the same words; only its particulars are more."""
    shouted = [p.upper() for p in FERRY]
    assert compare(story(FERRY), story(shouted)) == Pair(PairKind.EXACT, 1.0, 1.0)
    assert compare(story(FERRY), story(shouted[:3])) is not None


SHORT = "A ferry with 40 people on board ran aground off Port Alba early on Tuesday, the coast guard said."


def test_short_items() -> None:
    assert compare(story(SHORT), story(SHORT)) == Pair(PairKind.EXACT, 1.0, 1.0)
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
