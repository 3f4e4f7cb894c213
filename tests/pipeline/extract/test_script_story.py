"""Stories that wait in scripts."""

from __future__ import annotations

import json

from pipeline.extract.parse import parse
from pipeline.extract.script_story import BARE_CHARS, markup_in, story_from_scripts
from pipeline.page import segment_page
from tests.pipeline.extract.pages import STORY, about_of

MARKUP = "".join(f"<p>{text}</p>" for text in STORY)


def story_of(html: str) -> list[str] | None:
    story = story_from_scripts(parse(html), about_of(html))
    return None if story is None else [block.text for block in segment_page(story).blocks]


def page(script: str, head: str = "") -> str:
    return f"<html><head>{head}</head><body><div id=app></div><script>{script}</script></body></html>"


def test_markup_in_the_data_of_a_script_is_the_story() -> None:
    data = json.dumps({"page": {"content": MARKUP}}).replace("<", "\\u003c").replace(">", "\\u003e")
    assert story_of(page(f"window.__DATA__ = {data}")) == STORY


def test_json_within_json_is_read() -> None:
    assert story_of(page(f"load({json.dumps(json.dumps({'body': MARKUP}, ensure_ascii=False))})")) == STORY


def test_the_longest_of_several_stories_counts() -> None:
    teaser = "".join(f"<p>{text}</p>" for text in STORY[:2])
    assert story_of(page(json.dumps([teaser, MARKUP, teaser]))) == STORY


def test_the_article_body_of_json_ld_comes_first() -> None:
    stated = json.dumps({"@type": "NewsArticle", "headline": "Harbour", "articleBody": "\n".join(STORY)})
    head = f'<script type="application/ld+json">{stated}</script>'
    assert story_of(page(json.dumps(MARKUP.replace("board", "council")), head)) == STORY


def test_plain_text_is_escaped() -> None:
    body = "\n".join([*STORY, "Fewer than <b> 5 & more"])
    stated = json.dumps({"@type": "NewsArticle", "articleBody": body}).replace("<", "\\u003c")
    found = story_of(page("", f'<script type="application/ld+json">{stated}</script>'))
    assert found is not None
    assert found[-1] == "Fewer than <b> 5 & more"


def test_a_page_whose_scripts_hold_no_story_has_none() -> None:
    assert story_of(page("var a = 1")) is None
    assert story_of(page(json.dumps(f"<p>{'x' * BARE_CHARS}</p>"))) is None  # one paragraph
    assert story_of(page(json.dumps("<p>Too</p><p>short</p>" + " " * 200))) is None


def test_broken_json_is_passed_over() -> None:
    broken = '"' + MARKUP.replace("<p>", "\\x<p>") + '"'
    assert list(markup_in(broken)) == []
    assert list(markup_in(None)) == []
