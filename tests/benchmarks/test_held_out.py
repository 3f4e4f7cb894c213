"""Halves of stories, the choice that one half makes, and scores on the other."""

from __future__ import annotations

from random import Random

from benchmarks.held_out import Counts, chosen_on, halves, held_out, interval, stories_of

# Three stories: 0 and its copy 1 with a look-alike 2, 3 and its copy 4, and 5 with a look-alike 6.
LABELLED = [(0, 1, True), (1, 2, False), (3, 4, True), (5, 6, False)]


def test_documents_that_a_label_joins_are_one_story() -> None:
    stories = stories_of(LABELLED)
    assert [list(story.documents) for story in stories] == [[0, 1, 2], [3, 4], [5, 6]]
    assert [len(story.labelled) for story in stories] == [2, 1, 1]
    assert stories[0].counts([7, 7, 7, 1, 2, 3, 4]) == Counts(right=1, wrong=1, missed=0)
    assert stories[1].counts([7, 7, 7, 1, 2, 3, 4]) == Counts(right=0, wrong=0, missed=1)


def test_no_story_is_in_both_halves() -> None:
    stories = stories_of(LABELLED)
    for split in range(5):
        one, other = halves(stories, Random(split))
        assert sorted(one + other) == [0, 1, 2]
        assert one
        assert other


def test_each_half_is_scored_by_the_choice_of_the_other() -> None:
    """The first story wants the loose choice and the other the strict one: each gets what it did not want."""
    stories = stories_of([(0, 1, True), (0, 1, True), (3, 4, False), (3, 5, True)])
    assert [len(story.labelled) for story in stories] == [2, 2]
    loose, strict = (0.5, 0.7), (0.6, 0.8)
    counts = {
        loose: [Counts(right=2), Counts(right=1, wrong=1)],
        strict: [Counts(missed=2), Counts(right=1)],
    }
    assert (chosen_on(counts, [0]), chosen_on(counts, [1])) == (loose, strict)
    assert held_out(counts, stories, split=1) == [Counts(missed=2), Counts(right=1, wrong=1)]


def test_the_middle_of_the_values() -> None:
    assert interval([float(n) for n in range(1000)]) == (25.0, 975.0)
