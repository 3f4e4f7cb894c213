"""Rules by class, id and role names."""

import pytest

from pipeline.extract.structure.names import token_rule


@pytest.mark.parametrize(
    ("token", "rule"),
    [
        ("post-share-bar", "structure.share"),
        ("shareholder", None),
        ("relatedposts", "structure.related"),
        ("article__read-more", "structure.related"),
        ("read-all-about-it", None),
        ("navigation", "structure.navigation"),
        ("read-more-about-this-very-old-ferry", None),  # an id made of a heading
        ("", None),
        ("---", None),
    ],
)
def test_names_are_read_by_whole_words_stems_and_runs(token: str, rule: str | None) -> None:
    assert token_rule(frozenset({token})) == rule
    assert token_rule(frozenset({token})) == rule  # as it is remembered


def test_a_name_too_long_to_be_remembered_is_read_all_the_same() -> None:
    assert token_rule(frozenset({f"{'x' * 100}-share"})) == "structure.share"
    assert token_rule(frozenset({f"{'x' * 100}-shareholder"})) is None


def test_of_several_names_the_first_in_order_decides() -> None:
    assert token_rule(frozenset({"share", "author"})) == "structure.author"
    assert token_rule(frozenset({"wide", "share", "column"})) == "structure.share"
    assert token_rule(frozenset()) is None
