"""Makes the pages of the invented news world from stories/, world.toml and words.toml.

    python examples/build.py [FOLDER]

writes news/ and truth.jsonl into FOLDER (by default this one). The same sources give the same
bytes every time: where a page needs variety, a digest of its own address chooses, and nothing
reads the clock. Standard library only.
"""

# ruff: noqa: E501 (lines of HTML are as long as they are)

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
import sys
import tomllib
import unicodedata
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

# How agencies are named in a byline, where that is not their tag.
BYLINE_NAMES = {"AP": "Associated Press"}
# The name by which an agency is known, where its own language writes another.
AGENCY_NAMES = {"ТАСС": "TASS", "Укрінформ": "Ukrinform"}


@dataclass(frozen=True, slots=True)
class Story:
    """One text as its agency or reporter filed it."""

    id: str
    language: str
    title: str
    author: str
    published: datetime
    paragraphs: tuple[str, ...]
    agency: str = ""
    dateline: str = ""
    signoff: str = ""
    captions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outlet:
    """One site; `words` are the phrases of its language from words.toml."""

    id: str
    name: str
    host: str
    language: str
    template: str
    words: dict[str, Any]
    staff: str = ""
    tagline: str = ""
    charset: str = "utf-8"


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing in the article's column: a paragraph of the story, a figure, a line of clutter.

    lead: what stands before the text and is no part of it (dateline); tail: what stands after it.
    """

    kind: str
    text: str
    lead: str = ""
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One story in one outlet: everything that a template needs, and the truth about it."""

    outlet: Outlet
    story: Story
    edit: str
    title: str
    slug: str
    published: datetime
    paragraphs: tuple[str, ...]
    dateline: str
    byline: tuple[str, ...]
    pieces: tuple[Piece, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        day = self.published.strftime("%Y/%m/%d")
        return {
            "application": f"/story/{self.slug}-{digest(self.slug) % 90000 + 10000}",
            "blog_engine": f"/{day}/{self.slug}/",
            "tables": f"/archive/{self.published:%Y%m%d}/{self.slug}.htm",
            "amp": f"/{self.published:%Y-%m}/{self.slug}.amp.html",
            "divs": f"/news/{digest(self.slug) % 900000 + 100000}",
            "aggregator": f"/{self.slug}/",
            "broadcaster": f"/article/{self.slug}.html",
        }[self.outlet.template]

    @property
    def url(self) -> str:
        return f"https://{self.outlet.host}{self.path}"

    @property
    def words(self) -> dict[str, Any]:
        return self.outlet.words


# --- choices -------------------------------------------------------------------------------------


def digest(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6])


def choose(options: Sequence[str], key: str) -> str:
    return options[digest(key) % len(options)]


def slugify(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain.lower())[:9])


def smart(text: str) -> str:
    """Straight quotation marks made curly, spaced hyphens made dashes."""
    text = re.sub(r'"([^"]*)"', "“\\1”", text)
    return text.replace("'", "’").replace(" - ", " – ")


def restyle(text: str) -> str:
    """The house style of an outlet that is particular about it."""
    text = re.sub(r" ([ap])\.m\.(?= [A-Z])", r"\1m.", smart(text))
    return re.sub(r" ([ap])\.m\.", r"\1m", text).replace("percent", "per cent")


# --- reading the sources ---------------------------------------------------------------------------


def read_story(path: Path) -> Story:
    head, _, body = path.read_text(encoding="utf-8").partition("\n\n")
    values: dict[str, str] = {}
    captions: list[tuple[str, str]] = []
    for line in head.splitlines():
        key, _, value = line.partition(": ")
        if key == "caption":
            text, _, credit = value.partition(" | ")
            captions.append((text, credit))
        else:
            values[key] = value
    published = datetime.fromisoformat(values.pop("published"))
    return Story(
        id=path.stem,
        published=published,
        paragraphs=tuple(p.strip() for p in body.strip().split("\n\n")),
        captions=tuple(captions),
        **values,
    )


def read_world() -> tuple[dict[str, Story], dict[str, Outlet], dict[str, Any]]:
    stories = {path.stem: read_story(path) for path in sorted((HERE / "stories").glob("*.txt"))}
    words = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
    world = tomllib.loads((HERE / "world.toml").read_text(encoding="utf-8"))
    outlets = {
        key: Outlet(id=key, words=words[row["language"]], **row) for key, row in world["outlets"].items()
    }
    return stories, outlets, world


# --- editing ---------------------------------------------------------------------------------------


