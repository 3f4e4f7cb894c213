"""Tags with very many attributes."""

from __future__ import annotations

import pytest

from crawler.discovery.attributes import MOST_ATTRIBUTES, without_excessive_attributes

ATTRIBUTES = {
    "plain": "a{}=1",
    "without values": "a{}",
    "quoted": 'a{}=">"',
    "in single quotes": "a{}='<b>'",
    "with blanks": "a{} = 1",
    "with stray marks": 'a{}" =',
    "with tags in values": "a{}=1<x",
}


@pytest.mark.parametrize("form", ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_a_tag_with_very_many_attributes_loses_them(form: str) -> None:
    attributes = " ".join(form.format(n) for n in range(MOST_ATTRIBUTES + 1))
    page = f'<p>Before</p><a {attributes}>text</a><p class="x">After</p>'.encode()
    assert without_excessive_attributes(page).startswith(b"<p>Before</p><a")
    assert without_excessive_attributes(page).endswith(b'>text</a><p class="x">After</p>')
    assert len(without_excessive_attributes(page)) < 100


def test_any_other_tag_stays() -> None:
    attributes = " ".join(f"a{n}=1" for n in range(MOST_ATTRIBUTES))
    values = f'<img src="data:image/png;base64,{"A" * 300_000}" srcset="{"a.png 1x, " * 9000}">'
    for page in (f"<a {attributes}>text</a>", values, "<p>1 < 2 and 3 > 2</p>" * 2000, "<" * 5000):
        assert without_excessive_attributes(page.encode()) == page.encode()
