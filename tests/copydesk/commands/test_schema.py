"""`copydesk schema`: the views of the database that it documents, for people and for Datasette."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from copydesk.cli import app
from storage.schema import VIEWS


def _schema(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["schema", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_each_view_has_a_section_and_each_of_its_own_columns_a_row() -> None:
    said = _schema()
    for view in VIEWS:
        section = said.partition(f"### {view.name}\n")[2].partition("\n### ")[0]
        assert view.meaning[1:] in section, view.name
        if view.name != "unique_articles":  # has the columns of articles
            assert all(f"| {column.name} |" in section for column in view.columns), view.name


def test_the_metadata_is_of_the_database_that_is_named() -> None:
    said = _schema("--datasette", "news")
    assert said.endswith("}\n")
    metadata = json.loads(said)
    assert list(metadata["databases"]) == ["news"]
    tables = metadata["databases"]["news"]["tables"]
    for view in VIEWS:
        assert set(tables[view.name]["columns"]) == {column.name for column in view.columns}
    assert (
        json.loads(_schema("--datasette", "copydesk"))["databases"]["copydesk"]
        == metadata["databases"]["news"]
    )