def edited(entry: dict[str, Any], story: Story, outlet: Outlet) -> Page:
    """The story as this outlet carries it, before any clutter."""
    edit = entry["edit"]
    paragraphs = list(story.paragraphs)
    title = entry.get("title", story.title)
    if edit == "truncated":
        paragraphs = paragraphs[: (len(paragraphs) + 1) // 2]
    for old, new in entry.get("replace", ()):
        assert any(old in p for p in paragraphs), (story.id, old)
        paragraphs = [p.replace(old, new) for p in paragraphs]
    if edit == "restyled":
        paragraphs = [restyle(p) for p in paragraphs]
        title = restyle(title)
    before = entry.get("before", [])
    paragraphs = [*before, *paragraphs, *entry.get("after", [])]
    dateline = "" if before else dateline_of(story, outlet)
    return Page(
        outlet=outlet,
        story=story,
        edit=edit,
        title=title,
        slug=entry.get("slug") or slugify(title) or f"{story.id}-{edit}",
        published=story.published + timedelta(hours=entry.get("hours", 0)),
        paragraphs=tuple(paragraphs),
        dateline=dateline,
        byline=byline_of(story, outlet, edit),
        options=entry,
    )


def dateline_of(story: Story, outlet: Outlet) -> str:
    """As filed, or in the form that the outlet's desk gives to all of them."""
    city = story.dateline.partition(" (")[0].partition(",")[0]
    if not story.dateline or story.language not in ("en", "de"):
        return story.dateline
    return {
        "application": story.dateline,
        "amp": f"{city} ({story.agency}) –",
        "aggregator": f"{city} ({story.agency}) —",
        "tables": f"{city.upper()} ({story.agency}) --",
    }.get(outlet.template, story.dateline)


def byline_of(story: Story, outlet: Outlet, edit: str) -> tuple[str, ...]:
    if not story.agency:
        return (story.author,)
    agency = BYLINE_NAMES.get(story.agency, story.agency)
    if edit in ("localised", "re-led") and outlet.staff:
        return (outlet.staff, agency)
    if outlet.template in ("application", "broadcaster"):
        return (story.author,)
    return (agency,)


def with_clutter(page: Page) -> Page:
    """Figures, promotions, teasers, tails and everything after the last sentence."""
    words, key, template = page.words, page.url, page.outlet.template
    fill = {"name": page.outlet.name, "year": page.published.year}

    def line(kind: str, salt: str = "") -> str:
        text = choose(words[kind], f"{key}{kind}{salt}")
        teaser = choose(words["teasers"], f"{key}teaser{salt}")
        return text.format(teaser=teaser, **fill)

    tailed = 3 if template in ("aggregator", "tables", "divs") else -1
    pieces: list[Piece] = []
    for i, text in enumerate(page.paragraphs):
        tail = choose(words["tail"], key) if i == tailed else ""
        pieces.append(Piece("story", text, lead=page.dateline if i == 0 else "", tail=tail))
        if i == 0 and template != "amp":
            pieces += figure(page, 0)
        if i == 1 and template in ("aggregator", "application", "divs"):
            pieces.append(Piece("register", line("register")))
        if i == 2 and template in ("blog_engine", "broadcaster", "application", "amp"):
            pieces.append(Piece("newsletter", line("newsletter")))
        if i == 3 and template in ("tables", "divs", "amp"):
            pieces.append(Piece("interruption", line("interruption")))
        if i == 4:
            pieces.append(Piece("related", line("related")))
        if i == 5:
            pieces += figure(page, 1)
        if i == 6 and template in ("application", "blog_engine", "divs", "aggregator"):
            pieces.append(Piece("support", line("support")))
        if i == 8 and template in ("aggregator", "broadcaster", "amp"):
            pieces.append(Piece("related", line("related", "2")))
    if page.story.signoff and page.edit in ("whole", "re-headlined", "updated", "restyled"):
        text = page.story.signoff
        if text.startswith("___ "):
            pieces.append(Piece("signoff", "___"))
            text = text.removeprefix("___ ")
        pieces.append(Piece("signoff", restyle(text) if page.edit == "restyled" else text))
    ending = {
        "application": ("trust", "feedback", "follow"),
        "blog_engine": ("tags", "share", "comment"),
        "tables": ("share", "feedback", "source"),
        "amp": ("follow", "tags"),
        "divs": ("feedback", "tags", "trust", "share"),
        "aggregator": ("trust", "source", "comment"),
        "broadcaster": ("follow", "share", "feedback"),
    }[template]
    for kind in ending:
        lines = [line(kind)] if kind not in ("share", "comment") else words[kind]
        pieces += [Piece(kind, text) for text in lines]
    return replace(page, pieces=tuple(pieces))


def figure(page: Page, number: int) -> list[Piece]:
    if number >= len(page.story.captions):
        return []
    text, credit = page.story.captions[number]
    return [
        Piece("figure", f"{text}. {credit}" if page.outlet.template != "tables" else f"{text} ({credit})")
    ]


# --- templates -------------------------------------------------------------------------------------


def esc(text: str) -> str:
    return html.escape(text, quote=False)


def attr(text: str) -> str:
    return html.escape(text)


def iso(page: Page) -> str:
    return page.published.strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(page: Page) -> str:
    month = page.words["months"][page.published.month - 1]
    pattern: str = page.words["date"]
    return pattern.format(month=month, day=page.published.day, year=page.published.year)


def by_of(page: Page) -> str:
    joined: str = page.words["and"].join(page.byline)
    pattern: str = page.words["by"]
    return pattern.format(joined)


def rights_of(page: Page) -> str:
    pattern: str = page.words["rights"]
    return pattern.format(year=page.published.year, name=page.outlet.name)


def nav_items(page: Page) -> str:
    return "".join(f'<li><a href="/s{i}/">{esc(label)}</a></li>' for i, label in enumerate(page.words["nav"]))


def most_read(page: Page, tag: str = "li") -> str:
    return "".join(
        f'<{tag}><a href="/t/{i}">{esc(teaser)}</a></{tag}>'
        for i, teaser in enumerate(page.words["teasers"])
        if (digest(page.url) + i) % 3
    )


def render(page: Page, forms: dict[str, Callable[[Piece], str]]) -> str:
    """The column of the article: each piece by the form its template has for it."""
    return "\n".join(forms.get(piece.kind, forms["story"])(piece) for piece in page.pieces)


def application(page: Page) -> str:
    """A client-rendered site: hashed classes, JSON-LD, a state script with the whole text again."""
    linked = json.dumps(
        {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": page.title,
            "datePublished": page.published.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "dateModified": (page.published + timedelta(minutes=24)).strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "author": [{"@type": "Person", "name": name} for name in page.byline],
            "publisher": {"@type": "NewsMediaOrganization", "name": page.outlet.name},
            "isAccessibleForFree": True,
            "mainEntityOfPage": page.url,
        },
        ensure_ascii=False,
    )
    state = json.dumps(
        {
            "page": {"id": digest(page.url) % 10**7, "section": page.words["nav"][1]},
            "offerEnds": "2031-01-01",
        },
        ensure_ascii=False,
    )
    body = render(
        page,
        {
            "story": lambda p: f'<p class="sc-1x7k paragraph_a9" data-testid="paragraph">{esc(lead(p))}</p>',
            "signoff": lambda p: f'<p class="sc-1x7k signoff_c2" data-testid="sign-off">{esc(p.text)}</p>',
            "figure": lambda p: (
                f'<figure class="sc-9qq media_0f"><div class="ratio"><img loading="lazy" src="/_img/{digest(p.text) % 9999}.webp"'
                f' alt="{attr(p.text)}"></div><figcaption data-testid="caption">{esc(p.text)}</figcaption></figure>'
            ),
            "register": lambda p: (
                f'<div class="sc-44p promo_b1" data-testid="registration"><p>{esc(p.text)}</p>'
                '<button type="button">OK</button></div>'
            ),
            "newsletter": lambda p: (
                f'<div class="sc-44p promo_b2" data-testid="newsletter"><p>{esc(p.text)}</p>'
                '<form><input type="email" name="mail"></form></div>'
            ),
            "support": lambda p: f'<p class="sc-1x7k paragraph_a9"><em>{esc(p.text)}</em></p>',
            "related": lambda p: (
                f'<p class="sc-1x7k link_7d"><a href="/story/{digest(p.text)}">{esc(p.text)}</a></p>'
            ),
            "trust": lambda p: f'<p class="sc-1x7k trust_e5">{esc(p.text)}</p>',
            "feedback": lambda p: f'<div class="sc-0a1 vote_11"><span>{esc(p.text)}</span></div>',
            "follow": lambda p: f'<div class="sc-0a1"><a href="/follow">{esc(p.text)}</a></div>',
        },
    )
    return f"""<!DOCTYPE html>
<html lang="{page.outlet.language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{esc(page.title)} | {esc(page.outlet.name)}</title>
<link rel="canonical" href="{page.url}">
<meta property="og:title" content="{attr(page.title)}"><meta property="og:site_name" content="{attr(page.outlet.name)}">
<meta property="og:type" content="article"><meta property="og:url" content="{page.url}">
<script type="application/ld+json">{linked}</script>
</head>
<body><div id="__next"><header class="sc-2hd" role="banner"><a href="/">{esc(page.outlet.name)}</a>
<nav class="sc-2nv"><ul>{nav_items(page)}</ul></nav></header>
<main id="main"><article class="sc-7ar">
<div class="sc-7hd"><h1 data-testid="headline">{esc(page.title)}</h1>
<div class="sc-7by"><span data-testid="byline">{esc(by_of(page))}</span>
<time datetime="{iso(page)}">{esc(day_of(page))}</time></div></div>
<div class="sc-7bd" data-testid="article-body">
{body}
</div></article>
<aside class="sc-8rl"><h2>{esc(page.words["most_read"])}</h2><ol>{most_read(page)}</ol></aside></main>
<footer class="sc-3ft"><p>{esc(rights_of(page))}</p></footer></div>
<script id="__NEXT_DATA__" type="application/json">{state}</script>
</body></html>
"""


def blog_engine(page: Page) -> str:
    """The blog engine that half the regional press runs on, with its usual plug-ins."""
    authors = page.words["and"].join(
        f'<a class="url fn n" rel="author" href="/author/{slugify(name) or "desk"}/">{esc(name)}</a>'
        for name in page.byline
    )
    comments = "".join(f"<p>{esc(p.text)}</p>" for p in page.pieces if p.kind == "comment")
    shares = "".join(
        f'<li><a class="share-button" href="?share={i}" title="{attr(p.text)}"><span>{esc(p.text)}</span></a></li>'
        for i, p in enumerate(p for p in page.pieces if p.kind == "share")
    )
    column = replace(page, pieces=tuple(p for p in page.pieces if p.kind not in ("comment", "share")))
    body = render(
        column,
        {
            "story": lambda p: f"<p>{linked_words(lead(p))}</p>",
            "signoff": lambda p: f"<p><em>{esc(p.text)}</em></p>",
            "figure": lambda p: (
                f'<figure id="attachment_{digest(p.text) % 99999}" class="wp-caption alignnone">'
                f'<img class="size-large wp-image" src="/wp-content/uploads/{digest(p.text) % 99999}.jpg" alt="">'
                f'<figcaption class="wp-caption-text">{esc(p.text)}</figcaption></figure>'
            ),
            "newsletter": lambda p: f'<div class="newsletter-box widget"><p>{esc(p.text)}</p></div>',
            "support": lambda p: f"<p><strong>{esc(p.text)}</strong></p>",
            "related": lambda p: (
                f'<p><strong><a href="/?p={digest(p.text) % 9999}">{esc(p.text)}</a></strong></p>'
            ),
            "tags": lambda p: f'<p class="post-tags">{esc(p.text)}</p>',
        },
    )
    return f"""<!DOCTYPE html>
<html lang="{page.outlet.language}">
<head>
<meta charset="UTF-8">
<title>{esc(page.title)} - {esc(page.outlet.name)}</title>
<link rel="canonical" href="{page.url}">
<meta property="og:type" content="article">
<meta property="og:title" content="{attr(page.title)} - {attr(page.outlet.name)}">
<meta property="article:published_time" content="{iso(page)}">
<meta property="og:site_name" content="{attr(page.outlet.name)}">
</head>
<body class="post-template-default single single-post postid-{digest(page.url) % 99999}">
<header id="masthead" class="site-header"><p class="site-title"><a href="/" rel="home">{esc(page.outlet.name)}</a></p>
<nav id="site-navigation"><ul class="menu">{nav_items(page)}</ul></nav></header>
<div id="content" class="site-content"><main id="main" class="site-main">
<article id="post-{digest(page.url) % 99999}" class="post type-post status-publish format-standard hentry">
<header class="entry-header"><h1 class="entry-title">{esc(page.title)}</h1>
<div class="entry-meta"><span class="posted-on"><time class="entry-date published" datetime="{iso(page)}">{esc(day_of(page))}</time></span>
<span class="byline"><span class="author vcard">{authors}</span></span></div></header>
<div class="entry-content">
{body}
<div class="sharedaddy sd-sharing-enabled"><ul>{shares}</ul></div>
<div id="jp-relatedposts" class="jp-relatedposts"><ul>{most_read(page)}</ul></div>
</div></article>
<div id="comments" class="comments-area"><div id="respond" class="comment-respond">{comments}</div></div>
</main><aside id="secondary" class="widget-area"><h2 class="widget-title">{esc(page.words["most_read"])}</h2><ul>{most_read(page)}</ul></aside></div>
<footer id="colophon" class="site-footer"><p>{esc(rights_of(page))}</p></footer>
</body></html>
"""


def tables(page: Page) -> str:
    """Laid out in nested tables around the turn of the century, and never touched since."""
    body = render(
        page,
        {
            "story": lambda p: f"{esc(lead(p))}{tail(p)}<br><br>",
            "signoff": lambda p: f"<i>{esc(p.text)}</i><br><br>",
            "figure": lambda p: (
                '<table align="right" width="240" cellpadding="4"><tr><td>'
                f'<img src="/pix/{digest(p.text) % 9999}.jpg" width="230" alt="{attr(p.text)}"></td></tr>'
                f'<tr><td><font size="1" color="#666666">{esc(p.text)}</font></td></tr></table>'
            ),
            "interruption": lambda p: f'<center><font size="1">{esc(p.text)}</font></center><br>',
            "related": lambda p: (
                f'<b><a href="/archive/{digest(p.text) % 9999}.htm">{esc(p.text)}</a></b><br><br>'
            ),
            "share": lambda p: (
                f'<a href="/tools/{digest(p.text) % 99}"><font size="1">{esc(p.text)}</font></a> '
            ),
            "feedback": lambda p: f'<br><br><font size="1">{esc(p.text)}</font><br>',
            "source": lambda p: f'<a href="/out?{digest(page.url) % 9999}">{esc(p.text)}</a><br>',
        },
    )
    by = f"<br>{esc(by_of(page))}" if not page.story.agency or page.outlet.staff in page.byline else ""
    cells = "".join(
        f'<tr><td bgcolor="#dde4ee"><a href="/{i}.htm"><font size="2">{esc(label)}</font></a></td></tr>'
        for i, label in enumerate(page.words["nav"])
    )
    return f"""<HTML>
<HEAD>
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset={page.outlet.charset}">
<TITLE>{esc(page.outlet.name)}: {esc(page.title)}</TITLE>
</HEAD>
<BODY bgcolor="#ffffff" link="#003366">
<table width="780" border="0" cellspacing="0" align="center">
<tr><td colspan="3"><img src="/pix/logo.gif" alt="{attr(page.outlet.name)}"></td></tr>
<tr><td width="130" valign="top"><table border="0">{cells}</table></td>
<td width="480" valign="top">
<h1><font face="Georgia">{esc(page.title)}</font></h1>
<font size="1">{esc(day_of(page))}{by}</font><br><br>
<font face="Georgia" size="3">
{body}
</font></td>
<td width="170" valign="top"><b>{esc(page.words["most_read"])}</b><br>{most_read(page, "p")}</td></tr>
<tr><td colspan="3" align="center"><font size="1">{esc(rights_of(page))}</font></td></tr>
</table>
</BODY>
</HTML>
"""


def amp(page: Page) -> str:
    """An AMP twin, as phones were once sent to."""
    linked = json.dumps(
        {
            "@context": "http://schema.org",
            "@type": "NewsArticle",
            "headline": page.title,
            "datePublished": iso(page),
            "author": [
                {"@type": "Organization" if page.story.agency else "Person", "name": name}
                for name in page.byline
            ],
            "publisher": {"@type": "Organization", "name": page.outlet.name},
        },
        ensure_ascii=False,
    )
    body = render(
        page,
        {
            "story": lambda p: f"<p>{strong_lead(p)}</p>",
            "signoff": lambda p: f'<p class="agency-note">{esc(p.text)}</p>',
            "figure": lambda p: (
                f'<figure><amp-img src="/i/{digest(p.text) % 9999}.jpg" width="1200" height="800" layout="responsive"'
                f' alt="{attr(p.text)}"></amp-img><figcaption>{esc(p.text)}</figcaption></figure>'
            ),
            "newsletter": lambda p: f'<section class="signup"><p>{esc(p.text)}</p></section>',
            "interruption": lambda p: (
                f'<div class="ad-slot"><span class="ad-label">{esc(p.text)}</span>'
                '<amp-ad width="300" height="250" type="none"></amp-ad></div>'
            ),
            "related": lambda p: (
                f'<p class="inline-link"><a href="/x/{digest(p.text) % 9999}">{esc(p.text)}</a></p>'
            ),
            "follow": lambda p: f'<p class="follow">{esc(p.text)}</p>',
            "tags": lambda p: f'<p class="topics">{esc(p.text)}</p>',
        },
    )
    share = "".join(
        f'<amp-social-share type="{kind}"></amp-social-share>' for kind in ("email", "twitter", "whatsapp")
    )
    return f"""<!doctype html>
<html amp lang="{page.outlet.language}">
<head><meta charset="utf-8"><script async src="https://cdn.ampproject.example/v0.js"></script>
<title>{esc(page.title)}</title>
<link rel="canonical" href="https://{page.outlet.host}{page.path}">
<meta name="viewport" content="width=device-width,minimum-scale=1">
<style amp-custom>body{{font:17px/1.5 serif}}.ad-slot{{text-align:center}}</style>
<script type="application/ld+json">{linked}</script></head>
<body><amp-sidebar id="menu" layout="nodisplay"><ul>{nav_items(page)}</ul></amp-sidebar>
<header><a href="/">{esc(page.outlet.name)}</a></header>
<article><h1>{esc(page.title)}</h1>
<p class="author">{esc(by_of(page))}</p><p class="date">{esc(day_of(page))}</p>
{share}
{body}
</article>
<section class="more"><h3>{esc(page.words["most_read"])}</h3><ul>{most_read(page)}</ul></section>
<footer>{esc(rights_of(page))}</footer></body></html>
"""


def divs(page: Page) -> str:
    """Nothing but div elements; captions stand twice, and clutter looks like the text around it."""

    def box(name: str, text: str) -> str:
        return f'<div class="{name}">{text}</div>'

    body = render(
        page,
        {
            "story": lambda p: box("t", f"{esc(lead(p))}{tail(p)}"),
            "signoff": lambda p: box("t", esc(p.text)),
            "figure": lambda p: box(
                "m",
                f'<img src="/d/{digest(p.text) % 9999}.jpg" alt="{attr(p.text)}">'
                + box("mc", esc(p.text))
                + box("mc", esc(p.text)),
            ),
            "interruption": lambda p: box("adv", esc(p.text)),
            "related": lambda p: box("t", f'<a href="/news/{digest(p.text) % 999999}">{esc(p.text)}</a>'),
        },
    )
    return f"""<!DOCTYPE html>
<html lang="{page.outlet.language}"><head><meta charset="utf-8">
<title>{esc(page.title)} - {esc(page.outlet.name)}</title>
<meta property="og:title" content="{attr(page.title)}">
<meta property="article:published_time" content="{iso(page)}">
<meta property="og:url" content="{page.url}">
</head><body>
<div class="wrap"><div class="top"><div class="logo">{esc(page.outlet.name)}</div><ul class="mn">{nav_items(page)}</ul></div>
<div class="cols"><div class="c1"><div class="hl"><h1>{esc(page.title)}</h1></div>
<div class="inf"><span>{esc(by_of(page))}</span> <span>{esc(day_of(page))}</span></div>
<div class="txt">
{body}
</div></div>
<div class="c2"><div class="bh">{esc(page.words["most_read"])}</div><ul>{most_read(page)}</ul></div></div>
<div class="bot">{esc(rights_of(page))}</div></div>
</body></html>
"""


def aggregator(page: Page) -> str:
    """A blog that reprints other people's copy: masthead lines, the title twice, captions twice."""
    body = render(
        page,
        {
            "story": lambda p: f"<p>{esc(lead(p))}{tail(p)}</p>",
            "figure": lambda p: (
                f'<div><img src="/up/{digest(p.text) % 9999}.jpg"><p>{esc(p.text)}</p><p>{esc(p.text)}</p></div>'
            ),
            "related": lambda p: (
                f'<div class="inl"><p><a href="/{digest(p.text) % 9999}/">{esc(p.text)}</a></p></div>'
            ),
            "source": lambda p: (
                f'<p><a href="https://{slugify(page.story.author) or "wire"}.example/">{esc(p.text)}</a></p>'
            ),
            "comment": lambda p: f"<p>{esc(p.text)}</p>",
        },
    )
    return f"""<!DOCTYPE html>
<html lang="{page.outlet.language}"><head><meta charset="utf-8">
<title>{esc(page.title)} - {esc(page.outlet.name)}</title>
<meta property="og:title" content="{attr(page.title)}"><meta property="og:site_name" content="{attr(page.outlet.name)}">
<meta property="article:published_time" content="{iso(page)}">
<link rel="canonical" href="{page.url}">
</head><body>
<div id="page"><div class="hdr"><p>{esc(page.outlet.name)}</p><p>{esc(page.outlet.tagline)}</p>
<ul>{nav_items(page)}</ul></div>
<div class="single"><h1>{esc(page.title)}</h1><p class="pm">{esc(day_of(page))} admin</p>
<div class="content">
<p>{esc(page.title)}</p>
{body}
</div></div>
<div class="sidebar"><h3>{esc(page.words["most_read"])}</h3><ul>{most_read(page)}</ul></div></div>
<footer><p>{esc(rights_of(page))}</p></footer>
</body></html>
"""


def broadcaster(page: Page) -> str:
    """Microdata, nested sections, a player above the text and link boxes within it."""
    authors = page.words["and"].join(
        f'<span itemprop="author" itemscope itemtype="https://schema.org/Person"><span itemprop="name">{esc(name)}</span></span>'
        for name in page.byline
    )
    by = page.words["by"].replace("{}", authors)
    share = "".join(f'<li><a href="#s">{esc(p.text)}</a></li>' for p in page.pieces if p.kind == "share")
    column = replace(page, pieces=tuple(p for p in page.pieces if p.kind != "share"))
    body = render(
        column,
        {
            "story": lambda p: f'<p class="article__text">{esc(lead(p))}</p>',
            "signoff": lambda p: f'<p class="article__text article__credit">{esc(p.text)}</p>',
            "figure": lambda p: (
                '<figure class="picture" itemprop="image" itemscope itemtype="https://schema.org/ImageObject">'
                f'<img src="/media/{digest(p.text) % 9999}.jpg" alt="{attr(p.text)}" title="{attr(p.text)}">'
                f'<figcaption class="picture__caption">{esc(p.text)}</figcaption></figure>'
            ),
            "newsletter": lambda p: f'<aside class="teaser-box"><p>{esc(p.text)}</p></aside>',
            "related": lambda p: (
                f'<div class="link-box"><ul><li><a href="/article/{digest(p.text) % 9999}.html">{esc(p.text)}</a></li></ul></div>'
            ),
            "follow": lambda p: f'<p class="article__text"><i>{esc(p.text)}</i></p>',
            "feedback": lambda p: f'<div class="feedback"><p>{esc(p.text)}</p></div>',
        },
    )
    return f"""<!DOCTYPE html>
<html lang="{page.outlet.language}">
<head><meta charset="utf-8"><title>{esc(page.title)} | {esc(page.outlet.name)}</title>
<link rel="canonical" href="{page.url}"><meta name="date" content="{iso(page)}">
<meta property="og:title" content="{attr(page.title)}"></head>
<body><div class="page"><div class="header" role="banner"><a href="/">{esc(page.outlet.name)}</a><ul>{nav_items(page)}</ul></div>
<main class="content"><article itemscope itemtype="https://schema.org/NewsArticle">
<h1 itemprop="headline">{esc(page.title)}</h1>
<div class="article__meta"><span class="by">{by}</span>
<time itemprop="datePublished" datetime="{iso(page)}">{esc(day_of(page))}</time></div>
<div class="player" data-src="/av/{digest(page.url) % 9999}.mp4"><button>▶ 1:{digest(page.url) % 50 + 10}</button></div>
<div class="article__body" itemprop="articleBody">
{body}
</div>
<ul class="sharing">{share}</ul></article>
<section class="ticker"><h2>{esc(page.words["most_read"])}</h2><ul>{most_read(page)}</ul></section></main>
<div class="footer">{esc(rights_of(page))}</div></div></body></html>
"""


def lead(piece: Piece) -> str:
    return f"{piece.lead} {piece.text}" if piece.lead else piece.text


def strong_lead(piece: Piece) -> str:
    return (f"<strong>{esc(piece.lead)}</strong> " if piece.lead else "") + esc(piece.text)


def tail(piece: Piece) -> str:
    return f' <a href="/more/{digest(piece.text) % 999}">{esc(piece.tail)}</a>' if piece.tail else ""


def linked_words(text: str) -> str:
    """A link on three words in the middle of a long paragraph, as a tag plug-in sets them."""
    words = esc(text).split(" ")
    if len(words) < 40:
        return " ".join(words)
    at = len(words) // 2
    return " ".join(
        [*words[:at], '<a href="/tag/x/">' + " ".join(words[at : at + 3]) + "</a>", *words[at + 3 :]]
    )


TEMPLATES: dict[str, Callable[[Page], str]] = {
    f.__name__: f for f in (application, blog_engine, tables, amp, divs, aggregator, broadcaster)
}


# --- the other kinds of file -----------------------------------------------------------------------


def mojibake(text: str) -> str:
    """UTF-8 read as Windows-1252, once, by somebody's script."""
    return "".join(
        "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in char.encode())
        if ord(char) > 127
        else char
        for char in text
    )


def copied_text(page: Page) -> tuple[str, list[str]]:
    """What the clipboard holds, and which of its lines are clutter."""
    words, lines, clutter = page.words, [], []

    def junk(text: str) -> None:
        lines.append(text)
        clutter.append(text.strip())

    fill = {"name": page.outlet.name, "teaser": words["teasers"][digest(page.slug) % 8]}
    portal = page.options["layout"] == "portal"
    if portal:
        for text in ("June 30, 2026", page.outlet.name, page.outlet.tagline):
            junk(text)
        lines.append(page.title)
        lines.append(page.title.replace("“", '"').replace("”", '"').replace("’", "'"))
        junk(words["register"][0].format(**fill))
    else:
        lines.append(page.title)
    captions = [f"{text}. {credit}" for text, credit in page.story.captions]
    for i, text in enumerate(page.paragraphs):
        shown = f"{page.dateline} {text}" if i == 0 and page.dateline else text
        if portal and i == 3:
            shown = mojibake(text)
        if portal and i == 5:
            shown = f"{text} {words['tail'][0]}"
            clutter.append(words["tail"][0])
        lines.append(shown)
        if i == 1 and captions:
            junk(captions[0])
            lines.append(captions[0])
        if i == 2:
            junk(words["related"][1].format(**fill) if portal else words["related"][0].format(**fill))
        if portal and i == 4:
            junk(words["register"][0].format(**fill))
        if portal and i == 7 and len(captions) > 1:
            junk(captions[1])
            lines.append(captions[1])
    if portal and page.story.signoff:
        junk(restyle(page.story.signoff))
        junk(words["trust"][0].format(**fill))
    else:
        junk(words["source"][0])
        for text in words["comment"]:
            junk(text)
    return "\n\n".join(lines) + "\n", list(dict.fromkeys(clutter))


def jsonl_record(page: Page) -> tuple[dict[str, Any], list[str]]:
    """What another tool hands over: a page, or text that still has its dateline and a promotion."""
    record: dict[str, Any] = {"id": f"{page.outlet.id}-{digest(page.url) % 10**6}", "url": page.url}
    if page.options.get("html"):
        return {**record, "html": TEMPLATES[page.outlet.template](page)}, clutter_of(page)
    promotion = page.words["newsletter"][0].format(name=page.outlet.name)
    paragraphs = [f"{page.dateline} {page.paragraphs[0]}".strip(), *page.paragraphs[1:]]
    paragraphs.insert(3, promotion)
    clutter = [promotion]
    if page.story.signoff and page.edit != "truncated":
        paragraphs.append(page.story.signoff)
        clutter.append(page.story.signoff)
    return {
        **record,
        "title": page.title,
        "text": "\n\n".join(paragraphs),
        "published_at": iso(page),
        "authors": list(page.byline),
        "language": page.outlet.language,
        "publisher": page.outlet.name,
    }, clutter


def warc(pages: Sequence[Page]) -> bytes:
    """A small archive, a gzip member a record, with one wrong charset in the HTTP headers."""
    fetched = max(page.published for page in pages) + timedelta(days=2)
    out = [warc_record("warcinfo", None, fetched, "application/warc-fields", b"software: by hand\r\n")]
    for page in pages:
        request = f"GET {page.path} HTTP/1.1\r\nHost: {page.outlet.host}\r\n\r\n".encode()
        out.append(warc_record("request", page.url, fetched, "application/http; msgtype=request", request))
        charset = "iso-8859-1" if page.outlet.language == "de" else page.outlet.charset
        body = TEMPLATES[page.outlet.template](page).encode(page.outlet.charset)
        response = (
            f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset={charset}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        out.append(warc_record("response", page.url, fetched, "application/http; msgtype=response", response))
    return b"".join(out)


def warc_record(kind: str, url: str | None, at: datetime, media_type: str, block: bytes) -> bytes:
    head = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{kind} {url}')}>",
        f"WARC-Date: {at:%Y-%m-%dT%H:%M:%SZ}",
        f"Content-Type: {media_type}",
        f"Content-Length: {len(block)}",
    ]
    if url:
        head.insert(2, f"WARC-Target-URI: {url}")
    return gzip.compress("\r\n".join(head).encode() + b"\r\n\r\n" + block + b"\r\n\r\n", mtime=0)


def section_front(outlet: Outlet) -> str:
    """A page that is no article: headlines, and nothing under them."""
    words = outlet.words
    cards = "\n".join(
        f'<article class="card hentry"><h2 class="entry-title"><a href="/2025/11/{i + 10}/{slugify(t)}/">{esc(t)}</a></h2>'
        f'<span class="posted-on">{i + 1} hours ago</span></article>'
        for i, t in enumerate(words["teasers"])
    )
    items = "".join(f"<li><a href='/s{i}/'>{esc(label)}</a></li>" for i, label in enumerate(words["nav"]))
    return f"""<!DOCTYPE html>
<html lang="{outlet.language}"><head><meta charset="UTF-8"><title>Politics - {esc(outlet.name)}</title>
<link rel="canonical" href="https://{outlet.host}/category/politics/"><meta property="og:type" content="website">
</head><body class="archive category category-politics">
<header class="site-header"><p class="site-title"><a href="/">{esc(outlet.name)}</a></p><ul class="menu">{items}</ul></header>
<main><h1 class="page-title">Politics</h1>
{cards}
<nav class="pagination"><a href="/category/politics/page/2/">Older posts</a></nav></main>
<footer><p>{esc(words["rights"].format(year=2025, name=outlet.name))}</p></footer></body></html>
"""


# --- the truth -------------------------------------------------------------------------------------


def clutter_of(page: Page) -> list[str]:
    """Every line of the article's column that is no part of the story."""
    found = [p.text for p in page.pieces if p.kind != "story" and p.text != "___"]
    found += [p.tail for p in page.pieces if p.tail]
    if page.outlet.template == "aggregator":
        found.append(page.title)
    return list(dict.fromkeys(found))


def truth(location: str, page: Page, clutter: list[str]) -> dict[str, Any]:
    text = "\n".join(page.paragraphs)
    kept = [c for c in clutter if c in text]
    assert not kept, (location, kept)
    byline_shown = page.outlet.template not in ("aggregator", "tables") or not page.story.agency
    agency = page.story.agency if page.dateline else ""
    return {
        "location": location,
        "url": page.url,
        "title": page.title,
        "text": text,
        "authors": list(page.byline) if byline_shown else None,
        "published_at": iso(page),
        "language": page.outlet.language,
        "agency": AGENCY_NAMES.get(agency, agency) or None,
        "story": page.story.id,
        "edit": page.edit,
        "clutter": clutter,
    }


def build(folder: Path) -> None:
    stories, outlets, world = read_world()

    def page_of(entry: dict[str, Any]) -> Page:
        return with_clutter(edited(entry, stories[entry["story"]], outlets[entry["outlet"]]))

    rows: list[dict[str, Any]] = []
    files: dict[str, bytes] = {}
    for page in map(page_of, world["pages"]):
        name = f"news/{page.outlet.host.removeprefix('www.').removeprefix('amp.')}/{page.slug}.html"
        body = TEMPLATES[page.outlet.template](page).encode(page.outlet.charset)
        if page.options.get("compressed"):
            name, body = f"{name}.gz", gzip.compress(body, mtime=0)
        files[name] = body
        # Two templates say nowhere where they come from: such a page is known by its file.
        rows.append(truth(name, page, clutter_of(page)))
        if page.outlet.template == "tables":
            rows[-1]["url"] = None

    for page in map(page_of, world["copied"]):
        name = f"news/copied/{page.options['file']}"
        text, clutter = copied_text(page)
        files[name] = text.encode()
        rows.append({**truth(name, page, clutter), "url": None, "authors": None, "published_at": None})

    lines = []
    for number, page in enumerate(map(page_of, world["records"]), 1):
        record, clutter = jsonl_record(page)
        lines.append(json.dumps(record, ensure_ascii=False))
        row = truth(f"news/records.jsonl#{number}", page, clutter)
        rows.append(row if page.options.get("html") else {**row, "authors": list(page.byline)})
    cut = '{"url": "https://globalheadlinesnow.example/cut/", "title": "A line that the disk ran out und'
    files["news/records.jsonl"] = "\n".join([*lines, cut, ""]).encode()
    rows.append({"location": f"news/records.jsonl#{len(lines) + 1}", "reasons": ["malformed record"]})

    archive = [page_of(entry) for entry in world["archive"]]
    files["news/archive.warc.gz"] = warc(archive)
    # The archive opens with a warcinfo record, and each response follows its request.
    rows += [truth(f"news/archive.warc.gz#{2 * i + 1}", p, clutter_of(p)) for i, p in enumerate(archive, 1)]

    files["news/northmeregazette.example/politics.html"] = section_front(outlets["gazette"]).encode()
    rows.append(
        {
            "location": "news/northmeregazette.example/politics.html",
            "reasons": ["section front", "no article"],
        }
    )
    # A download that was cut off: the gzip stream ends in the middle.
    whole = gzip.compress(b"<html><body>" + b"".join(b"<p>%d</p>" % i for i in range(999)), mtime=0)
    files["news/kaldvalleytimes.example/broken.html.gz"] = whole[:400]
    rows.append({"location": "news/kaldvalleytimes.example/broken.html.gz", "reasons": ["unreadable"]})

    assert len(files) == len({name.lower() for name in files})
    for name, body in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "truth.jsonl").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
