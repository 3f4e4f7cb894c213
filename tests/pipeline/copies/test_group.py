"""What is a copy and what only looks like one; candidates that do not depend on the order of arrival."""

from __future__ import annotations

import itertools
import random
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies.fingerprint import fingerprint
from pipeline.copies.group import (
    Pair,
    PairKind,
    Story,
    bands_of,
    bucket_keys,
    candidates,
    canonical,
    comparable,
    components,
    is_candidate,
    is_far,
    order_key,
    parted,
    reach,
    row_key,
    row_keys,
    verify,
    weight,
)
from pipeline.settings import BAND_BITS, FingerprintSettings, GroupSettings

SETTINGS = GroupSettings()
SHINGLING = FingerprintSettings()
NOON = datetime(2024, 5, 14, 12, tzinfo=UTC)

FERRY = [
    "The harbour board of Port Alba said on Tuesday that it would close two of its seven ferry terminals, "
    "citing a 12.5 per cent fall in passengers since 2019.",
    "Chairwoman Ines Moreau told reporters that the board had lost 4,300,000 crowns last year and could not "
    "keep empty piers open through another winter.",
    "“We have waited for the summer crowds, and they did not come back,” she said. “The islands will "
    "still be served, but by fewer boats and from fewer places.”",
    "The terminals at Gull Point and Old Salt Street would close on September 30, with 146 jobs lost, the "
    "board said in a statement. A shuttle bus is to carry commuters to the central pier.",
    "Unions called the plan a blow to the outer islands and promised to fight it. Deckhands' leader Tomas "
    "Lindqvist said that members would vote on a strike within a fortnight.",
    "The board, founded in 1871, runs 31 vessels and carried 9.8 million passengers at its peak. Its debt "
    "was rated one notch above junk in March.",
]
# Another reporter's account of the same morning.
RIVAL = (
    "Commuters on Alba's outer islands face longer journeys after port managers announced the closure of the "
    "Gull Point and Old Salt Street piers.\nPassenger numbers have dropped 12.5 per cent since 2019, board "
    "chair Ines Moreau said, leaving a loss of 4.3 million crowns. Nearly 150 people will lose their jobs "
    "when the gates shut on September 30.\nTomas Lindqvist, who speaks for deckhands, said a strike ballot "
    "was likely. Buses will replace the boats, according to the plan, which was presented at a noisy meeting."
)
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


def story(text: str | Sequence[str], *, days: float | None = 0.0, id: int = 1, **more: object) -> Story:
    body = text if isinstance(text, str) else "\n".join(text)
    published = None if days is None else NOON + timedelta(days=days)
    return replace(
        Story(id=id, url=f"https://a.example/{id}", title="", text=body, fetched_at=NOON),
        published_at=published,
        **more,  # type: ignore[arg-type]
    )


def compare(a: Story, b: Story, settings: GroupSettings = SETTINGS) -> Pair | None:
    one, other = comparable(a, settings, SHINGLING), comparable(b, settings, SHINGLING)
    found = verify(one, other, settings)
    assert verify(other, one, settings) == found, "verification is symmetric"
    return found


def proposed(a: str, b: str) -> bool:
    one, other = fingerprint(a, SHINGLING), fingerprint(b, SHINGLING)
    assert one is not None
    assert other is not None
    shared = set(one.bands) & set(other.bands)
    return is_candidate(sum(weight(band, SETTINGS) for band in shared), SETTINGS)


def edited(paragraphs: list[str], old: str, new: str) -> list[str]:
    assert any(old in p for p in paragraphs)
    return [p.replace(old, new) for p in paragraphs]


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


# --- candidates -------------------------------------------------------------------------------------------


def candidate_pairs(
    stories: Iterable[tuple[int, int, Sequence[int]]], settings: GroupSettings
) -> set[tuple[int, int]]:
    """The definition, all at once: (id, order, bands) -> pairs that are neighbours in enough bands."""
    bands: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for id, order, shared in stories:
        for band in shared:
            bands[band].append((order, id))
    days = timedelta(days=settings.near_days).total_seconds()
    weights: dict[tuple[int, int], int] = defaultdict(int)
    for band, rows in bands.items():
        rows.sort()
        for n, (order, one) in enumerate(rows):
            for later, other in rows[n + 1 : n + 1 + settings.band_window]:
                if band < 0 or (later >> 29) - (order >> 29) <= days:
                    weights[min(one, other), max(one, other)] += weight(band, settings)
    return {pair for pair, found in weights.items() if is_candidate(found, settings)}


