"""Selects the entries of a source that are articles to fetch.

Pure functions. A sitemap may have fifty thousand entries, so the spider calls them in a thread.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Container, Mapping, Sequence

from crawler.discovery import SourceEntry
from crawler.sites import Site, is_article_url
from pipeline.urls import canonical_url


def by_canonical_url(entries: Sequence[SourceEntry]) -> dict[str, SourceEntry]:
    """Entries by canonical URL, in their order; the first of several with the same one."""
    found: dict[str, SourceEntry] = {}
    for entry in entries:
        found.setdefault(canonical_url(entry.url), entry)
    return found


def new_articles(
    entries: Mapping[str, SourceEntry], site: Site, seen: Container[str]
) -> dict[str, SourceEntry]:
    """The entries that may be articles of the site by their URL, and whose URL is not among those seen."""
    return {url: entry for url, entry in entries.items() if url not in seen and is_article_url(url, site)}


def urls_to_look_up(entries: Mapping[str, SourceEntry]) -> list[str]:
    """The canonical and the given URLs of the entries, sorted.

    Both, because an article that redirects is stored under the URL that was requested.
    """
    return sorted({*entries, *(entry.url for entry in entries.values())})


def without(entries: Mapping[str, SourceEntry], urls: Collection[str]) -> dict[str, SourceEntry]:
    """The entries whose canonical and given URLs are not among the URLs."""
    return {url: entry for url, entry in entries.items() if url not in urls and entry.url not in urls}


def selection_rules(site: Site) -> str:
    """A digest of the rules that select articles of a site: after a change its sources are read again."""
    rules = (site.article_urls, site.skip_urls, sorted(site.hosts), site.max_age_days, site.section_depth)
    return hashlib.sha256(json.dumps(rules).encode()).hexdigest()[:16]
