"""Makes any number of pages of invented news, no two alike, for long runs.

Making a page takes only a millisecond, so it hardly affects what is measured. Each site has its own
template: class names, a menu, teasers, a form, scripts with data, JSON-LD or meta elements. Words follow
Zipf's law over one invented vocabulary. One story in six is a copy of one of the last thousand, cut from the
bottom and with a different headline.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, count

from benchmarks.repository import as_document
from pipeline.document import Claims, Document, MediaType

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
SITES = 300
IS_COPY = 1 / 6
REMEMBERED = 1000
_VOCABULARY = 20_000
_SYLLABLES = [c + v + e for c in "bcdfghklmnprstvz" for v in "aeiou" for e in ("", "n", "r", "s", "l")]


class Newsroom:
    """An endless stream of pages; the same seed gives the same pages."""

    def __init__(self, seed: int = 1) -> None:
        self._rng = random.Random(seed)
        words: dict[str, None] = {}
        while len(words) < _VOCABULARY:
            words["".join(self._rng.choices(_SYLLABLES, k=self._rng.randint(1, 4)))] = None
        self.words = list(words)
        self._up_to = list(accumulate(1 / (n + 2.7) for n in range(_VOCABULARY)))
        self._sites = [self._frame(number) for number in range(SITES)]
        self._recent: deque[list[str]] = deque(maxlen=REMEMBERED)

    def documents(self) -> Iterator[Document]:
        return (self._page(number, self._story()) for number in count())

    def texts(self) -> Iterator[Document]:
        """The stories alone, as records of plain text with their date."""
        for number in count():
            url, text = f"https://outlet{self._rng.randrange(SITES)}.example/{number}", self._story()
            claims = Claims(published_at=_published(number).isoformat())
            document = as_document("\n".join(text).encode(), url)
            yield replace(document, media_type=MediaType.TEXT, claims=claims)

    def _story(self) -> list[str]:
        """Paragraphs of a new story, or of a copy."""
        rng = self._rng
        if self._recent and rng.random() < IS_COPY:
            story = rng.choice(self._recent)
            return story[: max(3, int(len(story) * rng.uniform(0.4, 1)))]
        story = [self._paragraph() for _ in range(rng.randint(4, 18))]
        self._recent.append(story)
        return story

    def _page(self, number: int, story: Sequence[str]) -> Document:
        site = self._rng.randrange(SITES)
        published = _published(number)
        title = " ".join(self._some(8)).capitalize()
        url = f"https://outlet{site}.example/{published:%Y/%m/%d}/{'-'.join(self._some(5))}-{number}"
        above, below = self._sites[site]
        teasers = "".join(
            f'<li><a href="/{word}-{number}">{" ".join(self._some(7)).capitalize()}</a></li>'
            for word in self._some(12)
        )
        head = (
            f"<title>{title}</title><link rel='canonical' href='{url}'>"
            f"<meta property='og:title' content='{title}'>"
            f"<meta property='article:published_time' content='{published.isoformat()}'>"
        )
        name = " ".join(word.capitalize() for word in self._some(2))
        body = "".join(f"<p>{paragraph}</p>" for paragraph in story)
        page = (
            f"<!doctype html><html lang='en'><head>{head}{above[0]}</head><body>{above[1]}"
            f"<article class='{above[2]}'><h1>{title}</h1><p class='byline'>By {name}</p>{body}</article>"
            f"<aside><h3>More news</h3><ul>{teasers}</ul></aside>{below}</body></html>"
        )
        return as_document(page.encode(), url)

    def _frame(self, number: int) -> tuple[tuple[str, str, str], str]:
        """The template of a site: what is in the head, above and below each story."""
        rng = self._rng
        name = rng.choice(self.words)
        data = ",".join(f'"{word}":{rng.random():.6f}' for word in self._some(rng.randint(100, 900)))
        head = f"<script>var {name}={{{data}}};</script><style>.{name}{{color:#333}}</style>"
        menu = "".join(
            f'<li class="{name}-item"><a href="/{w}">{w.capitalize()}</a></li>' for w in self._some(30)
        )
        links = "".join(f'<div><a href="/about/{w}">{w}</a></div>' for w in self._some(25))
        above = f"<header><div class='{name}-bar'><nav><ul>{menu}</ul></nav></div></header>"
        below = (
            f"<form class='{name}-letter'><p>Sign up for our newsletter</p><input name='mail'></form>"
            f"<footer>{links}<p>Copyright Outlet {number}. All rights reserved.</p></footer>"
        )
        return (head, above, f"{name}-story"), below

    def _paragraph(self) -> str:
        sentences = []
        for _ in range(self._rng.randint(2, 5)):
            words = self._some(self._rng.randint(8, 26))
            words[self._rng.randrange(len(words))] = str(self._rng.randint(2, 5000))
            sentences.append(" ".join(words).capitalize() + ".")
        return " ".join(sentences)

    def _some(self, count: int) -> list[str]:
        return self._rng.choices(self.words, cum_weights=self._up_to, k=count)


def _published(number: int) -> datetime:
    """4,320 stories a day."""
    return BEGINNING + timedelta(seconds=number * 20)
