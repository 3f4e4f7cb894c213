"""The messages and exit status of a crawl that cannot store its articles, however it was started."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import open_database
from tests import forked
from tests.crawler.crawling import ROOT, Desk
from tests.crawler.spiders.test_spiders import OWN_SPIDER
from tests.crawler.web import Page, Web, article, rss, serve
from tests.waiting import PATIENCE, wait_until

SAFE = "What was stored is safe; fix the cause, and start the same crawl again"


@pytest.fixture
def web() -> Iterator[Web]:
    with serve() as made:
        links = "".join(f'<a class=story href="/story/{number}">{number}</a>' for number in range(200))
        made.pages["/front"] = Page(links.encode())
        made.pages["/rss.xml"] = Page(
            rss([f"{made.base}/story/{number}" for number in range(200)]), "application/rss+xml", etag='"1"'
        )
        for number in range(200):
            made.pages[f"/story/{number}"] = Page(article(number), delay=0.3)
        yield made


@pytest.fixture
def desk(tmp_path: Path, web: Web) -> Desk:
    made = Desk(tmp_path)
    entry = {"homepage": f"{web.base}/", "feeds": [f"{web.base}/rss.xml"]}
    made.write_sites({"gazette": {**entry, "politeness": {"delay": 0, "concurrent_requests": 1}}})
    open_database(made.url).dispose()
    return made


def _drop(desk: Desk, table: str) -> None:
    with closing(sqlite3.connect(desk.folder / "copydesk.db", timeout=30)) as connection:
        connection.execute(f"DROP TABLE {table}")
        connection.commit()


def _command(desk: Desk, web: Web, program: str) -> list[str]:
    small = {"COPYDESK_BATCH_SIZE": "1", "COPYDESK_BATCH_SECONDS": "0.5"}
    if program == "copydesk":
        return [sys.executable, "-m", "copydesk", "crawl", "gazette"]
    if program == "crawl":
        return desk.command("-asite=gazette", **small)
    file = desk.folder / "archive.py"
    file.write_text(OWN_SPIDER)
    command = desk.command(f"-afront={web.base}/front", **small)
    command[command.index("crawl") : command.index("crawl") + 2] = ["runspider", str(file)]
    return command


@pytest.mark.parametrize(("program", "status"), [("crawl", 1), ("runspider", 1), ("copydesk", 2)])
def test_a_crawl_that_cannot_store_stops_and_says_so(desk: Desk, web: Web, program: str, status: int) -> None:
    process = forked.Started(
        _command(desk, web, program),
        cwd=ROOT,
        env={**desk.environment(), "COPYDESK_ALLOW_LOOPBACK": "1", "COLUMNS": "200"},
    )
    try:
        wait_until(lambda: any(path.startswith("/story/") for path, _ in web.log))
        _drop(desk, "page")
        _, log = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == status, log
    assert "no such table" in log
    assert log.count(SAFE) == 1
    assert "Closing spider (storage_error)" in log
    assert sum(path.startswith("/story/") for path, _ in web.log) < 200


def test_a_crawl_that_cannot_read_the_database_requests_nothing(desk: Desk, web: Web) -> None:
    _drop(desk, "fetch_state")
    done = forked.run(
        _command(desk, web, "crawl"),
        cwd=ROOT,
        env=desk.environment(),
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.count(SAFE) == 1
    assert "Traceback" not in done.stderr
    assert web.log == []
