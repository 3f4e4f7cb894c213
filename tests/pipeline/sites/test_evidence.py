"""Evidence that a line is boilerplate of its site, and evidence that it is not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sites.evidence import (
    ArticleLines,
    RepeatedLine,
    find_repeated_lines,
    flag_shared_lines,
    line_codes,
    registered_domain,
    short_line_hash,
    title_key,
)
from pipeline.sites.learned_lines import line_hash
from pipeline.text import words_key

LABEL = "All the news of the bay"
SENTENCE = "Nobody was hurt in the harbour."


def key(line: str) -> int:
    return short_line_hash(line_hash(words_key(line)))


def own(number: int, count: int = 12) -> list[str]:
    """Lines that no other article has."""
    return [
        f"Sentence {n} of article {number} says what happened to ship {n * 1000 + number}."
        for n in range(count)
    ]


def block(*articles: Sequence[str]) -> list[ArticleLines]:
    """Each article is a story of its own."""
    return [ArticleLines(n, n, 0, line_codes(lines)) for n, lines in enumerate(articles)]


def site(having: int, of: int, line: str, at: int) -> list[ArticleLines]:
    """So many stories. The first of them have the line, before their line number `at`."""
    lines = [own(n) for n in range(of)]
    for one in lines[:having]:
        one.insert(at, line)
    return block(*lines)


def is_learned(sightings: Sequence[ArticleLines], line: str) -> bool:
    seen = find_repeated_lines(sightings).get(key(line))
    return seen is not None and seen.stories > 0 and not seen.is_shared


@pytest.mark.parametrize(
    ("line", "at", "having", "least"),
    [
        (LABEL, 6, 3, None),  # too few, however many stories there are
        (LABEL, 6, 4, 12),
        (LABEL, 6, 20, 90),
        (SENTENCE, 12, 4, 8),
        (SENTENCE, 12, 20, 55),
        (SENTENCE, 0, 20, 55),
        (SENTENCE, 6, 4, None),  # within the text, four of four are too little evidence
        (SENTENCE, 6, 5, 6),
        (SENTENCE, 6, 20, 28),
        ("Ferry Harbour Tunnel", 6, 20, None),  # a label of three words
        ("12 30 14 30 Harbour 16 30", 6, 20, None),  # a row of a table
    ],
)
def test_the_number_of_stories_that_a_line_needs(line: str, at: int, having: int, least: int | None) -> None:
    """least: the number of stories from which on they are too few; None: always."""
    if least is None:
        assert not is_learned(site(having, having, line, at), line)
        return
    assert is_learned(site(having, least - 1, line, at), line)
    assert not is_learned(site(having, least, line, at), line)


def test_figures_and_punctuation() -> None:
    many = [
        [*own(n), f"Tell us more: call {n} in the harbour", "— BECOME a friend, of the bay!"]
        for n in range(9)
    ]
    seen = find_repeated_lines(block(*many))
    assert set(seen) == {key("Become a friend of the bay")}
    assert seen[key("become a friend of the bay")] == RepeatedLine(9, tuple(range(9)), False)


def test_articles_made_of_set_phrases_are_no_evidence() -> None:
    """Nothing is learned from a weekly report that repeats its sentences."""
    report = ["Prices were steady at the market.", "Buyers waited for the weekend.", "Supply was as ever."]
    weekly = [[*report, f"The index closed at {n}."] for n in range(30)]
    assert find_repeated_lines(block(*weekly, *(own(100 + n) for n in range(10)))) == {}


def test_editions_and_copies_are_one_story() -> None:
    lines = [[*own(n), LABEL] for n in range(8)]
    sightings = block(*lines)
    assert find_repeated_lines(sightings)[key(LABEL)].stories == 8
    groups = [ArticleLines(s.article_id, s.article_id // 4, 0, s.lines) for s in sightings]
    assert not is_learned(groups, LABEL)
    titles = [title_key(f"Prices at the market on day {n // 3}") for n in range(8)]
    editions = [
        ArticleLines(s.article_id, s.group_id, t, s.lines) for s, t in zip(sightings, titles, strict=True)
    ]
    assert not is_learned(editions, LABEL)
    # The group joins 0 and 4, 1 and 5, …; the headline 0 and 1, 2 and 3. Together they make two stories.
    both = [
        ArticleLines(s.article_id, s.article_id % 4, s.article_id % 4 // 2 + 1, s.lines) for s in sightings
    ]
    assert not is_learned(both, LABEL)
    assert title_key("The Harbour Post") != 0
    assert title_key("Harbour 2026") == 0


def test_a_line_that_a_different_outlet_has_in_a_copy_is_shared() -> None:
    ours, theirs, sister = [*own(1), SENTENCE, LABEL], [*own(1), SENTENCE], [*own(1), LABEL]
    copies = [
        ("post.example", line_codes(ours)),
        ("herald.example", line_codes(theirs)),
        ("amp.post.example", line_codes(sister)),
    ]
    (marked, *_) = flag_shared_lines(copies)
    sightings = [ArticleLines(99, 99, 0, marked), *site(9, 9, SENTENCE, 12)]
    assert find_repeated_lines(sightings)[key(SENTENCE)].is_shared
    assert not find_repeated_lines([*sightings, *site(0, 2, LABEL, 0)]).get(key(LABEL))
    few = find_repeated_lines([ArticleLines(1, 1, 0, marked)], known=[key(SENTENCE), key(LABEL)])
    assert few == {key(SENTENCE): RepeatedLine(0, (1,), True)}
    assert np.array_equal(flag_shared_lines([("post.example", marked)])[0], line_codes(ours)), (
        "alone it shares nothing"
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("post.example", "amp.post.example", True),
        ("news.post.co.uk", "sport.post.co.uk", True),
        ("post.co.uk", "herald.co.uk", False),
        ("post.de", "regional.post.de", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("localhost", "localhost", True),
    ],
)
def test_hosts_of_one_outlet(one: str, other: str, same: bool) -> None:
    assert (registered_domain(one) == registered_domain(other)) == same


@given(st.permutations(range(12)), st.sets(st.integers(0, 11)))
def test_the_order_of_articles_does_not_matter(order: list[int], with_label: set[int]) -> None:
    articles = [[*own(n), *([LABEL] if n in with_label else []), SENTENCE] for n in range(12)]
    sightings = block(*articles)
    assert find_repeated_lines([sightings[n] for n in order]) == find_repeated_lines(sightings)
