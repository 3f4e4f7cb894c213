"""Other figures and other names in the same places, and what is no conflict."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable
from difflib import SequenceMatcher
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies import conflicts
from pipeline.copies.conflicts import Conflicts, alignable, count_respelt, find_conflicts, is_respelt
from pipeline.copies.shingles import shingles
from pipeline.copies.tokens import spelling, tokens
from tests.pipeline.copies.stories import FERRY, RIVAL, edited

TEXT = "\n".join(FERRY)
# As many figures as a table has, with a label to each.
TABLE = "\n".join(f"{name} wheat {n * 311 + 40} tonnes against {n * 97 + 12}" for n, name in enumerate(
    ("Soft", "Hard", "Durum", "Spring", "Winter", "Milling", "Feed", "Seed"), 1))  # fmt: skip


def between(
    one: str, other: str, enough: Callable[[int, int], bool] = lambda differ, most: False
) -> Conflicts:
    ours, theirs = tokens(one), tokens(other)
    hashes, their_hashes = (shingles(spelling(found), 3, 8) for found in (ours, theirs))
    return find_conflicts(alignable(ours, hashes, one), alignable(theirs, their_hashes, other), enough)


def test_a_text_agrees_with_itself() -> None:
    found = between(TEXT, TEXT)
    assert found.figures > 5
    assert found.names > 5
    assert (found.figures_differ, found.names_differ) == (0, 0)


def test_a_table_issued_again_has_other_figures_beside_the_same_labels() -> None:
    again = re.sub(r"\d+", lambda match: str(int(match[0]) + 7), TABLE)
    found = between(TABLE, again)
    assert (found.figures, found.figures_differ) == (16, 16)
    assert found.names_differ == 0


def test_no_more_is_aligned_than_is_enough() -> None:
    again = re.sub(r"\d+", lambda match: str(int(match[0]) + 7), TABLE)
    asked = []

    def enough(differ: int, most: int) -> bool:
        asked.append((differ, most))
        return differ >= 3

    assert between(TABLE, again, enough) == Conflicts(16, 3)
    assert asked[-1] == (3, 16)
    assert between(TABLE, TABLE, enough) == between(TABLE, TABLE)


@pytest.mark.parametrize(
    ("old", "new", "differ"),
    [
        ("146 jobs", "152 jobs", (1, 0)),
        ("Ines Moreau", "Ida Marchand", (0, 1)),
        ("Tomas Lindqvist", "Tomas Berg", (0, 1)),
        ("146 jobs lost", "many jobs lost", (0, 0)),
        ("leader Tomas Lindqvist", "leader", (0, 0)),
    ],
)
def test_a_correction_is_one_conflict(old: str, new: str, differ: tuple[int, int]) -> None:
    found = between(TEXT, "\n".join(edited(FERRY, old, new)))
    assert (found.figures_differ, found.names_differ) == differ


def test_a_name_is_counted_once_however_often_and_however_fully_it_is_written() -> None:
    text = "Yesterday Ada Lind spoke to the council. The members thanked Lind for the report, and Lind left."
    assert between(text, text.replace("Ada Lind", "Eva Berg").replace("Lind", "Berg")).names_differ == 1


@pytest.mark.parametrize(
    ("word", "other", "expected"),
    [
        ("Kiev", "Kyiv", True),
        ("Odessa", "Odesa", True),
        ("Kharkov", "Kharkiv", True),
        ("Zelensky", "Zelenskiy", True),
        ("Gaddafi", "Qaddafi", True),
        ("Márquez", "Marques", True),
        ("Brennock", "Carvane", False),
        ("Lind", "Berg", False),
        ("Peking", "Beijing", False),
        ("Rada", "Radio Nederland", False),
        ("Li", "Le", False),
        ("Зеленский", "Зеленски", True),
        ("Лукашенко", "Лукашэнка", True),
        ("Байден", "Бајден", True),
        ("Киев", "Минск", False),
        ("Таврово", "Галкино", False),
        ("Ζελένσκι", "Ζελένσκυ", True),
        ("Τζόνσον", "Τζόνσων", True),
        ("Λάρισα", "Πάτρα", False),
    ],
)
def test_names_in_two_spellings(word: str, other: str, expected: bool) -> None:
    assert is_respelt(word, other) is is_respelt(other, word) is expected


def test_names_in_another_spelling_are_no_conflict_wherever_they_stand() -> None:
    text = "Envoys left Kiev by train on Friday and reached Odessa; those from Kharkov met Moreau in Lvov."
    again = text
    for name, other in (("Kiev", "Kyiv"), ("Odessa", "Odesa"), ("Kharkov", "Kharkiv"), ("Lvov", "Lviv")):
        again = again.replace(name, other)
    assert between(text, again) == Conflicts(0, 0, 7, 0)
    assert between(text, again.replace("Moreau", "Berg")).names_differ == 1
    assert between(text, again.replace("Kyiv", "Bern")).names_differ == 1


_RUSSIAN = """
Компания Волна объявила во вторник, что её директор Иван Петров посетит Воронеж и Самару в конце месяца.
По словам представителя Ольги Беловой, встреча с губернатором Орловой пройдёт в здании администрации.
Предприятие намерено построить завод в Туле и нанять 300 рабочих, сообщил Петров, а мэр Громов это подтвердил.
"""
_GREEK = """
Η εταιρεία Αιγαίο ανακοίνωσε την Τρίτη ότι ο διευθυντής της Νίκος Μαυράκης θα επισκεφθεί τη Λάρισα και
τον Βόλο στο τέλος του μήνα. Σύμφωνα με την εκπρόσωπο Ιωάννου, η συνάντηση με τον δήμαρχο Βασιλείου θα
γίνει στο δημαρχείο. Η επιχείρηση χτίζει εργοστάσιο στην Πάτρα, είπε ο Μαυράκης, και πωλεί αυτό στη Δράμα.
"""


@pytest.mark.parametrize(
    ("text", "others"),
    [
        (
            _RUSSIAN,
            "Волна Нива Петров Соколов Воронеж Саратов Самару Уфу Беловой Чёрной Орловой Галкиной Туле Перми"
            " Громов Дождев",
        ),
        (
            _GREEK,
            "Αιγαίο Ιόνιο Μαυράκης Σταύρου Λάρισα Ρόδο Βόλο Πύργο Ιωάννου Πέτρου Βασιλείου Οικονόμου Πάτρα"
            " Καβάλα Δράμα Σπάρτη",
        ),
    ],
    ids=["Cyrillic", "Greek"],
)
def test_names_conflict_in_every_script_with_capitals(text: str, others: str) -> None:
    old, new = others.split()[::2], others.split()[1::2]
    again = text
    for name, other in zip(old, new, strict=True):
        again = again.replace(name, other)
    assert between(text, again).names_differ == 8
    assert between(text, text.replace(old[1], new[1])).names_differ == 1


def test_passages_that_say_different_things_do_not_conflict() -> None:
    lead = (
        "Eleven trawlers of Westerby stayed in port on 3 of 5 days in April, skippers of the town said. " * 3
    )
    found = between(f"{lead}\n" + "\n".join(FERRY[2:]), TEXT)
    assert (found.figures_differ, found.names_differ) == (0, 0)
    assert between(TEXT, RIVAL).names_differ == 0


# Few different words, so that shingles recur, and long enough for passages that are not aligned.
_TEXTS = st.lists(st.integers(1, 8), max_size=40) | st.lists(st.integers(1, 16))


@given(_TEXTS, _TEXTS, st.randoms(use_true_random=False))
def test_anchors_are_found_as_one_by_one(one: list[int], other: list[int], chance: Random) -> None:
    """The plain way: the shingles that stand once in both, and the passages from anchor to anchor."""
    other = one[: chance.randint(0, len(one))] + other + one[chance.randint(0, len(one)) :]
    ours, theirs = (tokens(" ".join(chr(96 + word) for word in words)) for words in (one, other))
    hashes, their_hashes = (shingles(spelling(found), 3, 8) for found in (ours, theirs))
    runs = conflicts._anchor_runs(alignable(ours, hashes, ""), alignable(theirs, their_hashes, ""))
    anchors = [(start + n, there + n) for start, there, length in runs for n in range(length)]

    times, their_times = Counter(hashes.tolist()), Counter(their_hashes.tolist())
    places = [
        (n, their_hashes.tolist().index(shingle))
        for n, shingle in enumerate(hashes.tolist())
        if times[shingle] == their_times[shingle] == 1
    ]
    assert anchors == conflicts._rising(places)

    singly = [(a, b, 1) for a, b in anchors]
    assert list(conflicts._passages(one, other, runs)) == list(conflicts._passages(one, other, singly))


@given(_TEXTS, _TEXTS)
def test_words_are_aligned_as_by_difflib(one: list[int], other: list[int]) -> None:
    """Passages without a word in common are not aligned, which changes nothing."""
    found = list(conflicts._between(one, other, (0, len(one), 0, len(other))))
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    if found:
        assert found == [(kind == "equal", (a, b, c, d)) for kind, a, b, c, d in blocks]
    else:
        same = sum(b - a for kind, a, b, _, _ in blocks if kind == "equal")
        is_alike = same >= 0.35 * min(len(one), len(other)) and same
        assert not blocks or (max(len(one), len(other)) > 15 and not is_alike)


def test_no_words() -> None:
    assert between("", TEXT) == between(TEXT, "") == between("", "") == Conflicts()


def test_names_are_counted_that_another_text_spells_in_its_own_way() -> None:
    assert count_respelt(["Kiev", "Gaddafi", "Marlow"], ["Kyiv", "Qaddafi", "Harlow", "Ferry"]) == 2


def test_very_many_and_very_long_names_are_not_compared() -> None:
    """Pages choose their words: thousands of one sound, and one of a hundred thousand letters."""
    vowels = ["B" + "".join(letters) for letters in itertools.product("aeiou", repeat=5)]
    assert count_respelt(vowels, vowels) == 0
    assert count_respelt(vowels[:60], vowels) == 60
    assert not is_respelt("B" + "a" * 100_000, "B" + "e" * 100_000)
