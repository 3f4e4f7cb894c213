"""Lists where feeds and sitemaps of a site may be, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal
from urllib.parse import urldefrag, urljoin, urlsplit

from crawler.discovery import SourceCandidate

FoundKind = Literal["feed", "sitemap"]

FEED_PLACES = (
    "feed", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feed.json", "feeds", "index.rdf",
)  # fmt: skip
NEWS_PLACES = (
    "news-sitemap.xml", "sitemap_news.xml", "sitemap-news.xml", "news_sitemap.xml", "googlenews.xml",
)  # fmt: skip
SITEMAP_PLACES = ("sitemap.xml", "sitemap_index.xml", "sitemap-index.xml", "sitemap.xml.gz")

NEWS = re.compile(r"news", re.IGNORECASE)
USUAL_PLACE = "usual place"
# Addresses that whoever adds the site knows: of the catalogue, or of an OPML file.
GIVEN = "given"


def usual_places(homepage: str, kind: FoundKind, names: Iterable[str]) -> list[SourceCandidate]:
    """Candidates at the usual places; for feeds those in the front page's folder come first."""
    folder = urljoin(homepage, urlsplit(homepage).path.rpartition("/")[0] + "/")
    if not urlsplit(homepage).path.endswith("/") and urlsplit(homepage).path:
        folder = f"{urldefrag(homepage).url.partition('?')[0]}/"
    root = urljoin(homepage, "/")
    folders = (folder, root) if kind == "feed" else (root,)
    urls = (base + name for name in names for base in folders)
    return [SourceCandidate(url, kind, USUAL_PLACE) for url in dict.fromkeys(urls)]


def given(urls: Iterable[str], kind: FoundKind) -> list[SourceCandidate]:
    """Candidates at known addresses, in their order."""
    return [SourceCandidate(url, kind, GIVEN) for url in urls]


def ranked(candidates: Sequence[SourceCandidate]) -> list[SourceCandidate]:
    """The likeliest main feed or news sitemap first: sitemaps with `news` in the path, then short paths."""

    def rank(pair: tuple[int, SourceCandidate]) -> tuple[bool, int, int]:
        number, candidate = pair
        path = urlsplit(candidate.url).path
        depth = len([segment for segment in path.split("/") if segment])
        is_news = candidate.kind == "sitemap" and bool(NEWS.search(path))
        return not is_news, depth, number

    return [candidate for _, candidate in sorted(enumerate(candidates), key=rank)]
