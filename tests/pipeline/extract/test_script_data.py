"""Texts in the data of scripts: markup in strings, JSON within JSON, and lists of paragraphs."""

from __future__ import annotations

import json

import pytest

from pipeline.extract.script_data import element_lists_in, markup_in, paragraph_lists_in, pushed_rows
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


PARAGRAPHS = "".join(f"<p>{text}</p>" for text in STORY)


def element(tag: str, *children: object) -> list[object]:
    """An element as Next.js writes it."""
    return [
        "$",
        tag,
        None,
        {"className": "x", "children": children[0] if len(children) == 1 else [*children]},
    ]


def test_paragraphs_of_a_tree_of_elements_are_found_in_pieces_that_are_cut_anywhere() -> None:
    words = STORY[0].split(" ", 3)
    linked = element("p", f"{words[0]} {words[1]} ", element("a", words[2]), " ", element("b", words[3]))
    story = element("div", linked, *(element("div", element("p", text)) for text in STORY[1:]), "$L7", None)
    row = f"2:{json.dumps(element('main', element('$L4', story)))}\n3:null\n"
    rows = pushed_rows([f"(self.__next_f=[]).push([0]);{pushed(row[:500])}", pushed(row[500:])])
    assert [found for row in rows for found in element_lists_in(row)] == [PARAGRAPHS]


def test_a_text_that_was_pushed_has_its_length_in_bytes_before_it() -> None:
    markup = MARKUP + "<p>Zoë said “no”.</p>"
    text = f"1:null\n1a:T{len(markup.encode()):x},{markup}2:[1]\n3:[2]"
    rows = list(pushed_rows([pushed(text[:300]), pushed(text[300:])]))
    assert rows == ["null", json.dumps(markup), "[1]", "[2]"]
    assert list(markup_in(rows[1])) == [markup]
    assert list(pushed_rows([pushed("1:Tffff,<p>cut off</p>")])) == [json.dumps("<p>cut off</p>")]
    assert list(pushed_rows([pushed("no row")])) == []


def test_what_is_no_paragraph_in_a_tree_of_elements_is_left_out() -> None:
    menu = element("ul", *(element("li", name) for name in ("News", "Sport")))
    page = element(
        "div", element("p", "$undefined"), element("p", "$$3 was paid to them"), element("p", "a < b c")
    )
    assert list(element_lists_in(json.dumps(menu))) == []
    assert list(element_lists_in(json.dumps(page))) == ["<p>$3 was paid to them</p><p>a &lt; b c</p>"]
    for row in ('["$", broken', 'I[1,"$"]', '"$"', ""):
        assert list(element_lists_in(row)) == []


def test_a_tree_without_end_of_depth_gives_nothing() -> None:
    deep: list[object] = element("p", STORY[0])
    for _ in range(150):
        deep = element("main", deep, deep[:0])
    assert list(element_lists_in(json.dumps(deep))) == []


def flat(elements: list[object]) -> str:
    """A list of paragraphs as Nuxt 3 writes it: each value by its place."""
    data: list[object] = [["ShallowReactive", 1]]

    def place(value: object) -> int:
        at = len(data)
        data.append(None)
        if isinstance(value, dict):
            data[at] = {key: place(inner) for key, inner in value.items()}
        elif isinstance(value, list):
            data[at] = [place(inner) for inner in value]
        else:
            data[at] = value
        return at

    place({"data": {"story": {"title": "Board votes", "body": elements, "tags": ["harbour", "dredging"]}}})
    return json.dumps(data)


@pytest.mark.parametrize(
    "elements",
    [
        [{"type": "text", "content": text} for text in STORY],
        [{"_type": "block", "children": [{"text": text[:20]}, {"text": text[20:]}]} for text in STORY],
        [*STORY],
    ],
)
def test_a_list_of_paragraphs_by_place_is_found(elements: list[object]) -> None:
    assert list(paragraph_lists_in(flat(elements))) == [PARAGRAPHS]


def test_a_flat_list_that_names_itself_comes_to_an_end() -> None:
    data = [["ShallowReactive", 1], [1, 1, 1, 1], {"text": 2}, [2, 3, 99, -1], [*[1] * 5000], "x"]
    assert list(paragraph_lists_in(json.dumps(data))) == []
