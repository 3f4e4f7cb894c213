"""The pages of an outlet as HTML: templates/ filled with an article, a list of links or a notice."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from string import Template
from typing import Any

from .world import HERE, Article, Outlet

# What a reader who has not paid is shown of an article.
STUB_PARAGRAPHS = 2


def article_page(article: Article, template: str = "") -> bytes:
    """The page of an article; template: another than its outlet's (amp, print)."""
    outlet = article.outlet
    words = _words()[outlet.language]
    author = article.story.author + (f", {article.story.agency}" if article.story.agency else "")
    shown = article.paragraphs[:STUB_PARAGRAPHS] if article.paywalled else article.paragraphs
    paragraphs = [f"<p>{escape(text, quote=False)}</p>" for text in shown]
    if article.story.dateline:
        lead = escape(f"{article.story.dateline} {shown[0]}", quote=False)
        paragraphs[0] = f"<p>{lead}</p>"
    if article.story.caption:
        text, _, credit = article.story.caption.partition(" | ")
        image = f'<img src="/img/{article.number}.jpg" alt="">'
        paragraphs.insert(
            1, f"<figure>{image}<figcaption>{escape(text)} {escape(credit)}</figcaption></figure>"
        )
    after = []
    if article.is_corrected:
        after.append(f'<p class="update-note">{words["corrected"]}</p>')
    if article.paywalled:
        after.append(f'<div class="paywall"><p>{words["subscribe"]}</p></div>')
    values = {
        "title": escape(article.title),
        "canonical": escape(article.syndicated or article.url),
        "amp": escape(outlet.twin("amp") + article.path),
        "home": outlet.base + "/",
        "number": str(article.number),
        "published": article.published.isoformat(),
        "modified": article.modified.isoformat(),
        "day": f"{article.published:%d.%m.%Y}",
        "author": escape(author),
        "byline": escape(words["by"].format(author=author)),
        "ld": _linked_data(article),
        "paragraphs": "\n".join(paragraphs),
        "after": "\n".join(after),
    }
    return _filled(template or outlet.template, outlet, values)


def list_page(outlet: Outlet, title: str, links: Iterable[tuple[str, str]]) -> bytes:
    """A front or section page: (address, text) of its links."""
    items = "\n".join(f'<li><a href="{escape(url)}">{escape(text)}</a></li>' for url, text in links)
    return _filled("list", outlet, {"title": escape(title), "links": items})


def notice_page(outlet: Outlet, name: str) -> bytes:
    """A page of notices.toml."""
    notice = _notices()[name]
    return _filled("notice", outlet, {"title": notice["title"], "body": notice["body"]})


def _filled(template: str, outlet: Outlet, values: Mapping[str, str]) -> bytes:
    words = _words()[outlet.language]
    furniture = {
        "name": escape(outlet.name),
        "language": outlet.language,
        "charset": outlet.charset,
        "nav": " ".join(f'<a href="/section/{n}">{word}</a>' for n, word in enumerate(words["nav"])),
        "share": "".join(f'<li><a href="#share">{word}</a></li>' for word in words["share"]),
        **{
            name: words[name].format(name=outlet.name) for name in ("related", "newsletter", "rights", "full")
        },
    }
    return _template(template).substitute({**furniture, **values}).encode(outlet.charset, "xmlcharrefreplace")


def _linked_data(article: Article) -> str:
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.title,
        "mainEntityOfPage": article.url,
        "datePublished": article.published.isoformat(),
        "dateModified": article.modified.isoformat(),
        "author": {"@type": "Person", "name": article.story.author},
        "publisher": {"@type": "Organization", "name": article.outlet.name},
        "isAccessibleForFree": not article.paywalled,
    }
    return json.dumps(data).replace("</", "<\\/")


@cache
def _template(name: str) -> Template:
    return Template((HERE / "templates" / f"{name}.html").read_text(encoding="utf-8"))


@cache
def _words() -> Mapping[str, Any]:
    return tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))


@cache
def _notices() -> Mapping[str, Any]:
    return tomllib.loads((HERE / "notices.toml").read_text(encoding="utf-8"))
