"""Stories in scripts, of which a page shows nothing or only the beginning."""

from __future__ import annotations

import json

import pytest

from pipeline.extract.parse import parse
from pipeline.extract.script_story import BARE_CHARS, story_from_scripts
from pipeline.page import segment_page
from tests.pipeline.extract.pages import STORY, about_of

MORE = [
    "The board's chairman, Odd Lien, called the vote a relief. He had asked for the work in each of the last "
    "nine years, he said, and had been told each time that the channel was deep enough for swans.",
    "Two members voted against the plan. They wanted the money to go to the breakwater, which lost eleven "
    "metres in the storm of January and has been closed to walkers since.",
    "Work is to begin after the herring season. The dredger will come from the yard at Tessary, where it has "
    "been under repair since it met a submerged tractor.",
    "Fishermen at the quay were cautious on Thursday. Most said that they would believe it when the first "
    "bucket of mud was on the barge, and some that even then it might be another tractor.",
]
WHOLE = [*STORY, *MORE]
MARKUP = "".join(f"<p>{text}</p>" for text in WHOLE)
OTHER = [
    "The town library will lend drills, sewing machines and a dehydrator from Monday, and anybody with a "
    "reader's card may take them home for two weeks at a time, its director said.",
    "The idea came from a holiday, she said, and the first to borrow was a man who wanted to hang a picture "
    "of his mother and did not own so much as a hammer to do it with.",
]


def story_of(html: str) -> list[str] | None:
    root = parse(html)
    story = story_from_scripts(root, segment_page(root), about_of(html))
    return None if story is None else [block.text for block in segment_page(story).blocks]


def page(script: str, *shown: str, head: str = "") -> str:
    body = "".join(f"<p>{text}</p>" for text in shown)
    headline = "<h1>Board votes to dredge eastern channel</h1>" if shown else ""
    return f"<html><head>{head}</head><body>{headline}{body}<script>{script}</script></body></html>"


def stated(body: str) -> str:
    data = {"@type": "NewsArticle", "headline": "Board votes to dredge eastern channel", "articleBody": body}
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'.replace("<b>", "\\u003cb>")


def test_a_page_that_shows_nothing_has_its_story_in_a_script() -> None:
    assert story_of(page(f"window.__DATA__ = {json.dumps({'content': MARKUP})}")) == WHOLE


def test_the_longest_of_several_stories_counts() -> None:
    teaser = "".join(f"<p>{text}</p>" for text in STORY[:2])
    assert story_of(page(json.dumps([teaser, MARKUP, teaser]))) == WHOLE


@pytest.mark.parametrize("shown", [STORY[:1], STORY, [*STORY, *OTHER[:1]]])
@pytest.mark.parametrize(
    ("script", "head"),
    [
        (json.dumps({"content": MARKUP}), ""),
        (json.dumps(json.dumps({"content": MARKUP})), ""),
        (f"window.S = {json.dumps({'elements': [{'type': 'text', 'content': text} for text in WHOLE]})}", ""),
        ("", stated("\n\n".join(WHOLE))),
        ("", stated(MARKUP)),
        ("", stated(MARKUP.replace("<", "&lt;").replace(">", "&gt;"))),
    ],
)
def test_a_page_that_shows_the_beginning_has_the_rest_in_a_script(
    script: str, head: str, shown: list[str]
) -> None:
    assert story_of(page(script, *shown, head=head)) == WHOLE


def test_paragraphs_of_a_script_are_preferred_to_the_plain_text_of_json_ld() -> None:
    html = page(json.dumps({"content": MARKUP}), *STORY, head=stated(" ".join(WHOLE)))
    assert story_of(html) == WHOLE


@pytest.mark.parametrize(
    ("joint", "pieces"),
    [("", len(WHOLE)), ("   ", len(WHOLE)), ("\u00a0 ", len(WHOLE))],
)
def test_plain_text_is_cut_where_its_paragraphs_were_joined(joint: str, pieces: int) -> None:
    found = story_of(page("", *STORY[:1], head=stated(joint.join(WHOLE))))
    assert found == WHOLE
    assert len(found) == pieces


def test_plain_text_without_a_trace_of_paragraphs_is_cut_at_sentences() -> None:
    found = story_of(page("", *STORY[:1], head=stated(" ".join(WHOLE))))
    assert found is not None
    assert " ".join(found) == " ".join(WHOLE)
    assert len(found) > 2
    assert all(text.endswith((".", '"')) for text in found)


def test_plain_text_is_escaped() -> None:
    found = story_of(page("", head=stated("\n".join([*WHOLE, "Fewer than <b> 5 & more"]))))
    assert found is not None
    assert found[-1] == "Fewer than <b> 5 & more"


def test_references_in_plain_text_are_read() -> None:
    found = story_of(page("", head=stated("\n".join([*WHOLE, "Salt &amp;amp; pepper&nbsp;cost 3 &euro;"]))))
    assert found is not None
    assert found[-1] == "Salt & pepper cost 3 €"


@pytest.mark.parametrize(
    ("script", "head", "shown"),
    [
        ("var a = 1", "", []),
        (json.dumps(f"<p>{'x' * BARE_CHARS}</p>"), "", []),  # one paragraph
        (json.dumps("<p>Too</p><p>short</p>" + " " * 200), "", []),
        # The page shows everything, or nearly.
        (json.dumps(MARKUP), "", WHOLE),
        ("", stated("\n".join(WHOLE)), WHOLE),
        ("", stated("\n".join([*WHOLE, "Copyright of the Courier."])), WHOLE),
        # The page shows its story whole, and another one is in the data.
        (json.dumps({"next": MARKUP}), "", [*OTHER * 3, STORY[0]]),
        (json.dumps({"next": MARKUP}), stated("\n".join(OTHER)), OTHER),
        # What JSON-LD states is an abstract in other words.
        ("", stated(" ".join(MORE[:2])), WHOLE),
    ],
)
def test_a_page_that_shows_its_story_keeps_it(script: str, head: str, shown: list[str]) -> None:
    assert story_of(page(script, *shown, head=head)) is None


def test_text_that_differs_in_many_places_is_no_continuation() -> None:
    marked = [text.replace(" the ", ' the <x-name id="1"></x-name> name ') for text in WHOLE]
    assert story_of(page(json.dumps("".join(f"<p>{text}</p>" for text in marked)), *WHOLE)) is None
