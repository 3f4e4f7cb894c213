"""Learned lines are removed, stay on record, and leave a readable text."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from pipeline.document import Block, BlockKind
from pipeline.sites.learned_lines import (
    LearnedLines,
    is_learnable,
    line_hash,
    remove_learned_lines,
    restore_learned_lines,
)
from pipeline.sites.rules import (
    NO_SITE_RULES,
    Phrase,
    SiteRulebook,
    SiteRules,
    combined_version,
    site_of_version,
)
from pipeline.text import words_key

STORY = "The ferry ran aground outside the harbour before dawn, and all were brought ashore by noon."
LINE = "Become a friend of the bay!"
OTHER = "More of the bay, every morning"


def learned(*lines: str) -> LearnedLines:
    return LearnedLines("post.example", tuple((line_hash(words_key(line)), 9) for line in lines))


def blocks(lines: Sequence[str]) -> list[tuple[int, Block]]:
    return [(2 * n, Block(BlockKind.PARAGRAPH, line)) for n, line in enumerate(lines)]


def test_a_learned_line_is_removed_in_any_spelling() -> None:
    kept, removed = remove_learned_lines(
        blocks([STORY, "— BECOME a friend, of the bay", STORY]), learned(LINE)
    )
    assert [position for position, _ in kept] == [0, 4]
    assert [(r.position, r.text, r.rule) for r in removed] == [
        (2, "— BECOME a friend, of the bay", "site.learned seen in 9 stories")
    ]
    assert remove_learned_lines(blocks([STORY, f"{LINE} Now!"]), learned(LINE))[1] == ()


def test_a_vetoed_line_stays() -> None:
    rules = SiteRules("post", ("post.example",), keep=(Phrase("become a * of the bay"),))
    assert len(remove_learned_lines(blocks([STORY, LINE, OTHER]), learned(LINE, OTHER), rules.keeps)[1]) == 1


def test_a_text_of_mostly_learned_lines_stays_whole() -> None:
    lines = ["No paper on Monday.", LINE, OTHER]
    assert remove_learned_lines(blocks(lines), learned(LINE, OTHER)) == (tuple(blocks(lines)), ())


@given(st.lists(st.sampled_from([STORY, f"{STORY} So it was.", LINE, OTHER]), min_size=1, max_size=12))
def test_learned_lines_can_be_found_in_a_stored_article(lines: list[str]) -> None:
    kept, removed = remove_learned_lines(blocks(lines), learned(LINE, OTHER))
    places = [position for position, _ in kept]
    placed = [(sum(place < r.position for place in places), r.text, r.rule) for r in removed]
    text = "\n".join(block.text for _, block in kept)
    others = [(0, "Register now", "phrase.en.register-now")]
    assert restore_learned_lines(text, [*others, *placed]) == lines


def test_lines_that_are_long_enough() -> None:
    found = {
        line
        for line in ("What we know", "相关新闻", "関連記事をもっと読む", LINE, "1 2 3 4 5 6 7 8", "a b c d")
        if is_learnable(words_key(line))
    }
    assert found == {LINE, "関連記事をもっと読む"}


def test_versions_depend_on_the_lines_and_not_on_their_counts() -> None:
    one, more = learned(LINE), LearnedLines("post.example", ((line_hash(words_key(LINE)), 30),))
    assert one.version == more.version != learned(LINE, OTHER).version
    assert pickle.loads(pickle.dumps(one)) == one
    book, site = SiteRulebook(learned=(one,)), "post.example"
    version = book.version("2-abc", site)
    assert version == f"2-abc~{one.version}"
    assert book.version("2-abc", "news.post.example") == "2-abc"
    assert not book.is_outdated(version, "2-abc", site)
    for other in (NO_SITE_RULES, SiteRulebook(learned=(learned(OTHER),))):
        assert other.is_outdated(version, "2-abc", site)
        assert not other.is_outdated_but_for_learning(version, "2-abc", site)
        assert not other.is_outdated_rejection(version, "2-abc", site)
    assert book.is_outdated_but_for_learning(version, "2-new", site)
    rules = SiteRules("post", (site,), drop=("b",))
    both = combined_version("2-abc", rules, one, is_take_ignored=True)
    assert site_of_version(both) == ("post", True)
    assert not SiteRulebook((rules,), (one,)).is_outdated(both, "2-abc", site)
    assert SiteRulebook((rules,)).is_outdated(both, "2-abc", site)
    assert not SiteRulebook((rules,)).is_outdated_but_for_learning(both, "2-abc", site)
    assert SiteRulebook().is_foreign(both, site)
    kept = SiteRules("post", (site,), keep=(Phrase(LINE),))
    assert kept.version
    assert SiteRulebook((kept,), (one,)).is_outdated(version, "2-abc", site)
