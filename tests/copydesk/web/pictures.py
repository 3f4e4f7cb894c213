"""Pictures of the desk for the documentation: `python -m tests.copydesk.web.pictures` makes them anew.

They show the examples, as if a crawl had seen each copy within the hour after it was out.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, update

from copydesk.web import DeskSettings, make_app
from crawler.runs import ingest
from pipeline.settings import Settings
from storage import reader, schema
from storage.database import open_database
from tests.copydesk.conftest import NEWS
from tests.copydesk.web.browser.running import TIMEOUT, browsing, serving

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "images"
WIDTH = 1120
_HEADLINE = "Ferry with 214 aboard runs aground off Port Callan"
_SITE, _OTHER = "kaldvalleytimes.example", "northmeregazette.example"


@dataclass(frozen=True, slots=True)
class Picture:
    """A page, what must be on it before it is taken, and how much of it."""

    name: str
    address: str
    shows: str
    height: int = 660

    @property
    def file(self) -> str:
        return f"desk-{self.name}.png"


def make_pictures(folder: Path) -> list[tuple[Picture, Path]]:
    """Make all of them in the folder; returns them with their paths."""
    with tempfile.TemporaryDirectory() as made:
        url = f"sqlite:///{made}/news.db"
        engine = open_database(url)
        ingest(engine, [os.path.relpath(NEWS)], workers=1, settings=Settings())
        _see_in_time(engine)
        pictures = _pictures(engine)
        engine.dispose()
        with serving(make_app(DeskSettings(url, seconds=120))) as port, browsing() as browser:
            context = browser.new_context(
                base_url=f"http://127.0.0.1:{port}",
                color_scheme="light",
                locale="en-GB",
                timezone_id="UTC",
            )
            context.set_default_timeout(TIMEOUT)
            page = context.new_page()
            for picture in pictures:
                page.set_viewport_size({"width": WIDTH, "height": picture.height})
                page.goto(picture.address)
                page.locator(picture.shows).first.wait_for()
                page.screenshot(path=folder / picture.file)
    return [(picture, folder / picture.file) for picture in pictures]


def _see_in_time(engine: Engine) -> None:
    """Undated copies are seen after all others of their story."""
    articles = list(reader.articles(engine))
    with engine.begin() as connection:
        for one in articles:
            dates = [other.published_at for other in articles if other.group_id == one.group_id]
            last = max((date for date in dates if date is not None), default=None)
            if published := one.published_at or last:
                seen = published + timedelta(minutes=4 + 13 * one.id % 51)
                found = schema.article.c.id == one.id
                connection.execute(update(schema.article).where(found).values(first_seen_at=seen))


def _pictures(engine: Engine) -> list[Picture]:
    copies = {one.site: one for one in reader.articles(engine) if one.title == _HEADLINE}
    one, other = copies[_SITE], copies[_OTHER]
    story = f"/stories/{one.group_id}"
    return [
        Picture("stories", "/?min_sites=2", "[data-story]"),
        Picture("story", story, "svg.spread .stated"),
        Picture("diff", f"{story}/diff?a={one.id}&b={other.id}", "tr[data-kind]"),
        Picture("article", f"/articles/{one.id}?removed=1", ".removed", height=520),
        Picture("search", "/search?q=strike+OR+%22ran+aground%22&unique=1", "mark", height=520),
    ]


if __name__ == "__main__":
    for _, path in make_pictures(FOLDER):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")
