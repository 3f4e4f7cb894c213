"""One article with its removed lines, and search."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from copydesk.web import DeskSettings, make_app
from storage import reader
from storage.database import open_database
from tests.copydesk.web.conftest import HOSTILE, PAGE
from tests.storage.news import START, article, store, story


def test_removed_lines_stand_in_their_places_with_their_rules(desk: TestClient, news: Engine) -> None:
    article = max(reader.articles(news), key=lambda one: len(reader.removed(news, one.id)))
    lines = reader.removed(news, article.id)
    page = desk.get(f"/articles/{article.id}", headers=PAGE).text
    assert re.findall(r'<code dir="ltr">([^<]+)</code>', page) == [line.rule for line in lines]
    assert page.count("<p>") == len(article.text.splitlines())
    assert " checked" not in page
    assert " checked" in desk.get(f"/articles/{article.id}?removed=1", headers=PAGE).text


def test_nothing_that_a_page_said_is_markup(desk: TestClient, news: Engine) -> None:
    article = next(one for one in reader.articles(news) if HOSTILE in one.location)
    assert "<script>" in article.title
    for address in (f"/articles/{article.id}?removed=1", "/search?q=sandbar", "/"):
        page = desk.get(address, headers=PAGE).text
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>" not in page
        assert "<img" not in page


@pytest.fixture
def revised(tmp_path: Path) -> Iterator[TestClient]:
    """A desk over one article of three texts."""
    url = f"sqlite:///{tmp_path}/revised.db"
    engine = open_database(url)
    ends = (
        "Nobody among the 214 passengers was hurt.",
        "Two of the 214 passengers were hurt as the <b>ferry</b> ran aground on a sandbar.",
        "Six of the 214 passengers were hurt as the <b>ferry</b> ran aground on a sandbar.",
    )
    for number, end in enumerate(ends):
        at = START + timedelta(hours=number)
        store(engine, [article("https://a.example/1", f"{story(1)}\n{end}", at, title=f"Title {number + 1}")])
    engine.dispose()
    with TestClient(make_app(DeskSettings(url)), base_url="http://127.0.0.1") as client:
        yield client


def test_revisions_are_listed_the_newest_first_and_compared(revised: TestClient) -> None:
    assert "Its 3 revisions" in revised.get("/articles/1", headers=PAGE).text
    page = revised.get("/articles/1/revisions", headers=PAGE).text
    assert re.findall(r">(Title \d)</td>", page) == ["Title 3", "Title 2", "Title 1"]
    links = [link.replace("&amp;", "&") for link in re.findall(r'data-main href="([^"]+)"', page)]
    assert links == ["/articles/1/revisions?a=2&b=3", "/articles/1/revisions?a=1&b=2"]
    diff = revised.get(links[0], headers=PAGE).text
    assert [word.strip() for word in re.findall(r"<(?:del|ins)>([^<]+)</", diff)] == ["Two", "Six"]
    assert "&lt;b&gt;ferry" in diff
    assert "Nobody" not in diff
    assert "Revision 3, the current one" in diff


def test_a_revision_that_is_not_there_is_said(revised: TestClient) -> None:
    assert revised.get("/articles/1/revisions?a=1&b=4", headers=PAGE).status_code == 404
    assert revised.get("/articles/2/revisions", headers=PAGE).status_code == 404
    assert revised.get("/articles/1/revisions?a=0&b=1", headers=PAGE).status_code == 422


def test_only_web_addresses_are_links(desk: TestClient, news: Engine) -> None:
    article = next(one for one in reader.articles(news) if one.url.startswith("file:"))
    page = desk.get(f"/articles/{article.id}", headers=PAGE).text
    assert 'href="file:' not in page
    assert article.url.split("/")[-1] in page


def test_search_finds_what_the_command_finds(desk: TestClient, news: Engine) -> None:
    for query, unique in (("ferry", ""), ('"ran aground" -strike', ""), ("ferr* OR strike", "1")):
        hits = reader.search(news, query, canonical_only=bool(unique))
        page = desk.get("/search", params={"q": query, "unique": unique}, headers=PAGE).text
        assert re.findall(r'data-row data-article="(\d+)"', page) == [
            str(hit.article.id) for hit in hits[:20]
        ]
        assert "<mark>" in page


def test_search_shows_its_form_again(desk: TestClient) -> None:
    asked = {"q": "ferry", "site": "a.example", "language": "en", "since": "2026-01-01", "unique": "1"}
    page = desk.get("/search", params=asked, headers=PAGE).text
    assert 'value="a.example"' in page
    assert 'value="2026-01-01"' in page
    assert " checked" in page
    assert "No article matches." in page


@pytest.mark.parametrize("query", ["-ferry", "*", '"'])
def test_a_query_that_looks_for_nothing_is_said(desk: TestClient, query: str) -> None:
    answer = desk.get("/search", params={"q": query}, headers=PAGE)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


def test_what_is_not_there_is_said(desk: TestClient) -> None:
    assert desk.get("/articles/987654", headers=PAGE).status_code == 404
    assert desk.get("/articles/99999999999999999999", headers=PAGE).status_code == 404
    assert desk.get("/search?q=a&offset=5000", headers=PAGE).status_code == 422
