"""One small site for each fault, all alike: what becomes of it and of its sound pages can be told apart.

The site of a trial is http://KEY.trials.example/. Its feed names two sound articles and, where an article is
on trial, `/faulty` between them. Where a feed, sitemap or section is on trial, that is `/faulty`, and the
site has the sound feed beside it. Trials of robots.txt have nothing at fault but that.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from . import pages, sources
from .server import World
from .web import Resource
from .world import Article, Outlet, stories

Place = Literal["article", "feed", "sitemap", "section", "robots"]

_THINGS = ("ferry", "tunnel", "tram", "library", "market hall", "lighthouse", "water tower")
_PLACES = ("Oldhaven", "Marrow Bay", "Tessel", "Quernmouth", "Upper Dale", "Farthing Isle")
_NAMES = ("Ada Quill", "Ben Marsh", "Cora Lind", "Dov Ister", "Ede Varga")


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault on trial, by its name in FAULTS, and what has it; times: how many requests it answers."""

    fault: str
    place: Place = "article"
    times: int = 1_000_000

    @property
    def key(self) -> str:
        return f"{self.fault}-{self.place}" + ("-once" if self.times == 1 else "")

    @property
    def base(self) -> str:
        return f"http://{self.key}.trials.example"

    @property
    def site(self) -> dict[str, Any]:
        """Its entry for a sites file."""
        entry: dict[str, Any] = {"homepage": f"{self.base}/", "feeds": [f"{self.base}/feed.xml"]}
        if self.place == "feed":
            entry["feeds"].append(f"{self.base}/faulty")
        elif self.place == "sitemap":
            entry["sitemaps"] = [f"{self.base}/faulty"]
        elif self.place == "section":
            entry |= {"sections": [f"{self.base}/faulty"], "section_depth": 3}
        return entry


def hold(world: World, trial: Trial) -> None:
    """Put the site of a trial into the world, and its fault in place."""
    world.extra.update(_site(trial))
    if trial.place == "section":
        world.spoil(f"{trial.base}/*", trial.fault, times=trial.times)
    else:
        where = "/robots.txt" if trial.place == "robots" else "/faulty*"
        world.spoil(trial.base + where, trial.fault, times=trial.times)


def sound_pages(host: str, names: tuple[str, ...]) -> dict[str, Resource]:
    """Articles at http://HOST/NAME, each with a text of its own, and a feed at /feed.xml that names them."""
    outlet = Outlet(host, host, host.partition(".")[0], "en", "plain", "/{story}", (), ())
    found = {}
    entries = []
    for name in names:
        article = _article(outlet, name)
        body = pages.article_page(article)
        found[article.url] = Resource(body)
        entries.append(sources.Entry(article.url, article.title, article.published))
    feed = sources.rss(outlet.name, outlet.base + "/", "en", entries)
    found[f"{outlet.base}/feed.xml"] = Resource(feed, "application/rss+xml", validators="etag")
    return found


def _site(trial: Trial) -> Mapping[str, Resource]:
    host = f"{trial.key}.trials.example"
    if trial.place == "article":
        return sound_pages(host, ("before", "faulty", "after"))
    found = sound_pages(host, ("before", "after"))
    if trial.place in ("feed", "sitemap"):
        other = sound_pages(host, ("behind",))
        feed = other.pop(f"{trial.base}/feed.xml")
        return {**found, **other, f"{trial.base}/faulty": replace(feed, validators="")}
    return found


def _article(outlet: Outlet, name: str) -> Article:
    story = stories()["lab"]
    seed = zlib.crc32(f"{outlet.key}/{name}".encode())
    values = {
        "thing": _THINGS[seed % 7],
        "place": _PLACES[seed // 7 % 6],
        "name": _NAMES[seed // 42 % 5],
        "number": str(seed // 210 % 900 + 100),
        "other": str(seed // 189_000 % 90 + 10),
        "cost": str(seed % 9000 + 1000),
    }
    published = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=story.hours)
    return Article(
        outlet=outlet,
        story=replace(story, id=name),
        title=story.title.format(**values),
        paragraphs=tuple(paragraph.format(**values) for paragraph in story.paragraphs),
        published=published,
        modified=published,
        links="plain",
    )
