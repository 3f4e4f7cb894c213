"""A database with everything that the pages show: two outlets of the examples, and records of our own."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from crawler.runs import ingest
from pipeline.settings import Settings
from storage.crawls import site_runs
from storage.database import open_database
from storage.watching import Rule, add_watchlist
from tests.copydesk.conftest import NEWS
from tests.copydesk.web.conftest import HOSTILE_RECORD, OUTLETS
from tests.storage.past import remember

# More than two pages of stories, each of one article. They come after all of the examples.
MANY = 120
FIRST_OF_MANY = datetime(2026, 1, 1, tzinfo=UTC)
ALERT = "no article was found, 40 are usual"

# Two copies, of which one calls the harbour a port.
ONE_WORD = (
    "The lantern boat came into the harbour with all lamps lit late on Sunday evening.\n"
    "Hundreds of people stood on the quay, and the choir of the fishermen sang three old songs.\n"
    "The mayor thanked the crew for the journey along the coast and gave each of them a scarf.\n"
    "The boat is to stay until Friday, when schools may visit it and see how the lamps are made."
)
TITLE_OF_ONE_WORD = "Lantern boat comes home with all its lamps lit"
ARABIC = (
    "أعلنت السلطات المحلية يوم الأحد إعادة فتح الجسر القديم بعد أعمال ترميم استمرت عامين كاملين في المدينة.\n"
    "وقال رئيس البلدية إن المهندسين استبدلوا الألواح الخشبية التالفة وعززوا الأعمدة الحجرية بطبقة جديدة.\n"
    "ومن المتوقع أن يعبر الجسر آلاف السكان كل يوم في طريقهم إلى الأسواق والمدارس القريبة من النهر."
)
ARABIC_TITLE = "إعادة فتح الجسر القديم بعد عامين من الترميم"
CHINESE = (
    "市政府周日宣布，经过两年的修缮，老桥重新向行人开放，数百名居民参加了上午举行的简短仪式。\n"
    "市长表示，工程师更换了损坏的木板，并加固了石柱，使这座有三百年历史的桥梁能够继续使用。\n"
    "预计每天将有数千人通过这座桥前往附近的市场和学校，夜间桥上还会点亮新安装的灯光。"
)
CHINESE_TITLE = "老桥修缮两年后重新开放"
REVISED = "Council puts the vote on the tram line off"

_WORDS = re.findall(
    r"\w+",
    """
    amber anchor apron autumn bakery barley basket beacon birch bridge bucket canal candle canvas cellar
    chapel cherry clover cobble copper cotton cradle dairy ember engine fiddle flint garden ginger
    granite hazel hollow island ivory kettle ladder lantern linen maple marble meadow mirror needle
    nutmeg orchard paddle parcel pebble pepper pillar planet ribbon saddle saffron shelter silver
    thimble timber tunnel velvet village walnut willow
    """,
)


def make_world(folder: Path) -> str:
    """Make the database in the folder; returns its URL."""
    url = f"sqlite:///{folder}/world.db"
    engine = open_database(url)
    hostile = f"{HOSTILE_RECORD['title']} \u202e\u0634"
    rule = Rule(hostile, "ferry OR tram OR زورق", min_sites=2, outlets=3, ways=("mail:a@b.example", "feed"))
    add_watchlist(engine, rule, datetime.now(UTC))
    records = [HOSTILE_RECORD, *_copies(), *_scripts(), _tram("on Monday"), *many_records(0, MANY)]
    add(engine, folder, records, *(str(NEWS / name) for name in OUTLETS))
    add(engine, folder, [_tram("on Tuesday, after a long debate")])
    _remember_crawls(engine)
    engine.dispose()
    return url


def add(engine: Engine, folder: Path, records: Iterable[Mapping[str, Any]], *others: str) -> None:
    """Ingest records, and files."""
    path = folder / f"records-{len(list(folder.iterdir()))}.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    ingest(engine, [str(path), *others], workers=1, settings=Settings())


def many_records(first: int, count: int, *, start: datetime = FIRST_OF_MANY) -> list[dict[str, Any]]:
    """Stories that have nothing in common; the same numbers give the same ones."""
    return [_story(number, start + timedelta(hours=number)) for number in range(first, first + count)]


def _story(number: int, at: datetime) -> dict[str, Any]:
    chosen = random.Random(number)

    def sentence() -> str:
        return " ".join(("The", *chosen.choices(_WORDS, k=14), "was seen.")).capitalize()

    return {
        "url": f"https://daily{number % 7}.example/story/{number}",
        "title": f"{' '.join(chosen.sample(_WORDS, 4)).capitalize()} ({number})",
        "published_at": at.isoformat(),
        "text": "\n".join(sentence() for _ in range(4)),
    }


def _copies() -> list[dict[str, Any]]:
    made = []
    for hour, site in enumerate(("harbour-news.example", "coast-post.example", "valley-mail.example")):
        text = ONE_WORD if hour != 1 else ONE_WORD.replace("into the harbour", "into the port")
        made.append(
            {
                "url": f"https://{site}/lantern",
                "title": TITLE_OF_ONE_WORD,
                "published_at": datetime(2025, 12, 28, 8 + 2 * hour, tzinfo=UTC).isoformat(),
                "text": text,
            }
        )
    return made


def _scripts() -> list[dict[str, Any]]:
    arabic = {"url": "https://jisr.example/1", "title": ARABIC_TITLE, "text": ARABIC, "language": "ar"}
    chinese = {"url": "https://qiao.example/1", "title": CHINESE_TITLE, "text": CHINESE, "language": "zh"}
    return [{**one, "published_at": "2025-12-27T10:00:00Z"} for one in (arabic, chinese)]


def _tram(when: str) -> dict[str, Any]:
    return {
        "url": "https://tramway.example/vote",
        "title": REVISED,
        "published_at": "2025-12-26T10:00:00Z",
        "text": f"The council put the vote on the new tram line off {when}, its chairwoman said.\n"
        "Members of all parties had asked for more time to read the report on noise and on the trees.\n"
        "The line is to run from the old barracks past the hospital to the station in nineteen minutes.",
    }


def _remember_crawls(engine: Engine) -> None:
    """Ten crawls of two sites, of which the last one of the site herald found nothing."""
    now = datetime.now(UTC)
    run = 0
    for day in range(10, 0, -1):
        usual: dict[str, Any] = {"discovered": 40, "fetched": 30, "stored": 30 - day, "sources": 1}
        remember(engine, now - timedelta(days=day), "gazette", **usual)
        figures = usual if day > 1 else {"sources_failed": 1, "sources": 1}
        run = remember(engine, now - timedelta(days=day), "herald", **figures)
    site_runs.put_alerts(
        engine, run, {"herald": [{"figure": "discovered", "was": 40, "now": 0, "message": ALERT}]}
    )
