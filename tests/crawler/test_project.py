"""Copydesk in Scrapy: commands, feed exports, and a user's own project with the add-on."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crawler.crawling import ROOT, Desk
from tests.crawler.web import Page, Web, article, serve

PAGE = (ROOT / "docs" / "how-to" / "scrapy.md").read_text(encoding="utf-8")


@pytest.fixture
def web() -> Iterator[Web]:
    with serve() as made:
        made.pages["/story/1"] = Page(article(1))
        made.pages["/story/2"] = Page(article(2))
        made.pages["/private/3"] = Page(article(3))
        links = "".join(
            f'<a class="story" href="{path}">x</a>'
            for path in ("/story/1", "/story/2", "/private/3", "/missing", "http://127.0.0.9:1/")
        )
        made.pages["/front"] = Page(f"<html><body>{links}</body></html>".encode())
        made.pages["/robots.txt"] = Page(b"User-agent: archive\nDisallow: /private/\n", "text/plain")
        yield made


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.write_sites({})
    return made


def test_a_users_own_project_with_the_add_on_and_the_spider_of_the_documentation(
    desk: Desk, web: Web
) -> None:
    spider, settings = re.findall(r"```py\n(.*?)```", PAGE, re.DOTALL)
    assert len(spider.splitlines()) <= 20
    spider = spider.replace("archive.example", "127.0.0.1").replace("https://127.0.0.1", web.base)
    project = desk.folder / "outlet"
    (project / "outlet" / "spiders").mkdir(parents=True)
    (project / "scrapy.cfg").write_text("[settings]\ndefault = outlet.settings\n")
    (project / "outlet" / "__init__.py").touch()
    (project / "outlet" / "settings.py").write_text(
        'BOT_NAME = "outlet"\nSPIDER_MODULES = ["outlet.spiders"]\n'
        'USER_AGENT = "archive/2.0 (+https://archive.example/bot)"\n'
        'EXTENSIONS = {"scrapy.extensions.corestats.CoreStats": None}\n' + settings
    )
    (project / "outlet" / "spiders" / "__init__.py").touch()
    (project / "outlet" / "spiders" / "archive.py").write_text(spider)
    lines, table = desk.folder / "out.jsonl", desk.folder / "out.csv"
    done = desk.run_anew("crawl", "archive", "-o", str(lines), "-o", str(table), folder=project)
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr, done.stderr

    assert web.agents == {"archive/2.0 (+https://archive.example/bot)"}
    assert web.count()["/private/3"] == 0
    stored = desk.articles()
    assert set(stored) == {f"{web.base}/story/1", f"{web.base}/story/2"}
    assert {row.publisher for row in stored.values()} == {"The Archive"}
    assert desk.rejections() == {
        f"{web.base}/missing": ("error page", "HTTP 404"),
        f"{web.base}/private/3": ("forbidden", "Forbidden by robots.txt"),
    }
    records = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {record["url"] for record in records} == set(stored)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["title"] for row in rows} == {row.title for row in stored.values()}
    assert all("This was report number" in row["text"] for row in rows)
    # Settings of the project stay. Copydesk's settings are added, and what it switches off is off.
    extensions = re.findall(r"'([\w.]+\.extensions\.[\w.]+|crawler(?:\.\w+)+)'", done.stderr)
    assert "crawler.fetch.politeness.Politeness" in extensions
    assert "crawler.fetch.guard.GuardMiddleware" in extensions
    assert not any("telnet" in name or "remote" in name or "corestats" in name for name in extensions)
    assert "listening" not in done.stderr.lower()


def test_scrapy_shell_shows_a_page_and_stores_nothing(desk: Desk, web: Web) -> None:
    code = "(response.status, response.css('h1::text').get())"
    done = desk.run("shell", f"{web.base}/story/1", "-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(200, 'Marrow Bay reopens tunnel")
    refused = desk.run("shell", "http://gazette.example/", "-c", "response")
    assert refused.stdout.strip() == "None"
    assert "set COPYDESK_CONTACT to your e-mail address or web page" in refused.stderr
    assert [path.name for path in desk.folder.iterdir()] == ["sites.toml"]


def test_scrapy_parse_shows_the_items_of_a_page_and_stores_them_on_request(desk: Desk, web: Web) -> None:
    done = desk.run("parse", "--spider=news", "--pipelines", "--nocolour", f"{web.base}/story/1")
    assert done.returncode == 0, done.stderr
    assert f"'location': '{web.base}/story/1'" in done.stdout
    assert set(desk.articles()) == {f"{web.base}/story/1"}
