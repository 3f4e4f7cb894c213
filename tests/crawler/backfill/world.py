"""A made world of documents of any size, with everything that a backfill has to get right.

Articles of twelve outlets: revisions of one URL, copies of wire stories, whole and cut, documents that come
twice, pages of one template, stated copies, stubs, lines of sites that get learned, rules of a site, and
documents that are rejected. They come as JSON Lines, as a folder of pages, as WARC files, one without its
beginning and one without its end, and in an archive with two members of one name.
"""

from __future__ import annotations

import json
import os
import random
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

from tests.crawler.files.making import response, warc
from tests.storage.news import cut, story

START = datetime(2026, 3, 1, 6, tzinfo=UTC)
# When the files of the folder were fetched, if a page says nothing.
_CHANGED = 1_773_000_000

OUTLETS = tuple(f"outlet{number}.example" for number in range(12))
AGENCIES = ("Reuters", "AFP", "dpa")
# A line that every page of an outlet has and no rule knows, and one that the rules of a site remove.
LEARNED_LINE = "Walks with the newsroom of {site}, in all weathers and at any hour"
RULED_LINE = "Join the friends of the Gazette tonight"

SITES = f"""
[sites.gazette]
homepage = "https://{OUTLETS[0]}/"
feeds = ["https://{OUTLETS[0]}/feed"]
[sites.gazette.rules]
clutter = ["{RULED_LINE}"]
drop = [".promo"]
"""

# Shares of what comes: of each hundred documents so many.
_KINDS = {
    "own": 34,
    "wire": 30,
    "revision": 8,
    "duplicate": 6,
    "template": 12,
    "stated": 4,
    "stub": 2,
    "rejected": 4,
}


@dataclass(frozen=True, slots=True)
class World:
    """inputs: paths, in the order in which they are read. sites_file: rules of one of the outlets."""

    inputs: tuple[str, ...]
    sites_file: str


@dataclass(frozen=True, slots=True)
class _Page:
    """What one document says. canonical: the link that it states; None for none."""

    url: str
    title: str
    text: str
    published_at: datetime
    fetched_at: datetime
    canonical: str | None = None
    is_stub: bool = False
    is_broken: bool = False


