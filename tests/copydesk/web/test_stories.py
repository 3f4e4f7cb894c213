"""The list of stories, one story, and two of its copies side by side."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from copydesk.web import stories
from storage import reader
from tests.copydesk.web.conftest import PAGE


def _ids(page: str) -> list[int]:
    return [int(id) for id in re.findall(r'data-story="(\d+)"', page)]


def _all_pages(desk: TestClient, address: str) -> list[int]:
    found: list[int] = []
    while True:
        page = desk.get(address, headers=PAGE).text
        found += _ids(page)
        link = re.search(r'<a rel="next" href="([^"]+)"', page)
        if link is None:
            return found
        address = link[1].replace("&amp;", "&")


def test_every_story_is_in_the_list_once(desk: TestClient, news: Engine) -> None:
    with news.connect() as connection:
        count = connection.scalar(text("SELECT count(*) FROM story_groups"))
    for sort in ("", "size", "spread"):
        found = _all_pages(desk, f"/?sort={sort}")
        assert len(found) == len(set(found)) == count


def test_the_filters_choose_as_sql_does(desk: TestClient, news: Engine) -> None:
    queries = {
        "site=tessaryobserver.example": (
            "SELECT DISTINCT group_id FROM articles WHERE site = 'tessaryobserver.example'"
        ),
        "agency=Reuters": "SELECT DISTINCT group_id FROM articles WHERE agency = 'Reuters'",
        "language=en": "SELECT group_id FROM articles WHERE is_canonical AND language = 'en'",
        "min_sites=2": "SELECT id FROM story_groups WHERE sites >= 2",
    }
    with news.connect() as connection:
        for asked, query in queries.items():
            wanted = set(connection.scalars(text(query)))
            assert wanted, asked
            assert set(_all_pages(desk, f"/?{asked}")) == wanted, asked


def test_a_story_of_many_pairs_shows_some_and_the_evidence_of_every_copy(
    desk: TestClient, news: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = next(iter(reader.groups(news, limit=1)))
    assert len(reader.pairs_of_story(news, largest.id)) > 2
    whole = desk.get(f"/stories/{largest.id}", headers=PAGE).text
    monkeypatch.setattr(stories, "_MOST_PAIRS", 2)
    cut = desk.get(f"/stories/{largest.id}", headers=PAGE).text
    assert "These are the first 2 pairs" in cut
    assert "These are the first" not in whole
    beginning, _, pairs = cut.partition('id="pairs"')
    assert beginning == whole.partition('id="pairs"')[0]
    assert beginning.count("contained") >= 2
    assert pairs.count(">compare</a>") == 2


def test_a_filter_that_is_none_is_said(desk: TestClient) -> None:
    for address in ("/?since=soon", "/?cursor=nonsense", "/?sort=size&cursor=WyJuZXdlc3QiLDAsMCwwXQ"):
        answer = desk.get(address, headers=PAGE)
        assert answer.status_code == 400
        assert "Wrong parameter" in answer.text
    assert desk.get("/?min_sites=many&sort=colour", headers=PAGE).status_code == 200


def test_a_story_has_its_members_its_spread_and_the_evidence(desk: TestClient, news: Engine) -> None:
    group = next(reader.groups(news))
    page = desk.get(f"/stories/{group.id}", headers=PAGE).text
    members = reader.members(news, group.id)
    assert re.findall(r'<tr data-row data-article="(\d+)"', page) == [str(member.id) for member in members]
    assert re.findall(r'<g data-article="(\d+)"', page) == [str(member.id) for member in members]
    assert page.count('class="stated"') == sum(member.published_at is not None for member in members)
    assert page.count('class="seen"') == len(members)
    pairs = {(c.article_id, c.other_id) for m in members for c in reader.copies(news, m.id)}
    assert page.count("of them holds several stories") + page.count("<td>yes</td>") == len(pairs)


def test_what_is_not_there_is_said(desk: TestClient) -> None:
    for address in ("/stories/987654", "/stories/99999999999999999999", "/stories/1/diff?a=987654&b=1"):
        assert desk.get(address, headers=PAGE).status_code == 404
    assert desk.get("/stories/one", headers=PAGE).status_code == 422


def test_two_copies_side_by_side(desk: TestClient, news: Engine) -> None:
    group = next(reader.groups(news))
    one, other, *_ = reader.members(news, group.id)
    page = desk.get(f"/stories/{group.id}/diff?a={one.id}&b={other.id}", headers=PAGE).text
    assert page.count("<tr data-kind=") > 3
    assert f'href="/articles/{one.id}"' in page
    assert f'href="/articles/{other.id}"' in page
