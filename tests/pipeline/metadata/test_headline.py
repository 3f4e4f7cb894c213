"""The headline of a page."""

from __future__ import annotations

import pytest

from tests.pipeline.metadata.pages import ld, read


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>Harbour closed - The Linden Post</title>", "<h1>Harbour closed</h1>", "Harbour closed"),
        ("<title>Harbour closed again | Linden Post</title>", "", "Harbour closed again"),
        ("<title>Harbour closed again | Local | Linden Post</title>", "", "Harbour closed again | Local"),
        (
            "<title>Linden Post</title>",
            "<h1>The Linden Post</h1><h1>Two ferries wait</h1>",
            "Two ferries wait",
        ),
        ('<meta property="og:title" content="Chains &amp;amp; anchors">', "", "Chains & anchors"),
        (
            ld(**{"@type": "NewsArticle", "headline": "A - B talks fail again"}),
            "<h1>Menu</h1>",
            "A - B talks fail again",
        ),
        (
            ld(**{"@type": "NewsArticle", "headline": "Sea Trials: Two ferries wait outside"})
            + '<meta property="og:title" content="Two ferries wait outside">',
            "<h1>Sea Trials: Two ferries wait outside</h1>",
            "Two ferries wait outside",
        ),
        (
            '<meta property="article:section" content="Sea Trade">',
            "<h1>Two ferries wait outside | Sea Trade</h1>",
            "Two ferries wait outside",
        ),
        ("", "<h1>Two ferries wait outside | Opinion</h1>", "Two ferries wait outside"),
        ("", "<h1>Two ferries wait | Harbour opens</h1>", "Two ferries wait | Harbour opens"),
        (
            "<title>Two ferries wait outside</title>",
            "<h1>Two f<b>erries</b> wait outside</h1>",
            "Two ferries wait outside",
        ),
        (
            "<title>Two ferries wait outside - Linden Post</title>"
            '<meta property="og:title" content="Two ferries wait outside">',
            "<h1>Two ferries wait outside <small>Posted on March 3, 2026 by ida</small></h1>",
            "Two ferries wait outside",
        ),
        (
            '<meta property="og:title" content="Two ferries wait outside">',
            "<h1><time>3 March 2026</time> Two ferries wait outside</h1>",
            "Two ferries wait outside",
        ),
        (
            '<meta property="og:title" content="Two ferries wait outside">',
            "<h1>Two ferries wait outside until the chain is found</h1>",
            "Two ferries wait outside until the chain is found",
        ),
        # The headline for search engines, the one for sharing, and the one that readers see.
        (
            ld(**{"@type": "NewsArticle", "headline": "Ferry News: Sea Storm Stops Ships"})
            + '<meta property="og:title" content="The night no ferry sailed">'
            + "<title>Ferry News: Sea Storm Stops Ships | The Linden Post</title>",
            "<h1>Two ferries wait outside until the chain is found</h1>",
            "Two ferries wait outside until the chain is found",
        ),
        (
            ld(**{"@type": "NewsArticle", "headline": "Two ferries wait outside the harbour"})
            + '<meta property="og:title" content="The night no ferry sailed">',
            "<h1>The night no ferry sailed</h1><h1>More from the harbour this week</h1>",
            "Two ferries wait outside the harbour",
        ),
        (
            ld(**{"@type": "NewsArticle", "headline": "Two ferries wait outside the harbour"})
            + '<meta property="og:title" content="Two ferries wait outside the harbour">',
            "<h1>More from the harbour this week</h1>",
            "Two ferries wait outside the harbour",
        ),
        ("", "<h1>Two ferries wait outside – The Linden Post</h1>", "Two ferries wait outside"),
        ("<title>石狮重新上岗 今天_云河网</title>", "<h1>石狮重新上岗 今天</h1>", "石狮重新上岗 今天"),
    ],
)
def test_title(head: str, body: str, title: str) -> None:
    site = '<meta property="og:site_name" content="The Linden Post">'
    assert read(site + head, body).title == title
