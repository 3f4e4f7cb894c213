"""The real Datasette on a database that is being written to: its pages, its JSON, and its canned queries."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import pytest
from sqlalchemy import inspect, text

from storage.database import open_database
from storage.datasette import as_json, datasette_metadata
from storage.schema import VIEWS
from tests.storage.news import START, article, cut, rejection, store, story, wire
from tests.storage.past import remember
from tests.waiting import PATIENCE

METADATA = Path(__file__).parents[2] / "examples" / "datasette.json"
GIVEN = datasette_metadata()["databases"]["copydesk"]

# Parameters of each query. All of them find something.
PARAMETERS = {
    "copies_of_a_story": {"group_id": "1"},
    "latest": {"site": "site1.example"},
    "search": {"words": "ferry AND harb*"},
    "removed_by_rule": {"rule": "phrase.en.register-now"},
    "changed_since": {"change": "5"},
}

open_url = build_opener(ProxyHandler({})).open


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Datasette that serves a database whose last writes are only in its log."""
    path = tmp_path_factory.mktemp("datasette") / "copydesk.db"
    engine = open_database(f"sqlite:///{path}")
    with engine.connect() as reading:  # keeps the log
        reading.execute(text("SELECT 1 FROM article"))
        store(engine, [*wire(20), rejection("list.html"), rejection("other.html")])
        store(
            engine,
            [article("https://b.example/1", story(50)), article("https://c.example/1", cut(story(50), 0.5))],
        )
        remember(engine, START, "gazette", stored=2)
        assert path.with_name("copydesk.db-wal").stat().st_size > path.stat().st_size
        process = subprocess.Popen(
            [sys.executable, "-m", "datasette", str(path), "--metadata", str(METADATA), "--port", "0"],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            assert process.stderr is not None
            said = ""
            for line in process.stderr:
                said += line
                if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", line):
                    break
            else:
                raise AssertionError(said)
            yield found[1]
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)
    engine.dispose()


def get(address: str, path: str, **parameters: str) -> Any:
    with open_url(f"{address}/{path}?{urlencode(parameters)}", timeout=PATIENCE) as answer:
        return json.loads(answer.read())


def test_the_file_in_the_repository_is_up_to_date() -> None:
    assert METADATA.read_text(encoding="utf-8") == as_json()
    for view in VIEWS:
        shown = GIVEN["tables"][view.name]
        assert list(shown["columns"]) == [column.name for column in view.columns]
        for column in view.columns:
            assert shown["columns"][column.name].startswith(column.meaning)
        named = {*shown.get("facets", ()), *shown["sortable_columns"], shown.get("sort_desc", "change")}
        assert named - {"change"} <= set(shown["columns"])


def test_the_views_are_shown_and_the_private_tables_are_not(address: str) -> None:
    found = get(address, "copydesk.json")

    assert {view["name"] for view in found["views"]} == {view.name for view in VIEWS}
    assert [table["name"] for table in found["tables"] if not table["hidden"]] == []
    assert {query["name"] for query in found["queries"]} == set(GIVEN["queries"])


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_is_read_as_json(address: str, view: Any) -> None:
    found = get(address, f"copydesk/{view.name}.json", _shape="objects", _size="3")

    assert [list(row) for row in found["rows"][:1]] == [[column.name for column in view.columns]]
    facets = {name: facet["results"] for name, facet in found["facet_results"].items()}
    assert set(facets) == set(GIVEN["tables"][view.name].get("facets", ()))


def test_the_latest_are_first_and_facets_count(address: str) -> None:
    found = get(address, "copydesk/articles.json", _shape="objects", site__exact="site1.example")

    times = [row["published_at"] for row in found["rows"]]
    assert times == sorted(times, reverse=True)
    (site,) = found["facet_results"]["site"]["results"]
    assert (site["value"], site["count"]) == ("site1.example", len(times))
    every = get(address, "copydesk/articles.json", _size="100")["facet_results"]["site"]["results"]
    assert site["count"] in {one["count"] for one in every if one["value"] == "site1.example"}
    assert len(every) > 5


def test_a_page_describes_the_columns(address: str) -> None:
    with open_url(f"{address}/copydesk/articles", timeout=PATIENCE) as answer:
        page = answer.read().decode()

    assert "Every article, in its current text." in page
    assert "its URL in canonical form" in page


@pytest.mark.parametrize("name", GIVEN["queries"])
def test_every_query_finds_something(address: str, name: str) -> None:
    found = get(address, f"copydesk/{name}.json", _shape="objects", **PARAMETERS.get(name, {}))

    assert found["ok"], found
    assert found["rows"]


def test_hidden_tables_exist(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/a.db")
    hidden = {name for name, shown in GIVEN["tables"].items() if shown.get("hidden")}
    assert hidden <= set(inspect(engine).get_table_names())
    engine.dispose()
