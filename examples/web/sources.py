"""What an outlet says about its own news: RSS 1.0 and 2.0, Atom, JSON Feed, sitemaps and indexes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape

_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_NEWS = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a feed."""

    url: str
    title: str
    at: datetime
    author: str = ""


def rss(name: str, home: str, language: str, entries: Sequence[Entry]) -> bytes:
    items = "".join(
        f"<item><title>{escape(e.title)}</title><link>{escape(e.url)}</link>"
        f"<guid isPermaLink='false'>{escape(e.url)}</guid><pubDate>{format_datetime(e.at)}</pubDate>"
        f"<dc:creator>{escape(e.author)}</dc:creator></item>"
        for e in entries
    )
    return _xml(
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        f"<title>{escape(name)}</title><link>{home}</link><language>{language}</language>{items}</channel></rss>"
    )


def rdf(name: str, home: str, language: str, entries: Sequence[Entry]) -> bytes:
    places = "".join(f'<rdf:li resource="{escape(e.url)}"/>' for e in entries)
    items = "".join(
        f'<item rdf:about="{escape(e.url)}"><title>{escape(e.title)}</title><link>{escape(e.url)}</link>'
        f"<dc:date>{e.at.isoformat()}</dc:date><dc:creator>{escape(e.author)}</dc:creator></item>"
        for e in entries
    )
    return _xml(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="{home}">'
        f"<title>{escape(name)}</title><link>{home}</link><dc:language>{language}</dc:language><items><rdf:Seq>{places}</rdf:Seq></items>"
        f"</channel>{items}</rdf:RDF>"
    )


def atom(name: str, home: str, language: str, entries: Sequence[Entry]) -> bytes:
    items = "".join(
        f'<entry><id>{escape(e.url)}</id><title>{escape(e.title)}</title><link href="{escape(e.url)}"/>'
        f"<published>{e.at.isoformat()}</published><updated>{e.at.isoformat()}</updated>"
        f"<author><name>{escape(e.author)}</name></author></entry>"
        for e in entries
    )
    return _xml(
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{language}"><id>{home}</id>'
        f"<title>{escape(name)}</title>{items}</feed>"
    )


def json_feed(name: str, home: str, language: str, entries: Sequence[Entry]) -> bytes:
    items = [
        {"id": e.url, "url": e.url, "title": e.title, "date_published": e.at.isoformat()}
        | ({"authors": [{"name": e.author}]} if e.author else {})
        for e in entries
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": name,
        "home_page_url": home,
        "language": language,
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def news_sitemap(name: str, language: str, entries: Sequence[Entry]) -> bytes:
    urls = "".join(
        f"<url><loc>{escape(e.url)}</loc><news:news><news:publication><news:name>{escape(name)}</news:name>"
        f"<news:language>{language}</news:language></news:publication>"
        f"<news:publication_date>{e.at.isoformat()}</news:publication_date>"
        f"<news:title>{escape(e.title)}</news:title></news:news></url>"
        for e in entries
    )
    return _xml(f"<urlset {_SITEMAP} {_NEWS}>{urls}</urlset>")


def sitemap_index(children: Sequence[tuple[str, datetime]]) -> bytes:
    inner = "".join(
        f"<sitemap><loc>{escape(url)}</loc><lastmod>{at.isoformat()}</lastmod></sitemap>"
        for url, at in children
    )
    return _xml(f"<sitemapindex {_SITEMAP}>{inner}</sitemapindex>")


def _xml(text: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()
