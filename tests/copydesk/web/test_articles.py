"""One article with its removed lines, and search."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from storage import reader
from tests.copydesk.web.conftest import HOSTILE, PAGE


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
