"""A page for the tests of extraction: a story with a menu, a newsletter box, links and a footer around it."""

from __future__ import annotations

from datetime import UTC, datetime

import lxml.html
import numpy as np

from pipeline.extract.model.columns import Array, BlockEvidence, rule_number
from pipeline.metadata import Metadata, read_metadata
from pipeline.page import Page, segment_page

FETCHED_AT = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)

STORY = [
    "The harbour board voted on Tuesday to dredge the eastern channel, ending a dispute that has "
    "divided the town for almost nine years and cost two chairmen their seats.",
    "Work is to begin in March, according to the board's engineer, who said that the contract had "
    "gone to a firm from the other side of the bay because no local company had offered a bid.",
    "Fishermen had opposed the plan. They fear that the spoil, which will be dumped six miles "
    "out, could drift back over the mussel beds on which forty families live.",
    "“We were promised a survey and we never saw one,” said Ada Brennick, who speaks for the "
    "co-operative. She added that the members would meet on Friday to decide whether to go to court.",
    "The board's chairman said the survey would be published before the first barge leaves the quay.",
]
MENU = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("News", "Sport", "Harbour", "Weather"))
BODY = "".join(f"<p>{text}</p>" for text in STORY)

PAGE = f"""<html><body>
<nav class="main-menu"><ul>{MENU}</ul></nav>
<main><article class="article"><h1>Board votes to dredge eastern channel</h1>
<div class="article-body">{BODY}</div>
<div class="newsletter-signup"><p>Sign up for our newsletter and never miss a tide.</p></div>
</article></main>
<aside class="related-stories"><h3>More stories</h3><ul>
<li><a href="/1">Ferry timetable changes again after the autumn storms</a></li>
<li><a href="/2">Lighthouse keeper retires with a concert on the pier</a></li></ul></aside>
<footer class="site-footer"><p>© The Channel Courier. All rights reserved.</p></footer>
</body></html>"""


def page_of(html: str) -> Page:
    return segment_page(lxml.html.document_fromstring(html))


def about_of(html: str) -> Metadata:
    """What the page states."""
    return read_metadata(lxml.html.document_fromstring(html), "https://courier.example/1", FETCHED_AT)


def shares_of(page: Page, *texts: str) -> Array:
    """1 for the blocks with these texts, 0 for all others."""
    return np.array([float(block.text in texts) for block in page.blocks], dtype=np.float32)


def evidence_of(share: Array, own: Array | None = None, *, ruled_out: Array | None = None) -> BlockEvidence:
    """What the readers and the rules say of the blocks of pages, for the block model.

    share: what Trafilatura took of each block. own: the same of the region of prose; the same as Trafilatura
    by default. ruled_out: 1 for the blocks that a rule is against, which is that on related stories.
    """
    rules = (
        np.zeros(len(share))
        if ruled_out is None
        else np.asarray(ruled_out) * rule_number("structure.related")
    )
    unvetoed = np.zeros(len(share), dtype=np.bool_)
    return BlockEvidence(share, share if own is None else own, rules.astype(np.intp), unvetoed)
