"""Extraction on pages written for the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.document import BlockKind, DocumentRejected, Reason
from pipeline.extract.html import extract_html
from pipeline.extract.trafilatura_adapter import article_lines
from tests.pipeline.extract.harbour import FETCHED, SETTINGS, STORY, page, paragraphs, texts

PAGES = Path(__file__).parents[2] / "pages"


def test_a_story_comes_back_whole_and_in_order() -> None:
    assert texts(page(f"<article><h1>Harbour closed</h1>{paragraphs(*STORY)}</article>"))[-4:] == STORY


def test_a_story_of_two_sentences_is_an_article() -> None:
    brief = "A tram hit a van in Mill Street on Monday. Nobody was hurt."
    assert texts(page(f"<article><h1>Tram hits van</h1><p>{brief}</p></article>"))[-1:] == [brief]


def test_blocks_carry_evidence() -> None:
    story = f'<p class="lead">{STORY[0]}</p>{paragraphs(*STORY[1:])}'
    blocks = extract_html(page(f"<main><article>{story}</article></main>"), "", FETCHED, SETTINGS).blocks
    assert blocks[0].kind is BlockKind.PARAGRAPH
    assert "lead" in blocks[0].tokens
    assert blocks[0].tags[:2] == ("p", "article")
    assert blocks[0].link_density == 0.0


@pytest.mark.parametrize("html", ["", "   \n ", "<html></html>", "<!-- nothing -->", "<p></p>"])
def test_an_empty_page_is_rejected(html: str) -> None:
    with pytest.raises(DocumentRejected) as caught:
        extract_html(html, "", FETCHED, SETTINGS)
    assert caught.value.reason is Reason.EMPTY


def test_deeply_nested_tags_do_not_crash() -> None:
    html = page(paragraphs(*STORY) + "<div>" * 50_000 + paragraphs(*STORY))
    assert STORY[0] in texts(html)


def removed(html: str) -> dict[str, str]:
    found = extract_html(html, "https://lindenpost.example/harbour", FETCHED, SETTINGS).removed
    return {entry.text: entry.rule for entry in found}


def article(*parts: str) -> str:
    """A page whose story is STORY with `parts` after its second paragraph."""
    body = paragraphs(*STORY[:2]) + "".join(parts) + paragraphs(*STORY[2:])
    return page(f"<main><article><h1>Harbour closed</h1>{body}</article></main>")


@pytest.mark.parametrize(
    ("clutter", "line"),
    [
        (
            "<figure><img src=a.jpg><figcaption>The quay on Tuesday.</figcaption></figure>",
            "The quay on Tuesday.",
        ),
        (
            '<img src=a.jpg alt="Divers on the quay wall"><p>Divers on the quay wall</p>',
            "Divers on the quay wall",
        ),
        (
            '<div class="newsletter-box"><p>Our letter brings the harbour to you, on Fridays.</p></div>',
            "Our letter brings the harbour to you, on Fridays.",
        ),
        (
            '<div class="author-bio"><p>Per Holm has written about ships since 1998.</p></div>',
            "Per Holm has written about ships since 1998.",
        ),
        (
            '<div class="related-stories"><p>Anchor chain found in March as well, and sold.</p></div>',
            "Anchor chain found in March as well, and sold.",
        ),
        (
            '<blockquote class="twitter-tweet"><p>Still no ferry here, day two, bring soup.</p></blockquote>',
            "Still no ferry here, day two, bring soup.",
        ),
        (
            '<ul><li><a href="/8">Second chain in a week found in the fairway</a></li>'
            '<li><a href="/9">Ferry line buys soup for six hundred passengers</a></li></ul>',
            "Second chain in a week found in the fairway",
        ),
        (
            '<div class="fact-box"><p>Port Linden handles nine million tonnes a year.</p></div>',
            "Port Linden handles nine million tonnes a year.",
        ),
        (
            '<div role="dialog"><p>You have read four of your five stories of this month.</p></div>',
            "You have read four of your five stories of this month.",
        ),
    ],
)
def test_what_a_template_marks_as_no_part_of_the_story_goes(clutter: str, line: str) -> None:
    found = texts(article(clutter))
    assert line not in found
    assert found == STORY


@pytest.mark.parametrize(
    "part",
    [
        "<h2>What the divers saw</h2>",
        '<h2 id="share-of-the-cost">Who pays, and what share</h2>',
        '<div class="wp-block-shareholders"><p>Shareholders of the ferry line were told on Monday.</p></div>',
        '<p class="formation">The line has run since 1931, except in two winters.</p>',
        "<blockquote><p>Nobody told us anything at all, and we came at six.</p></blockquote>",
        "<ul><li>The first chain was 40 metres long.</li><li>The second was 75 metres long.</li></ul>",
    ],
)
def test_what_only_sounds_like_clutter_stays(part: str) -> None:
    added = " ".join(texts(article(part)))
    for words in lxml.html.fromstring(f"<div>{part}</div>").itertext():
        assert words in added
    assert all(sentence in added for sentence in STORY)


def test_what_goes_is_recorded_with_its_rule() -> None:
    html = article('<div class="promo"><p>Read all about the chains in our dossier on chains.</p></div>')
    found = removed(html)
    assert found.get("Harbour closed", "structure.title") == "structure.title"
    assert all(rule.startswith("structure.") for rule in found.values())


def test_a_container_with_most_of_the_text_is_the_story_whatever_its_name() -> None:
    html = page(f'<div class="social-column">{paragraphs(*STORY, *(s + " Again." for s in STORY))}</div>')
    assert set(STORY) <= set(texts(html))


def test_teasers_below_the_story_go() -> None:
    cards = "".join(
        f'<div class="card"><h3><a href="/{n}">Bridge number {n} is closed again</a></h3>'
        f"<p>Drivers of bridge {n} are sent around the lake.</p></div>"
        for n in range(4)
    )
    story = paragraphs(*STORY, *(s.replace(".", " again.") for s in STORY))
    html = page(f"<main><article><h1>Harbour closed</h1>{story}{cards}</article></main>")
    assert not any("Drivers of bridge" in text for text in texts(html))
    assert set(STORY) <= set(texts(html))


def test_a_second_article_below_goes() -> None:
    other = "".join(f"<p>The tram will run all night, said member {n} of the council.</p>" for n in range(3))
    html = page(
        f"<main><article><h1>Harbour closed</h1>{paragraphs(*STORY)}</article>"
        f'<article><h2><a href="/tram">Tram runs all night</a></h2>{other}</article></main>'
    )
    assert texts(html) == STORY


def test_entries_of_a_live_blog_stay() -> None:
    entries = "".join(f"<article><h2>10:{n}5</h2><p>{text}</p></article>" for n, text in enumerate(STORY))
    assert set(STORY) <= set(texts(page(f"<main><h1>Harbour: live</h1>{entries}</main>")))


def test_a_page_that_shows_its_text_twice_gives_it_once() -> None:
    html = page(f"<main><article>{paragraphs(*STORY)}{paragraphs(*STORY)}</article></main>")
    assert texts(html) == STORY


@given(st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_input_ends_as_an_extraction_or_a_rejection(text: str) -> None:
    for html in (text, f"<p>{text}</p><a href='{text}'>x</a><script type=application/ld+json>{text}"):
        try:
            found = extract_html(html, text, FETCHED, SETTINGS)
        except DocumentRejected:
            continue
        assert found.blocks


def test_trafilatura_reads_every_page_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(root: Any) -> list[str]:
        asked.append(root)
        return article_lines(root)

    monkeypatch.setattr("pipeline.extract.candidates.article_lines", counted)
    assert texts(article("")) == STORY
    assert len(asked) == 1
    with pytest.raises(DocumentRejected):
        texts((PAGES / "rejected" / "access-denied.html").read_text("utf-8"))
    assert len(asked) == 2
