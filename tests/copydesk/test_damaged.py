"""A damaged database costs one line and status 2, whichever command meets it."""

from __future__ import annotations

import random
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from copydesk import cli
from copydesk.web import DeskSettings, make_app
from pipeline.errors import OperatorError
from storage.database import DatabaseError, open_database
from storage.reader import sketches
from storage.upkeep import outdated
from storage.writing import learn
from tests.copydesk.conftest import Run
from tests.storage.news import article, store, story, view

COMMANDS = [
    ["stats"],
    ["stats", "--sites"],
    ["groups"],
    ["show", "1"],
    ["search", "ferry"],
    ["export", "-"],
    ["learn", "--dry-run"],
    ["prune", "--older-than", "1d", "--dry-run"],
    ["forget", "1", "--dry-run"],
    ["forget", "--list"],
    ["db", "current"],
    ["db", "check"],
]
# Made with a seed, so that every run has the same ones.
MADE = 32


@pytest.fixture(scope="session")
def sound(news_url: str, tmp_path_factory: pytest.TempPathFactory, copydesk: Run) -> bytes:
    """The bytes of a sound database in one file."""
    path = tmp_path_factory.mktemp("sound") / "news.db"
    with (
        closing(sqlite3.connect(news_url.removeprefix("sqlite:///"))) as source,
        closing(sqlite3.connect(path)) as target,
    ):
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
    return path.read_bytes()


