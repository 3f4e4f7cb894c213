"""The parser: any input gives a tree or a rejection."""

from __future__ import annotations

import pytest
from lxml import etree

from pipeline.document import DocumentRejected, Reason
from pipeline.extract.parse import parse


def shown(html: str) -> str:
    return " ".join("".join(parse(html).itertext()).split())


def test_a_page_becomes_a_tree_without_comments() -> None:
    root = parse("<!-- a --><html><body><p>One<!-- b --> <?php c ?>two</p></body></html>")
    assert root.tag == "html"
    assert "".join(root.itertext()) == "One two"


@pytest.mark.parametrize("html", ["", " \n\t", "<!-- nothing -->"])
def test_a_page_without_an_element_is_rejected_as_empty(html: str) -> None:
    with pytest.raises(DocumentRejected) as caught:
        parse(html)
    assert caught.value.reason is Reason.EMPTY


@pytest.mark.parametrize(
    "char", ["\x0b", "\x0c", "\ufffe", "\uffff", "&#11;", "&#x0c;", "&#0012;", "&#xFFFE;", "&#1"]
)
def test_the_tree_can_be_written_again(char: str) -> None:
    root = parse(f"<p title='a{char}b'>one{char} two</p>")
    assert shown(f"<p>one{char} two</p>") == "one two"
    etree.fromstring(etree.tostring(root))


def test_references_to_plain_characters_stay() -> None:
    assert shown("<p>&#65;&#10;&#x41; &#113; &#x1f600;</p>") == "A A q 😀"


def test_lone_surrogates_do_no_harm() -> None:
    assert shown("<p>a\ud800b</p>") == "a?b"


def test_deep_nesting_does_no_harm() -> None:
    assert shown("<p>seen</p>" + "<div>" * 50_000 + "deep").startswith("seen")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hafen&shy;be\u00adhörde &#173;und&#xAD; Kai</p>", "Hafenbehörde und Kai"),
        ("<p>\ufeffOne&#8203; two&ZeroWidthSpace;\u2060 three&rlm;&#x200f;</p>", "One two three"),
        ("<p>می\u200cخواهم، می&zwnj;روم</p>", "می\u200cخواهم، می\u200cروم"),
        ("<p>Auf&zwnj;lage, Auf&#8204;lage</p>", "Auflage, Auflage"),
        ("<p>👩\u200d🚒 &amp;shy;</p>", "👩\u200d🚒 &shy;"),
    ],
)
def test_characters_that_show_nothing_are_not_in_the_tree(html: str, text: str) -> None:
    assert shown(html) == text


def test_a_tag_of_very_many_attributes_loses_them() -> None:
    """libxml2 would take seconds for these, and two minutes for 300,000."""
    attributes = " ".join(f"a{n}" for n in range(40_000))
    root = parse(f'<p>One</p><p {attributes}>two</p><p class="x">three</p>')
    assert [dict(element.attrib) for element in root.iter("p")] == [{}, {}, {"class": "x"}]
    assert "".join(root.itertext()) == "Onetwothree"
