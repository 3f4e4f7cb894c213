"""Extraction on pages written for the tests."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.document import BlockKind, DocumentRejected, Reason
from pipeline.extract.html import Reading, article_lines, extract_html, surer
from pipeline.page.align import Piece
from pipeline.settings import Settings

FETCHED = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SETTINGS = Settings()
PAGES = Path(__file__).parents[2] / "pages"

STORY = [
    "The harbour of Port Linden will stay closed until Friday, the port authority said on Tuesday.",
    "Divers found a second anchor chain across the fairway, and nobody has claimed it so far.",
    "Two ferries were sent to Old Quay, where passengers waited for up to five hours in the rain.",
    '"We have never had two chains in one week," harbour master Ida Brandt told reporters.',
]


def page(body: str, head: str = "") -> str:
    title = "<title>Harbour closed - The Linden Post</title>"
    return f"<!doctype html><html lang=en><head>{title}{head}</head><body>{body}</body></html>"


def paragraphs(*texts: str) -> str:
    return "".join(f"<p>{text}</p>" for text in texts)


def texts(html: str, url: str = "https://lindenpost.example/harbour") -> list[str]:
    return [block.text for block in extract_html(html, url, FETCHED, SETTINGS).blocks]


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
            '<p><a href="/7">Why the ferry line lost three of its five ships</a></p>',
            "Why the ferry line lost three of its five ships",
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
        '<p class="text-banner-free">The line has run since 1931, except in two winters.</p>',
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


def test_the_standfirst_comes_back() -> None:
    lead = "Ferries wait, passengers too: a second chain has turned up in the fairway of Port Linden."
    head = f'<meta property="og:description" content="{lead}">'
    header = f'<header><h1>Harbour closed</h1><p class="standfirst">{lead}</p></header>'
    html = page(f"<main>{header}<div class=body><article>{paragraphs(*STORY)}</article></div></main>", head)
    assert texts(html) == [lead, *STORY]


def test_a_dateline_before_the_standfirst_does_not_hide_it() -> None:
    said = "Ferries wait, passengers too: a second chain has turned up in the fairway of the harbour."
    head = f'<meta property="og:description" content="{said}">'
    header = f"<header><h1>Harbour closed</h1><div>Port Linden. {said}</div></header>"
    html = page(f"<main>{header}<div class=body><article>{paragraphs(*STORY)}</article></div></main>", head)
    assert texts(html) == [f"Port Linden. {said}", *STORY]


def test_a_story_cut_up_around_advertisements_is_put_together() -> None:
    more = [
        f"{number} more ships were sent to the roads, where they wait for a pilot and for better weather."
        for number in ("Three", "Four", "Five", "Six")
    ]
    part = '<div class="body__part"><div class="body__text">{}</div></div>'
    html = page(
        "<main>"
        + part.format(paragraphs(*STORY))
        + '<div class="ad">Buy</div>'
        + part.format(paragraphs(*more))
        + "</main>"
    )
    assert texts(html) == [*STORY, *more]


def test_a_page_that_shows_its_text_twice_gives_it_once() -> None:
    html = page(f"<main><article>{paragraphs(*STORY)}{paragraphs(*STORY)}</article></main>")
    assert texts(html) == STORY


def test_a_story_that_waits_in_a_script_is_read() -> None:
    markup = "".join(f"<p>{text}</p>" for text in STORY * 2)
    data = json.dumps({"page": {"content": markup}}).replace("<", "\\u003c").replace(">", "\\u003e")
    html = page(f"<div id=app></div><script>window.__DATA__ = {data}</script>")
    assert texts(html)[:4] == STORY


def test_a_story_that_only_json_ld_holds_is_read() -> None:
    story = json.dumps({"@type": "NewsArticle", "headline": "Harbour", "articleBody": "\n".join(STORY)})
    html = page("<div id=app></div>", f'<script type="application/ld+json">{story}</script>')
    assert texts(html) == STORY


@pytest.mark.parametrize(
    ("body", "head", "reason"),
    [
        ("<h1>404</h1><p>The page you asked for could not be found.</p>", "", Reason.ERROR_PAGE),
        (
            "<h1>Sign in</h1><form><p>Welcome back to the Post.</p><input type=password></form>",
            "",
            Reason.LOGIN_PAGE,
        ),
        (
            '<div id="cookie-consent"><h2>Your privacy</h2><p>We and our partners use cookies to measure'
            " audiences.</p><p>With your consent we store cookies on this device.</p></div>",
            "",
            Reason.CONSENT_WALL,
        ),
        (
            "".join(
                f'<div class="card"><h2><a href="/{n}">Council votes on bridge number {n}</a></h2>'
                f"<p>The vote on bridge {n} is due on Thursday evening.</p></div>"
                for n in range(8)
            ),
            "",
            Reason.SECTION_FRONT,
        ),
    ],
)
def test_pages_that_are_no_articles_are_refused(body: str, head: str, reason: Reason) -> None:
    with pytest.raises(DocumentRejected) as caught:
        extract_html(page(body, head), "https://lindenpost.example/", FETCHED, SETTINGS)
    assert caught.value.reason in (reason, Reason.NO_ARTICLE)


def test_an_article_about_an_error_page_is_taken() -> None:
    about = [
        f"The error page 404 of the town is now number {n} in a list of the loveliest pages."
        for n in range(20)
    ]
    assert texts(page(f"<article><h1>404: a love story</h1>{paragraphs(*about)}</article>"))[-20:] == about


@given(st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_input_ends_as_an_extraction_or_a_rejection(text: str) -> None:
    for html in (text, f"<p>{text}</p><a href='{text}'>x</a><script type=application/ld+json>{text}"):
        try:
            found = extract_html(html, text, FETCHED, SETTINGS)
        except DocumentRejected:
            continue
        assert found.blocks


def reading(words: int, expected: float) -> Reading:
    return Reading(
        [(Piece(0, "word " * words, 0.0), None), (Piece(1, "gone", 1.0), "structure.share")], expected
    )


@pytest.mark.parametrize(
    ("seen", "extracted", "is_other"),
    [
        (reading(300, 0.7), reading(280, 0.9), True),
        (reading(300, 0.8), reading(280, 0.7), False),
        (reading(180, 0.8), reading(570, 0.95), False),  # three stories in place of one
        (reading(30, 0.8), reading(570, 0.95), True),  # a caption in place of the story
        (reading(0, 0.0), reading(10, 0.0), True),
    ],
)
def test_of_two_views_the_surer_one_stands_unless_it_took_in_too_much(
    seen: Reading, extracted: Reading, is_other: bool
) -> None:
    assert surer(seen, extracted) is (extracted if is_other else seen)


def test_trafilatura_is_asked_only_where_the_model_is_not_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(root: Any) -> list[str]:
        asked.append(root)
        return article_lines(root)

    monkeypatch.setattr("pipeline.extract.html.article_lines", counted)
    assert texts(article(""))
    assert not asked
    with pytest.raises(DocumentRejected):
        texts((PAGES / "rejected" / "access-denied.html").read_text("utf-8"))
    assert len(asked) == 1


def test_a_story_without_spaces_is_no_line_of_a_front_page() -> None:
    story = "历时两年的古桥修缮工程十八日完工，桥头的十六只石狮重新安放到原位，行人可以再次走过。" * 2
    more = "工程负责人说，桥面的石板有三成换成了新料，其余的都按原来的编号放回去了，一块也没有丢失。" * 2
    links = "".join(f"<li><a href=/{n}>the headline number {n} of today</a></li>" for n in range(8))
    html = (
        f"<html lang=zh><body><div><p>{story}</p><p>{more}</p></div><div><ul>{links}</ul></div></body></html>"
    )
    assert texts(html) == [story, more]