class Index:
    """One article at a time, as the database does it: candidates are added, parted pairs looked at again.

    Rows stand under the keys of their buckets, and are found by their keys alone.
    """

    def __init__(self, settings: GroupSettings) -> None:
        self.settings = settings
        self.rows: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.stories: dict[int, tuple[int, Sequence[int]]] = {}
        self.pairs: set[tuple[int, int]] = set()

    def around(self, band: int, row: tuple[int, int]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        window = self.settings.band_window
        low, high = (-(2**63), 2**63) if is_far(band) else reach(row[0], self.settings)
        keys = [band] if is_far(band) else bucket_keys(band, low, high)
        rows = [other for key in keys for other in self.rows[key] if low <= other[0] <= high]
        assert rows == sorted(rows), "a band is in one order whatever its keys"
        at = bisect_left(rows, row)
        after = rows[at + 1 :] if rows[at : at + 1] == [row] else rows[at:]
        return rows[max(0, at - window) : at][::-1], after[:window]

    def still(self, one: int, other: int) -> bool:
        (a, a_bands), (b, b_bands) = self.stories[one], self.stories[other]
        weights = sum(
            weight(band, self.settings)
            for band in set(a_bands) & set(b_bands)
            if (b, other) in itertools.chain(*self.around(band, (a, one)))
        )
        return is_candidate(weights, self.settings)

    def add(self, id: int, order: int, bands: Sequence[int]) -> None:
        near: list[int] = []
        far: list[int] = []
        touched: set[tuple[int, int]] = set()
        for band in bands:
            before, after = self.around(band, (order, id))
            (far if is_far(band) else near).extend(i for _, i in (*before, *after))
            touched |= {
                (min(x[1], y[1]), max(x[1], y[1]))
                for x, y in parted(before, after, self.settings.band_window)
            }
            insort(self.rows[row_key(band, order)], (order, id))
        self.stories[id] = (order, bands)
        self.pairs |= {(min(id, i), max(id, i)) for i in candidates(near, far, self.settings)}
        self.pairs -= {pair for pair in touched if not self.still(*pair)}

    def remove(self, id: int) -> None:
        order, bands = self.stories.pop(id)
        joined: set[tuple[int, int]] = set()
        for band in bands:
            before, after = self.around(band, (order, id))
            joined |= {
                (min(x[1], y[1]), max(x[1], y[1]))
                for x, y in parted(before, after, self.settings.band_window)
            }
            self.rows[row_key(band, order)].remove((order, id))
        self.pairs = {pair for pair in self.pairs if id not in pair}
        self.pairs |= {pair for pair in joined if self.still(*pair)}


some_bands = st.lists(st.sampled_from([0, 1, 2, 3, 2**BAND_BITS - 1, -1, -(2**63)]), unique=True, max_size=5)
rows = st.lists(st.tuples(st.integers(0, 2**34), some_bands), max_size=14)


@given(
    rows,
    st.randoms(use_true_random=False),
    st.integers(1, 3),
    st.integers(1, 2),
    st.sampled_from([0.01, 5.0, 20.0, 90.0]),
)
def test_candidates_do_not_depend_on_the_order_of_arrival(
    rows: list[tuple[int, list[int]]], order: random.Random, window: int, least: int, days: float
) -> None:
    settings = GroupSettings(band_window=window, bands_shared=least, near_days=days)
    # a third of the articles in one hour, a third in two months, a third all over the years
    spans = (3600, 60 * 86400, 2**32)
    stories = [(n, (at % spans[n % 3] << 29) + n, bands) for n, (at, bands) in enumerate(rows)]
    arriving = stories.copy()
    order.shuffle(arriving)
    index = Index(settings)
    for one in arriving:
        index.add(*one)
    assert index.pairs == candidate_pairs(stories, settings)
    for id, _, _ in arriving[::3]:
        index.remove(id)
    gone = {id for id, _, _ in arriving[::3]}
    assert index.pairs == candidate_pairs([s for s in stories if s[0] not in gone], settings)


@pytest.mark.parametrize(("crowd", "minutes"), [(10, 1), (1000, 1), (300, 1000)])
def test_a_crowded_band_costs_no_more_than_its_window(crowd: int, minutes: int) -> None:
    index = Index(SETTINGS)
    bands = range(-SHINGLING.far_bands, SHINGLING.bands + SHINGLING.lead_bands)
    for n in random.Random(0).sample(range(crowd), crowd):
        index.add(n, n * minutes * 60 << 29, bands)
    assert all(
        sum(n in pair for pair in index.pairs) <= 2 * SETTINGS.band_window for n in range(0, crowd, 97)
    )
    # and a crowd of copies is held together by its neighbours
    assert len(components(range(crowd), index.pairs)) == 1


def test_order_is_by_time_and_never_by_id() -> None:
    early, late = story("x", days=0, id=9), story("x", days=0.001, id=1)
    assert order_key(early) < order_key(late)
    assert order_key(early) == order_key(replace(early, id=3, title="t", text="other", agency="Alba Wire"))
    assert order_key(early) != order_key(replace(early, url="https://b.example/"))
    assert order_key(story("x", days=None)) == order_key(story("x", days=0))


@pytest.mark.parametrize("year", [1, 1850, 1970, 2024, 9999])
@pytest.mark.parametrize("band", [0, 2**BAND_BITS - 1, -1, -(2**63)])
def test_keys_fit_the_database(year: int, band: int) -> None:
    order = order_key(replace(story("x"), published_at=datetime(year, 1, 1, tzinfo=UTC)))
    assert -(2**63) <= order < 2**63
    key = row_key(band, order)
    assert -(2**63) <= key < 2**63
    assert is_far(key) == is_far(band)
    assert row_keys(np.array([band]), np.array([order])).tolist() == [key]
    assert bands_of(np.array([key])).tolist() == [band]
    low, high = reach(order, GroupSettings(near_days=4000))
    assert -(2**63) <= low <= order <= high < 2**63
    assert key in bucket_keys(band, low, high)
    assert set(bands_of(np.array(bucket_keys(band, low, high))).tolist()) == {band}


def test_what_is_near_in_time_has_few_keys() -> None:
    """Today's news looks into the present and the recent part of the index, and nowhere else."""
    for days in range(100):
        low, high = reach(order_key(story("x", days=days)), SETTINGS)
        assert 2 <= len(bucket_keys(0, low, high)) <= 3
        assert len(bucket_keys(-5, low, high)) == 1


def test_a_late_copy_is_found_by_a_far_band() -> None:
    """Nearly whole, or with the lead that it had."""
    week_later, own_bands = order_key(story(FERRY, days=8)), fingerprint("\n".join(FERRY), SHINGLING)
    assert own_bands is not None
    for copy in (FERRY, edited(FERRY, "146 jobs", "152 jobs"), FERRY[:4]):
        found = fingerprint("\n".join(copy), SHINGLING)
        assert found is not None
        stories = [(1, order_key(story(FERRY)), own_bands.bands), (2, week_later, found.bands)]
        assert candidate_pairs(stories, SETTINGS) == {(1, 2)}
    rival = fingerprint(RIVAL, SHINGLING)
    assert rival is not None
    stories = [(1, order_key(story(FERRY)), own_bands.bands), (2, week_later, rival.bands)]
    assert candidate_pairs(stories, SETTINGS) == set()


# --- groups -----------------------------------------------------------------------------------------------

some_pairs = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=15)