def damaged(sound: bytes, number: int, folder: Path) -> bytes:
    chance = random.Random(number)
    size = len(sound)
    ways = ("cut", "bits", "page", "header", "kind", "table", "value", "version")
    way = ways[number % len(ways)]
    if way == "cut":
        return sound[: chance.randrange(1, size)]
    if way == "kind":
        kinds = (b"no database\n" * 500, b"PK\x03\x04" + bytes(5000), bytes(8192), b"SQLite format 3\0", b"x")
        return chance.choice(kinds)
    if way in ("bits", "page", "header"):
        changed = bytearray(sound)
        if way == "page":
            at = chance.randrange(size // 4096) * 4096
            changed[at : at + 4096] = chance.randbytes(4096)
        for _ in range({"bits": chance.choice((1, 30, 1000)), "page": 0, "header": 1}[way]):
            changed[chance.randrange(100 if way == "header" else size)] ^= 1 << chance.randrange(8)
        return bytes(changed)
    path = folder / "made.db"
    path.write_bytes(sound)
    with closing(sqlite3.connect(path)) as connection:
        if way == "version":
            connection.execute(
                "UPDATE alembic_version SET version_num = ?", (chance.choice(("", "9999", "x")),)
            )
        elif way == "table":
            tables = (
                "article",
                "document",
                "run",
                "rejection",
                "page",
                "pair",
                "tombstone",
                "alembic_version",
            )
            connection.execute(f"DROP TABLE {chance.choice(tables)}")
        else:
            columns = ("article.published_at", "article.authors", "article.updated_at", "run.reasons")
            table, _, column = chance.choice((*columns, "run.started_at", "rejection.at")).partition(".")
            value = chance.choice(("'nonsense'", "x'ff00fe'", "CAST(x'ff41' AS TEXT)", "12"))
            connection.execute(f"UPDATE {table} SET {column} = {value}")  # noqa: S608
        connection.commit()
    return path.read_bytes()


def ended(
    command: list[str], path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> int:
    """The status of a command on a damaged database: in order, or 2 and one line."""
    monkeypatch.setattr(sys, "argv", ["copydesk", *command, "--db", f"sqlite:///{path}"])
    try:
        cli.main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    said = capsys.readouterr().err.strip()
    # Damage in what a command does not read costs nothing; `db check` reports what it finds with status 1.
    assert status in ((0, 1, 2) if command == ["db", "check"] else (0, 2)), said
    if status == 2:
        assert said.startswith("copydesk: ")
        assert "\n" not in said
    return status


@pytest.mark.parametrize("number", range(MADE))
def test_a_damaged_database_is_one_line(
    number: int,
    sound: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "news.db"
    path.write_bytes(damaged(sound, number, tmp_path))
    ended(COMMANDS[(number // 8 + number) % len(COMMANDS)], path, monkeypatch, capsys)


def put(path: Path, values: dict[str, str]) -> None:
    """Writes values, as SQL has them, into all rows of a column each: `table.column`."""
    with closing(sqlite3.connect(path)) as connection:
        for place, value in values.items():
            table, _, column = place.partition(".")
            assert connection.execute(f"UPDATE {table} SET {column} = {value}").rowcount  # noqa: S608
        connection.commit()


# Bytes that cannot be what their column holds: none that can be unpacked, of a wrong length, text.
BLOBS = {
    "page.body": "x'28b52ffd00'",
    "page.claims": "'nonsense'",
    "signature.signature": "x'010203'",
    "signature.keys": "x'010203'",
    "sighting.lines": "x'010203'",
    "article.text_hash": "'text'",
}


def test_blobs_that_cannot_be_read_are_one_line_for_every_command(
    sound: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "news.db"
    path.write_bytes(sound)
    put(path, BLOBS)
    ends = {" ".join(command): ended(command, path, monkeypatch, capsys) for command in COMMANDS}
    assert ends["db check"]


# JSON of another shape than its column has, and null where none can be.
SHAPES = {
    "article.authors": "'{}'",
    "article.keywords": "'[5]'",
    "article.rights": "'[{\"name\":1}]'",
    "page.claims": "'[]'",
    "run.reasons": '\'{"too_short":"5"}\'',
}


@pytest.fixture
def misshapen(sound: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "news.db"
    path.write_bytes(sound)
    put(path, SHAPES)
    return path


def test_json_of_another_shape_is_one_line_for_every_command(
    misshapen: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more = [["stats", "--json"], ["export", "-", "--view", "runs"], ["export", "-", "--format", "schemaorg"]]
    ends = {" ".join(command): ended(command, misshapen, monkeypatch, capsys) for command in COMMANDS + more}
    said = ("stats", "show 1", "search ferry", "export -", *map(" ".join, more))
    assert {command: ends[command] for command in said} == dict.fromkeys(said, 2)
    assert ends["db check"]


def test_the_desk_says_that_it_cannot_read_what_is_damaged(misshapen: Path) -> None:
    app = make_app(DeskSettings(f"sqlite:///{misshapen}"))
    with TestClient(app, base_url="http://127.0.0.1:8017") as desk:
        for page in ("/articles/1", "/api/v1/articles"):
            answer = desk.get(page)
            assert (answer.status_code, "the database is damaged" in answer.text) == (503, True)


@pytest.mark.parametrize("place", BLOBS)
def test_who_reads_a_damaged_blob_says_so(place: str, sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    path.write_bytes(sound)
    table, _, column = place.partition(".")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE {table} SET {column} = {BLOBS[place]}")  # noqa: S608
        connection.commit()
    engine = open_database(f"sqlite:///{path}")
    again = [
        replace(article(row["url"], story(n)), location=row["url"])
        for n, row in enumerate(view(engine, "articles"))
    ]
    readers: dict[str, Callable[[], object]] = {
        "page": lambda: list(outdated(engine, "other rules")),
        "signature": lambda: (list(sketches(engine)), store(engine, again)),
        "sighting": lambda: (store(engine, again), learn(engine)),
        "article": lambda: store(engine, again),
    }
    with pytest.raises(OperatorError, match=r"the database is damaged: .*: restore a backup"):
        readers[table]()
    engine.dispose()


@pytest.mark.parametrize("number", range(4, MADE, 8))
def test_what_is_no_database_is_always_told(number: int, sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    path.write_bytes(damaged(sound, number, tmp_path))
    with pytest.raises(DatabaseError):
        open_database(f"sqlite:///{path}", create=False)
