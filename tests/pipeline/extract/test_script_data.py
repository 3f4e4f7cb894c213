"""Texts in the data of scripts: markup in strings, JSON within JSON, and lists of paragraphs."""

from __future__ import annotations

import json

import pytest

from pipeline.extract.script_data import markup_in, paragraph_lists_in
from tests.pipeline.extract.pages import STORY

MARKUP = "".join(f'<p class="text">{text}</p>' for text in STORY)


def escaped(data: object) -> str:
    """JSON as frameworks write it into a page."""
    return json.dumps(data).replace("<", "\\u003c").replace(">", "\\u003e").replace("/", "\\/")


def pushed(text: str) -> str:
    """A piece of a page's data as Next.js writes it."""
    return f"self.__next_f.push([1,{json.dumps(text)}])"


@pytest.mark.parametrize(
    "script",
    [
        json.dumps({"page": {"content": MARKUP}}),
        f"window.__DATA__ = {escaped({'page': {'content': MARKUP}})};",
        f'load("a", {json.dumps(json.dumps({"body": MARKUP}, ensure_ascii=False))}, "b")',
        f"load({escaped(escaped({'body': MARKUP}))})",
        pushed("1a:" + MARKUP[:300]) + pushed(MARKUP[300:]),
    ],
)
def test_markup_in_strings_is_found_as_it_was(script: str) -> None:
    assert list(markup_in(script)) == [MARKUP]


def test_escapes_of_the_inner_json_are_read() -> None:
    markup = "<p>Zoë said “no”.</p><p>The café closed — at 5.</p>"
    inner = json.dumps({"html": markup})
    assert "\\u2014" in inner
    assert list(markup_in(f"var state = {json.dumps(inner)}")) == [markup]


def test_broken_json_is_passed_over() -> None:
    assert list(markup_in('"' + MARKUP.replace("<p", "\\x<p") + '"')) == []
    assert list(markup_in(None)) == []
    assert list(markup_in("var a = '/page'")) == []


def test_an_unclosed_string_ends_with_the_script() -> None:
    assert list(markup_in('var a = "<p>one</p><p>two</p>')) == []


@pytest.mark.parametrize(
    "elements",
    [
        [{"type": "text", "content": text} for text in STORY],
        [{"__typename": "Paragraph", "content": {"html": f"<p>{text}</p>"}} for text in STORY],
        [{"_type": "block", "children": [{"text": text[:20]}, {"text": text[20:]}]} for text in STORY],
        [*STORY],
    ],
)
def test_a_list_of_paragraphs_is_found(elements: list[object]) -> None:
    script = f"window.Fusion = {json.dumps({'story': {'elements': elements}})};"
    assert list(paragraph_lists_in(script)) == ["".join(f"<p>{text}</p>" for text in STORY)]


def test_lists_in_json_within_json_are_found() -> None:
    inner = json.dumps({"body": [{"type": "text", "content": text} for text in STORY]})
    assert list(paragraph_lists_in(json.dumps({"state": inner}))) == ["".join(f"<p>{t}</p>" for t in STORY)]


def test_pictures_between_paragraphs_are_left_out_and_headings_are_headings() -> None:
    elements = [
        {"type": "text", "content": STORY[0]},
        {"type": "image", "content": "A boat at the pier"},
        {"type": "header", "content": "What comes next"},
        {"type": "text", "content": STORY[1]},
    ]
    (found,) = paragraph_lists_in(json.dumps({"elements": elements}))
    assert found == f"<p>{STORY[0]}</p><h2>What comes next</h2><p>{STORY[1]}</p>"


@pytest.mark.parametrize(
    "data",
    [
        {"related": [{"title": "A story", "text": text, "url": "/1"} for text in STORY]},
        {"labels": ["Log in", "Sign up now", "Read more stories", *STORY[:1]]},
        {"names": [{"name": "a"}, {"name": "b"}]},
        "text",
    ],
)
def test_teasers_and_labels_are_no_paragraphs(data: object) -> None:
    assert list(paragraph_lists_in(json.dumps(data))) == []


def test_scripts_that_are_no_json_have_no_lists() -> None:
    assert list(paragraph_lists_in("function f() { return [1] }")) == []
    assert list(paragraph_lists_in("var a = {b: 1}")) == []
    assert list(paragraph_lists_in(None)) == []
