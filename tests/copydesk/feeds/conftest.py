"""A database of stories, some of them written by strangers who mean harm."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from pipeline.document import RightsStatement
from tests.storage.news import START, article, store, story

HOUR = timedelta(hours=1)
RESERVED = (RightsStatement("tdm-reservation", "1", "meta", None, True),)
OPEN = (RightsStatement("tdm-reservation", "0", "meta", None, False),)
HOSTILE_TITLE = 'Ferry <script>alert(1)</script> & "aground" ]]>'
HOSTILE_TEXT = (
    "The ferry <img src=x onerror=alert(2)> ran aground ]]> on the sandbar.\n"
    "\x0bDivers\x08 found \x1b[31mno leak\ufffe in the hull."
)


@pytest.fixture
def news(engine: Engine) -> Engine:
    """Five stories by time: the ferry on three sites, one that is reserved, one of a file, a hostile one."""
    store(
        engine,
        [
            article(
                "https://a.example/1", story(1), START, published_at=START, agency="Reuters", title="Ferry"
            ),
            article("https://b.example/1", story(1), START + HOUR, published_at=START + HOUR, title="Boat"),
            article(
                "https://c.example/1", story(1), START + HOUR, published_at=START + 2 * HOUR, title="Ship"
            ),
            article(
                "https://a.example/2",
                story(2),
                START,
                published_at=START + 3 * HOUR,
                rights=RESERVED,
                title="Reserved",
                description="A reserved summary.",
            ),
            article(
                "https://d.example/3",
                story(3),
                START,
                published_at=START + 4 * HOUR,
                language="de",
                rights=OPEN,
                title="Offen",
                description="Eine freie Zusammenfassung.",
            ),
            article("file:///news/4.html", story(4), START, published_at=None, title="File"),
            article(
                "https://e.example/<b>?a=\"'&b",
                HOSTILE_TEXT,
                START,
                published_at=START + 5 * HOUR,
                title=HOSTILE_TITLE,
                authors=("<b>Mira\x07</b>",),
                language='x" onload="',
                description=None,
                section="\x1b]0;x\x07",
            ),
        ],
    )
    return engine
