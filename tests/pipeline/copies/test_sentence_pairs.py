"""Pairs of sentences: equal ones once each, versions of one sentence, and passages inside a text."""

from __future__ import annotations

from pipeline.copies.sentence_pairs import equal_pairs, passage_finder, read_sentences, similar_pairs
from pipeline.copies.word_changes import MIN_RUN, key_of

VOTE = "The council voted on Monday to keep the old ferry for one more winter."
FARES = "Fares will not rise before the spring, the treasurer said."
UNIONS = "Unions promised to fight the plan."


def similar(ours: str, theirs: str) -> dict[int, int]:
    """The similar pairs of two texts in which every sentence is new."""
    one, other = read_sentences(ours), read_sentences(theirs)
    return similar_pairs(one, other, {}, set(range(len(one))), set(range(len(other))))


def test_sentences_without_words_are_left_out() -> None:
    assert [sentence.text for sentence in read_sentences(f"{VOTE}\n* * *\n{FARES}")] == [VOTE, FARES]


def test_equal_sentences_are_paired_in_any_order_and_once_each() -> None:
    ours = read_sentences(f"{VOTE}\n{FARES}\n{VOTE}")
    theirs = read_sentences(f"{FARES}\n{VOTE.upper()}")
    assert equal_pairs(ours, theirs) == {0: 1, 1: 0}
    assert equal_pairs(ours, ours) == {0: 0, 1: 1, 2: 2}
    assert equal_pairs(ours, []) == {}


def test_a_passage_is_found_as_a_sentence_or_as_a_long_run() -> None:
    is_in_text = passage_finder(read_sentences(f"{VOTE}\nNo.\n{FARES}"))
    assert is_in_text(key_of("No."))
    assert is_in_text(key_of("keep the old ferry"))
    assert is_in_text(key_of("more winter. No. Fares will"))  # over the ends of sentences
    assert not is_in_text(key_of("old ferry"))  # fewer than MIN_RUN tokens
    assert not is_in_text(key_of("keep the new ferry"))
    assert len(key_of("old ferry")) < MIN_RUN <= len(key_of("keep the old ferry"))


def test_versions_of_a_sentence_are_paired() -> None:
    changed = VOTE.replace("Monday", "Tuesday").replace("old ferry", "ferry")
    assert similar(f"{FARES}\n{VOTE}", f"{changed}\n{UNIONS}") == {1: 0}


def test_a_shorter_sentence_that_is_held_by_the_longer_is_a_version_of_it() -> None:
    longer = f"{UNIONS[:-1]} when the council meets again at the town hall in the second week of next May."
    assert similar(UNIONS, longer) == {0: 0}
    assert similar("Unions promised.", longer) == {}  # too short to say so


def test_the_most_alike_sentence_is_taken_and_only_once() -> None:
    near, far = VOTE.replace("Monday", "Tuesday"), VOTE.replace("Monday to keep the", "Tuesday to sell its")
    assert similar(VOTE, f"{far}\n{near}") == {0: 1}
    assert similar(f"{far}\n{near}", VOTE) == {1: 0}


def test_one_sentence_of_a_pair_is_new() -> None:
    one, other = read_sentences(VOTE), read_sentences(VOTE.replace("Monday", "Tuesday"))
    assert similar_pairs(one, other, {}, set(), set()) == {}
    assert similar_pairs(one, other, {}, set(), {0}) == {0: 0}
    assert similar_pairs(one, other, {0: 0}, {0}, {0}) == {}  # paired already
