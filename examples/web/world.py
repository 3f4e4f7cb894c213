"""The outlets of the world, and what each of them carries in each edition. Reads stories/ and world.toml.

Pure but for reading those files: the same times give the same articles. Nothing here is HTML or HTTP.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

# What is there first; what came, went and was put right; and once more.
EDITIONS = (1, 2, 3)
# When each edition came out.
Clock = Mapping[int, datetime]


@dataclass(frozen=True, slots=True)
class Story:
    """One text as its agency or reporter filed it; hours: its age when the first edition came out."""

    id: str
    language: str
    title: str
    author: str
    hours: float
    paragraphs: tuple[str, ...]
    agency: str = ""
    dateline: str = ""
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Outlet:
    """One site; world.toml says what each field is for. rows: its articles there, as they stand."""

    key: str
    host: str
    name: str
    language: str
    template: str
    path: str
    feeds: tuple[tuple[str, str], ...]
    rows: tuple[Mapping[str, Any], ...]
    links: str = "plain"
    charset: str = "utf-8"
    charset_in: str = "header"
    validators: str = "both"
    robots: tuple[str, ...] = ()
    oddities: tuple[tuple[str, str], ...] = ()
    expired: int = 0

    @property
    def base(self) -> str:
        return f"http://{self.host}"

    def twin(self, label: str) -> str:
        """The base of the outlet's twin for telephones, e.g. http://m.gazette.example."""
        return f"http://{label}.{self.host.removeprefix('www.')}"


@dataclass(frozen=True, slots=True)
class Article:
    """A story on an outlet, as one edition has it.

    dateline: what stands before the first paragraph and is no part of it. only: "sections" where no feed
    names it. gone: the status that answers for it, 0 while it is there. syndicated: the URL that its
    canonical link names, if that is another outlet's.
    """

    outlet: Outlet
    story: Story
    title: str
    paragraphs: tuple[str, ...]
    published: datetime
    modified: datetime
    links: str
    only: str = ""
    paywalled: bool = False
    gone: int = 0
    syndicated: str = ""

    @property
    def id(self) -> str:
        """How tests call it, e.g. herald/turbine."""
        return f"{self.outlet.key}/{self.story.id}"

    @property
    def number(self) -> int:
        return 100_000 + zlib.crc32(self.id.encode()) % 900_000

    @property
    def path(self) -> str:
        return self.outlet.path.format(
            slug=slugify(self.title) or self.story.id,
            story=self.story.id,
            number=self.number,
            day=f"{self.published:%Y/%m/%d}",
        )

    @property
    def url(self) -> str:
        return self.outlet.base + self.path

    @property
    def is_corrected(self) -> bool:
        return self.modified != self.published

    @property
    def address(self) -> str:
        """The URL that the outlet's feeds give for it."""
        url, outlet = self.url, self.outlet
        joint = "&" if "?" in url else "?"
        return {
            "plain": url,
            "tracked": f"{url}{joint}utm_source=rss&utm_medium=feed&utm_campaign=all",
            "slashless": url.removesuffix("/"),
            "moved": f"{outlet.base}/alt/{self.number}.html",
            "session": f"{url};jsessionid=5D7A{self.number:06X}",
            "amp": outlet.twin("amp") + self.path,
            "mobile": outlet.twin("m") + self.path,
            "print": f"{url}{joint}print=1",
            "out": f"{outlet.base}/out/{self.number}",
        }[self.links]


def slugify(title: str) -> str:
    """The first nine words of a headline as they stand in an address; "" where none is in Latin letters."""
    plain = unicodedata.normalize("NFKD", title.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain.lower())[:9])


def began(clock: Clock) -> datetime:
    """The full hour in which the first edition came out, from which the age of stories counts."""
    return clock[1].replace(minute=0, second=0, microsecond=0)


@cache
def stories() -> Mapping[str, Story]:
    return {
        path.stem: _story(path) for path in sorted((HERE / "stories").glob("*.txt")) if "." not in path.stem
    }


@cache
def outlets() -> Mapping[str, Outlet]:
    tables = tomllib.loads((HERE / "world.toml").read_text(encoding="utf-8"))["outlets"]
    return {key: _outlet(key, table) for key, table in tables.items()}


def articles(outlet: Outlet, edition: int, clock: Clock) -> list[Article]:
    """Every article of an outlet in an edition, those that are gone included, in the order of world.toml."""
    return [_article(outlet, row, edition, clock) for row in outlet.rows if row.get("since", 1) <= edition]


def _article(outlet: Outlet, row: Mapping[str, Any], edition: int, clock: Clock) -> Article:
    story = stories()[row["story"]]
    paragraphs = list(story.paragraphs)
    if row.get("form") == "cut":
        paragraphs = paragraphs[: (len(paragraphs) + 1) // 2]
    elif row.get("form") == "localised":
        own = _paragraphs((HERE / "stories" / f"{story.id}.{outlet.key}.txt").read_text(encoding="utf-8"))
        paragraphs[2:2] = own[:1]
        paragraphs += own[1:]
    published = began(clock) - timedelta(hours=story.hours)
    modified = published
    for since, old, new in row.get("correct", ()):
        if since <= edition:
            before = paragraphs
            paragraphs = [paragraph.replace(old, new) for paragraph in paragraphs]
            assert paragraphs != before, (outlet.key, story.id, old)
            modified = clock[since]
    gone_since, status = row.get("gone", (edition + 1, 0))
    syndicated = ""
    if "syndicated" in row:
        source = outlets()[row["syndicated"]]
        original = next(r for r in source.rows if r["story"] == story.id)
        syndicated = _article(source, original, edition, clock).url
    return Article(
        outlet=outlet,
        story=story,
        title=row.get("title", story.title),
        paragraphs=tuple(paragraphs),
        published=published,
        modified=modified,
        links=row.get("links", outlet.links),
        only=row.get("only", ""),
        paywalled=row.get("paywalled", False),
        gone=status if gone_since <= edition else 0,
        syndicated=syndicated,
    )


def _story(path: Path) -> Story:
    head, _, body = path.read_text(encoding="utf-8").partition("\n\n")
    values: dict[str, Any] = dict(line.split(": ", 1) for line in head.splitlines())
    return Story(path.stem, hours=float(values.pop("hours")), paragraphs=tuple(_paragraphs(body)), **values)


def _paragraphs(text: str) -> list[str]:
    return [paragraph.strip() for paragraph in text.strip().split("\n\n")]


def _outlet(key: str, table: Mapping[str, Any]) -> Outlet:
    values: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in table.items() if name != "articles"
    }
    for name in ("feeds", "oddities"):
        values[name] = tuple((first, second) for first, second in values.get(name, ()))
    return Outlet(key, rows=tuple(table["articles"]), **values)
