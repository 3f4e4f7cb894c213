"""Tags with very many attributes."""

from __future__ import annotations

import time

import pytest

from pipeline.page.attributes import MOST_ATTRIBUTES, without_excessive_attributes

ATTRIBUTES = {
    "plain": "a{}=1",
    "without values": "a{}",
    "quoted": 'a{}=">"',
    "in single quotes": "a{}='<b>'",
    "with blanks": "a{} = 1",
    "with stray marks": 'a{}" =',
    "with tags in values": "a{}=1<x",
    "with the beginning of tags": "a{}< b{}</",
}


@pytest.mark.parametrize("form", ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_a_tag_with_very_many_attributes_loses_them(form: str) -> None:
    attributes = " ".join(form.format(n, n) for n in range(MOST_ATTRIBUTES + 1))
    page = f'<p>Before</p><a {attributes}>text</a><p class="x">After</p>'.encode()
    assert without_excessive_attributes(page).startswith(b"<p>Before</p><a")
    assert without_excessive_attributes(page).endswith(b'>text</a><p class="x">After</p>')
    assert len(without_excessive_attributes(page)) < 100


def test_any_other_tag_stays() -> None:
    attributes = " ".join(f"a{n}=1" for n in range(MOST_ATTRIBUTES))
    values = f'<img src="data:image/png;base64,{"A" * 300_000}" srcset="{"a.png 1x, " * 9000}">'
    for page in (f"<a {attributes}>text</a>", values, "<p>1 < 2 and 3 > 2</p>" * 2000, "<" * 5000):
        assert without_excessive_attributes(page.encode()) == page.encode()


def test_a_long_value_between_attributes_hides_none() -> None:
    attributes = " ".join(f"a{n}" for n in range(900))
    page = f'<a {attributes} b="{"y>" * 100_000}" {attributes.upper()}>text</a>'
    assert without_excessive_attributes(page.encode()) == b"<a>text</a>"


def test_quotation_marks_in_comments_hide_no_tag() -> None:
    attributes = " ".join(f"a{n}" for n in range(MOST_ATTRIBUTES + 1))
    page = f"<!-- <a b=' --><p {attributes}>text</p><!-- ' -->"
    assert without_excessive_attributes(page.encode()) == b"<!-- <a b=' --><p>text</p><!-- ' -->"


def test_the_end_of_a_script_stays() -> None:
    words = "word " * (MOST_ATTRIBUTES + 1)
    page = f'<script>"if a <b then {words}"</script><p>Text'
    assert without_excessive_attributes(page.encode()).endswith(b"</script><p>Text")


@pytest.mark.parametrize(
    "hostile",
    [
        b"<a " * 900 + b'"' + b"y" * 400_000,
        b"<a b" + b" " * 3000,
        b"<a b='" + b'<a b="',
        b"<a<</",
        b"<a b=\"<c d='<e f",
        b"<",
    ],
)
def test_time_is_linear(hostile: bytes) -> None:
    """A quadratic expression takes 16 times as long for four times the text."""

    def seconds(page: bytes) -> float:
        began = time.thread_time()
        without_excessive_attributes(page)
        return time.thread_time() - began

    page = hostile * max(1, 150_000 // len(hostile))
    once = min(seconds(page) for _ in range(3))
    assert min(seconds(page * 4) for _ in range(3)) < 10 * once + 0.02