@given(some_pairs, st.randoms(use_true_random=False))
def test_components_do_not_depend_on_order(pairs: list[tuple[int, int]], order: random.Random) -> None:
    expected = components(range(13), pairs)
    assert sorted(i for part in expected for i in part) == list(range(13))
    assert all(any({a, b} <= part for part in expected) for a, b in pairs)
    shuffled, ids = [order.choice([(a, b), (b, a)]) for a, b in pairs], list(range(13))
    order.shuffle(shuffled)
    order.shuffle(ids)
    assert components(ids, shuffled) == expected


def test_components_are_no_larger_than_the_pairs_say() -> None:
    assert components([1, 2, 3, 4, 5], [(1, 2), (4, 3)]) == [
        frozenset({1, 2}),
        frozenset({3, 4}),
        frozenset({5}),
    ]


def test_components_of_a_long_chain() -> None:
    assert len(components(range(50_000), [(n, n + 1) for n in range(49_999)])) == 1


def test_canonical_is_the_agencys_own() -> None:
    outlet = story(FERRY, id=1, days=0, agency="Reuters", site="harbourpost.example")
    agency = story(FERRY[:3], id=2, days=1, site="reuters.com")
    assert canonical([outlet, agency]) == 2
    assert canonical([outlet, replace(agency, site="reuters-fans.example")]) == 1


@pytest.mark.parametrize(
    ("site", "agency"),
    [
        ("reuters.com", "Reuters"),
        ("uk.reuters.com", "Reuters"),
        ("apnews.com", "AP"),
        ("dpa-international.com", "dpa"),
        ("xinhuanet.com", "Xinhua"),
        ("ukrinform.ua", "Ukrinform"),
        ("tass.com", "TASS"),
    ],
)
def test_agencies_own_sites(site: str, agency: str) -> None:
    earlier = story(FERRY, id=1, days=-1, agency=agency, site="harbourpost.example")
    assert canonical([earlier, story(FERRY, id=2, site=site)]) == 2


def test_canonical_is_the_earliest_then_the_longest_then_by_url() -> None:
    early, late = story(FERRY[:2], id=1, days=0), story(FERRY, id=2, days=0.1)
    undated = story(FERRY, id=3, days=None)
    assert canonical([undated, late, early]) == 1
    assert canonical([undated, replace(late, published_at=early.published_at), early]) == 2
    same = [replace(early, id=n, url=f"https://{c}.example/") for n, c in ((5, "c"), (6, "a"), (7, "b"))]
    assert {canonical(order) for order in itertools.permutations(same)} == {6}


def test_a_day_without_a_time_is_not_earlier_than_its_own_morning() -> None:
    midnight = NOON.replace(hour=0)
    day_only = replace(story(FERRY, id=1), published_at=midnight)
    at_noon = story(FERRY[:2], id=2)
    day_before = replace(story(FERRY, id=3), published_at=midnight - timedelta(days=1))
    assert canonical([day_only, at_noon]) == 2
    assert canonical([day_only, at_noon, day_before]) == 3
