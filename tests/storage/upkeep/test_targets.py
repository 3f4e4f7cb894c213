"""The articles that an id, a URL, a location or a site names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from pipeline.document import Outcome, Reason
from pipeline.errors import OperatorError
from storage.upkeep import find_targets
from storage.writing.tombstones import list_tombstones
from tests.storage.news import article, page, store, story, view
from tests.storage.upkeep.rows_of_tables import rows
from tests.storage.upkeep.spellings import SPELLINGS, gone


@pytest.mark.parametrize("made", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_stored_articles_are_forgotten_by_any_spelling(
    engine: Engine, made: Callable[[str, str], Outcome]
) -> None:
    url = "https://a.example/s/1"
    store(engine, [article("https://a.example/s/2", story(6)), made(url, story(5))])
    gone(engine, "HTTPS://www.a.example:443/s/1?utm_source=mail#top")

    assert [row["url"] for row in view(engine, "articles")] == ["https://a.example/s/2"]
    assert view(engine, "rejections") == []
    assert rows(engine, "page") == 1
    assert store(engine, [made(url, story(5))]).reasons == {Reason.FORGOTTEN: 1}


def test_local_files_are_forgotten_by_their_url_or_location(engine: Engine) -> None:
    by_url, by_location = "file:///news/a%20b.html", "file:///news/c.html"
    local = {
        url: article(url, story(n), location=f"{n}.html", site="", page=page(story(n), url=url))
        for n, url in enumerate((by_url, by_location, "file:///news/d.html"))
    }
    store(engine, list(local.values()))
    gone(engine, by_url)
    gone(engine, "1.html")
    assert [row["url"] for row in view(engine, "articles")] == ["file:///news/d.html"]
    assert {stone.value for stone in list_tombstones(engine)} == {by_url, by_location}
    again = [replace(o, location=f"../elsewhere/{o.location}") for o in local.values()]
    assert store(engine, again).reasons == {Reason.FORGOTTEN: 2}


def test_an_article_is_forgotten_by_its_id_and_unknown_ones_are_named(engine: Engine) -> None:
    store(engine, [article("https://a.example/1", story(1)), article("https://a.example/2", story(2))])
    gone(engine, "2")
    assert [row["id"] for row in view(engine, "articles")] == [1]
    for nothing in ("2", "99999999999999999999999", "nowhere.html"):
        with pytest.raises(OperatorError, match=f"no article '{nothing}' here"):
            find_targets(engine, [nothing])
    with pytest.raises(OperatorError, match="is no site"):
        find_targets(engine, [], ["not a site"])
    assert find_targets(engine, ["https://never.example/seen"]).urls == ("https://never.example/seen",)