def make_world(folder: Path, documents: int, *, seed: int = 1, templates: int | None = None) -> World:
    """Write so many documents, about. templates: of one template; a share of all if not given."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = list(_pages(documents, random.Random(seed)))
    pages += [_template(number) for number in range(templates or 0)]
    # Half as JSON Lines, a third in a WARC file, the rest in a folder. What belongs together is spread.
    records = [page for n, page in enumerate(pages) if n % 6 < 3]
    archived = [page for n, page in enumerate(pages) if n % 6 in (3, 4)]
    saved = [page for n, page in enumerate(pages) if n % 6 == 5]
    middle = len(records) // 2
    for name, some in (("a.jsonl", records[:middle]), ("z.jsonl", records[middle:])):
        (folder / name).write_text("".join(_line(page) for page in some))
    (folder / "b.warc.gz").write_bytes(
        warc(
            *(
                response(page.url, _html(page), date=f"{page.fetched_at:%Y-%m-%dT%H:%M:%SZ}")
                for page in archived
            ),
            packed=True,
        )
    )
    whole = (folder / "b.warc.gz").read_bytes()
    (folder / "c.warc.gz").write_bytes(whole[len(whole) // 3 : len(whole) // 2])
    (folder / "d.warc.gz").write_bytes(whole[: len(whole) // 2])
    _zip(folder / "e.zip", saved[:6])
    _save(folder / "pages", saved)
    names = ("a.jsonl", "b.warc.gz", "c.warc.gz", "d.warc.gz", "e.zip", "pages", "z.jsonl")
    for name in names:
        os.utime(folder / name, (_CHANGED, _CHANGED))
    sites = folder / "sites.toml"
    sites.write_text(SITES)
    return World(tuple(str(folder / name) for name in names), str(sites))


def _pages(documents: int, chance: random.Random) -> Iterator[_Page]:
    made: list[_Page] = []
    kinds = chance.choices(list(_KINDS), list(_KINDS.values()), k=documents)
    for number, kind in enumerate(kinds):
        page = _page(number, kind, made, chance)
        made.append(page)
        yield page


def _page(number: int, kind: str, made: list[_Page], chance: random.Random) -> _Page:
    site = OUTLETS[number % len(OUTLETS)]
    at = START + timedelta(minutes=2 * (number // 3), seconds=number % 60)
    url = f"https://www.{site}/news/{number}"
    if kind == "template":
        return _template(number)
    if kind == "revision" and made:
        old = chance.choice(made[-60:])
        lines = [*old.text.split("\n"), f"This was added after {number} minutes."]
        return _Page(old.url, old.title, "\n".join(lines), old.published_at, at, old.canonical)
    if kind == "duplicate" and made:
        return chance.choice(made[-60:])
    if kind == "rejected":
        return _Page(url, "", "", at, at, is_broken=True)
    if kind == "wire":
        # A few outlets print each story of an agency, within hours.
        wire = number // 9
        text = cut(story(wire, 110), chance.choice([1.0, 1.0, 0.8]))
        agency = AGENCIES[wire % len(AGENCIES)]
        lead = f"OSTWICK ({agency}) - {text}" if chance.random() < 0.7 else text
        return _Page(url, f"Wire story {wire} of the day", lead, at, at)
    text = story(100_000 + number, chance.choice([70, 110, 160]))
    if kind == "stated" and made:
        origin = chance.choice(made[-40:])
        return _Page(url, origin.title, origin.text, at, at, canonical=origin.url)
    if kind == "stub":
        return _Page(url, f"For subscribers {number}", text, at, at, is_stub=True)
    return _Page(url, f"Own report {number} from the town hall", text, at, at)


def _template(number: int) -> _Page:
    """The same sentences with different figures, as the weather has them."""
    site = OUTLETS[number % 3]
    at = START + timedelta(minutes=number)
    text = (
        f"The forecast for district {number} is as follows, says the office that watches the sky.\n"
        f"In the morning it is {number % 30} degrees, and the wind from the west has {number % 17} knots.\n"
        "Fog is to be expected in the valleys, and whoever drives early should take some more time.\n"
        f"The water at the gauge stands at {200 + number % 300} centimetres, which is usual for the season."
    )
    return _Page(f"https://www.{site}/weather/{number}", f"Weather for district {number}", text, at, at)


def _line(page: _Page) -> str:
    if page.is_broken:
        return '{"text": \n'
    record = {
        "url": page.url,
        "title": page.title,
        "text": f"{page.text}\n{_learned_line(page)}",
        "published_at": page.published_at.isoformat(),
    }
    return json.dumps(record) + "\n"


def _learned_line(page: _Page) -> str:
    return LEARNED_LINE.format(site=page.url.split("/")[2].removeprefix("www."))


def _html(page: _Page) -> bytes:
    if page.is_broken:
        return b"<!doctype html><html><head><title>Nothing</title></head><body></body></html>"
    canonical = page.canonical or page.url
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in page.text.split("\n"))
    access = (
        '<script type="application/ld+json">{"@type": "NewsArticle", "isAccessibleForFree": false}</script>'
        if page.is_stub
        else ""
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(page.title)}</title>'
        f'<link rel="canonical" href="{canonical}"><meta property="og:type" content="article">'
        f'<meta property="article:published_time" content="{page.published_at.isoformat()}">{access}</head>'
        '<body><nav><a href="/">Home</a> <a href="/about">About us</a></nav>'
        f"<article><h1>{escape(page.title)}</h1>{paragraphs}"
        f'<p>{_learned_line(page)}</p><p>{RULED_LINE}</p><div class="promo"><p>Buy it.</p></div>'
        "</article><footer>All rights reserved</footer></body></html>"
    ).encode()


def _zip(path: Path, pages: list[_Page]) -> None:
    """An archive in which two pages, or a page and an empty one, have one name: outcomes at one location."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore", UserWarning)
        for number, page in enumerate(pages):
            info = zipfile.ZipInfo(f"page{number // 2}.html", (2026, 3, 2, 10, number, 0))
            archive.writestr(info, b"" if number == 3 else _html(page))


def _save(folder: Path, pages: list[_Page]) -> None:
    folder.mkdir(exist_ok=True)
    for number, page in enumerate(pages):
        path = folder / f"{number:06}.html"
        path.write_bytes(_html(page))
        at = int(page.fetched_at.timestamp())
        os.utime(path, (at, at))
