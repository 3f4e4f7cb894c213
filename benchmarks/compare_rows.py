"""Reads the public views of two databases, and compares them row for row and column for column.

All views of a database are found in its catalogue, with all columns, their order and their types. Ids of
articles and groups are compared as they are, and also by their URLs. So rows of one article are paired, and
one additional article does not make all later rows different.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

# Columns that hold the id of an article, or of a group of copies.
ARTICLE_IDS = {
    ("articles", "id"),
    ("unique_articles", "id"),
    ("story_groups", "canonical_article_id"),
    ("copies", "article_id"),
    ("copies", "other_id"),
    ("revisions", "article_id"),
    ("removed_text", "article_id"),
    ("changes", "article_id"),
}
GROUP_IDS = {("articles", "group_id"), ("unique_articles", "group_id"), ("story_groups", "id")}

# The columns by which rows of the two sides are paired; an id means its URL here. Rows of a view that is not
# listed are paired in their order.
KEYS = {
    "articles": ("url",),
    "unique_articles": ("url",),
    "story_groups": ("canonical_article_id",),
    "copies": ("article_id", "other_id"),
    "revisions": ("article_id", "revision"),
    "removed_text": ("article_id", "text"),
    "rejections": ("location",),
    "changes": ("article_id",),
    "runs": ("id",),
    "site_runs": ("run_id", "site"),
}

# No view shows versions. These are the private columns that hold them: for each key, the version.
VERSIONS = {
    "article.rules_version": "SELECT url, rules_version FROM article",
    "document.rules_version": "SELECT location, min(rules_version) FROM document GROUP BY location",
    "rejection.rules_version": "SELECT location, rules_version FROM rejection",
    "sketch.version": (
        "SELECT url, version FROM article JOIN signature ON article_id = article.id"
        " JOIN sketch ON sketch_id = sketch.id"
    ),
}

_SHOWN = 70

Value = str | int | float | None
# view and column -> reason: only whether it is null is compared
LeftOut = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class View:
    """A view as it was read. columns: (name, declared type), in order. rows: one value for each column."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """The compared content of a database. versions: by name from `VERSIONS`, the version for each key."""

    views: Mapping[str, View]
    versions: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two rows that should be the same; None where there is none.

    key: of both, in words. columns: those that differ.
    """

    key: str
    before: Mapping[str, Value] | None
    after: Mapping[str, Value] | None
    columns: tuple[str, ...] = ()
    is_of_ids_alone: bool = False


@dataclass(frozen=True, slots=True)
class ViewComparison:
    """before, after: numbers of rows."""

    before: int
    after: int
    differences: tuple[Difference, ...]

    def as_cell(self) -> str:
        rows = str(self.before) if self.before == self.after else f"{self.before} → {self.after}"
        if not self.differences:
            return rows
        of_ids = sum(difference.is_of_ids_alone for difference in self.differences)
        alone = f", {of_ids} in ids alone" if of_ids else ""
        return f"{rows} ({len(self.differences)} differ{alone})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """views: those that both sides have. faults: differences of views, columns and versions, in words.
    versions: by name, what the versions are and whether they are the same, in words."""

    views: Mapping[str, ViewComparison]
    faults: tuple[str, ...]
    versions: Mapping[str, str]

    @property
    def differing(self) -> int:
        """Differences of all kinds; 0 when both databases show the same."""
        return len(self.faults) + sum(len(view.differences) for view in self.views.values())


def read(url: str) -> Contents:
    """Read a database, by its `sqlite:///` or `postgresql://` URL."""
    if url.startswith("sqlite:///"):
        return _read_sqlite(Path(url.removeprefix("sqlite:///")))
    return _read_postgresql(url)


def compare(before: Contents, after: Contents, left_out: LeftOut) -> Comparison:
    faults = []
    versions = {side: dict(contents.versions) for side, contents in (("before", before), ("after", after))}
    views = {}
    for name in sorted(before.views.keys() | after.views.keys()):
        if name not in before.views or name not in after.views:
            faults.append(f"view {name} is only {'before' if name in before.views else 'after'}")
            continue
        if before.views[name].columns != after.views[name].columns:
            shown = [", ".join(map(" ".join, side.views[name].columns)) for side in (before, after)]
            faults.append(f"columns of {name} before: {shown[0]}; after: {shown[1]}")
        names_after = {column for column, _ in after.views[name].columns}
        of_both = [column for column, _ in before.views[name].columns if column in names_after]
        rows = {}
        for side, contents in (("before", before), ("after", after)):
            rows[side] = _rows_with_urls(name, contents, of_both, left_out)
            for column in (column for column in of_both if column.endswith("_version")):
                versions[side][f"{name}.{column}"] = {
                    repr(_key(name, row)): str(row.pop(column)) for row in rows[side]
                }
        views[name] = _compare_rows(name, rows["before"], rows["after"])
    reports = {}
    for name in sorted(versions["before"].keys() | versions["after"].keys()):
        sides = [versions[side].get(name) for side in ("before", "after")]
        if not any(sides):
            continue
        reports[name], is_consistent = _compare_versions(*sides)
        if not is_consistent:
            faults.append(f"versions in {name}: {reports[name]}")
    return Comparison(views, tuple(faults), reports)


def describe(difference: Difference) -> list[str]:
    """The differing columns of two rows, each text from where it differs."""
    before, after = difference.before, difference.after
    if before is None or after is None:
        row = before if after is None else after
        shown = ", ".join(
            f"{name}={_cut(value, 0)}" for name, value in (row or {}).items() if value is not None
        )
        return [f"only {'before' if after is None else 'after'}: {shown}"]
    lines = []
    for name in difference.columns:
        a, b = before.get(name), after.get(name)
        start = 0
        if isinstance(a, str) and isinstance(b, str):
            letters = enumerate(zip(a, b, strict=False))
            start = max(0, next((n for n, (x, y) in letters if x != y), 0) - 20)
        lines.append(f"{name}: {_cut(a, start)} → {_cut(b, start)}")
    return lines


def _read_sqlite(path: Path) -> Contents:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        views = {}
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall():
            columns = connection.execute("SELECT name, type FROM pragma_table_info(?)", [name]).fetchall()
            rows = connection.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608
            views[name] = _view(columns, rows)
        versions: dict[str, dict[str, str]] = {}
        for name, query in VERSIONS.items():
            try:
                versions[name] = dict(connection.execute(query).fetchall())
            except sqlite3.OperationalError:  # no such table or column: reported as missing
                continue
    return Contents(views, versions)


def _read_postgresql(url: str) -> Contents:
    import psycopg
    from psycopg import sql

    with psycopg.connect(url, autocommit=True) as connection:
        views = {}
        found = connection.execute(
            "SELECT table_name FROM information_schema.views WHERE table_schema = 'public'"
        ).fetchall()
        for (name,) in found:
            columns = connection.execute(
                "SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position",
                [name],
            ).fetchall()
            rows = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name))).fetchall()
            views[name] = _view(columns, rows)
        versions: dict[str, dict[str, str]] = {}
        for name, query in VERSIONS.items():
            try:
                versions[name] = dict(connection.execute(query.encode()).fetchall())
            except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
                continue
    return Contents(views, versions)


def _view(columns: Sequence[Sequence[str]], rows: Sequence[Sequence[object]]) -> View:
    return View(tuple((name, kind) for name, kind in columns), tuple(tuple(map(_value, row)) for row in rows))


def _value(value: object) -> Value:
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _rows_with_urls(
    name: str, contents: Contents, columns: Sequence[str], left_out: LeftOut
) -> list[dict[str, Value]]:
    """These columns of a view, its rows in order; beside each id the URL of its article or canonical copy."""
    articles, groups = _urls(contents)
    found = []
    for values in _dicts(contents.views[name]):
        row = {column: values[column] for column in columns}
        urls: dict[str, Value] = {}
        for column, value in row.items():
            if (name, column) in ARTICLE_IDS:
                urls[_url_of(column)] = articles.get(value)
            elif (name, column) in GROUP_IDS:
                urls[_url_of(column)] = groups.get(value)
        if name == "copies":  # the smaller id comes first: with other ids it may be the other article
            urls = dict(zip(urls, sorted(urls.values(), key=str), strict=True))
        for column in columns:
            if (name, column) in left_out and row[column] is not None:
                row[column] = "(left out)"
        found.append(row | urls)
    return sorted(found, key=_order)


def _urls(contents: Contents) -> tuple[dict[Value, Value], dict[Value, Value]]:
    """The URL of each article by its id, and that of each group's canonical copy by the group's id."""
    if "articles" not in contents.views:
        return {}, {}
    articles, groups = {}, {}
    for row in _dicts(contents.views["articles"]):
        articles[row.get("id")] = row.get("url")
        if row.get("is_canonical"):
            groups[row.get("group_id")] = row.get("url")
    return articles, groups


def _dicts(view: View) -> Iterator[dict[str, Value]]:
    names = [name for name, _ in view.columns]
    return (dict(zip(names, values, strict=True)) for values in view.rows)


def _url_of(column: str) -> str:
    return f"URL of {column}"


def _key(name: str, row: Mapping[str, Value]) -> tuple[Value, ...]:
    return tuple(row.get(_url_of(column)) or row.get(column) for column in KEYS.get(name, ()))


def _order(row: Mapping[str, Value]) -> list[tuple[float, str]]:
    return [(v, "") if isinstance(v, (int, float)) else (-1, v or "") for v in row.values()]


def _compare_rows(
    name: str, before: Sequence[dict[str, Value]], after: Sequence[dict[str, Value]]
) -> ViewComparison:
    """Remove the rows that both sides have, and pair the rest by their keys."""
    rest: dict[str, defaultdict[tuple[Value, ...], list[dict[str, Value]]]] = {}
    counted = [Counter(tuple(row.items()) for row in side) for side in (before, after)]
    for side, rows in (("before", counted[0] - counted[1]), ("after", counted[1] - counted[0])):
        rest[side] = defaultdict(list)
        for row in rows.elements():
            rest[side][_key(name, dict(row))].append(dict(row))
    differences = []
    for key in dict.fromkeys((*rest["before"], *rest["after"])):
        rows_before, rows_after = rest["before"][key], rest["after"][key]
        for n in range(max(len(rows_before), len(rows_after))):
            a = rows_before[n] if n < len(rows_before) else None
            b = rows_after[n] if n < len(rows_after) else None
            differences.append(_difference(name, ", ".join(map(str, key)), a, b))
    return ViewComparison(len(before), len(after), tuple(differences))


def _difference(
    name: str, key: str, before: dict[str, Value] | None, after: dict[str, Value] | None
) -> Difference:
    if before is None or after is None:
        return Difference(key, before, after)
    columns = [c for c in dict.fromkeys((*before, *after)) if before.get(c, "") != after.get(c, "")]
    ids = ARTICLE_IDS | GROUP_IDS | {("changes", "change")}
    is_of_ids_alone = all((name, column) in ids for column in columns)
    return Difference(key, before, after, tuple(columns), is_of_ids_alone)


def _compare_versions(before: Mapping[str, str] | None, after: Mapping[str, str] | None) -> tuple[str, bool]:
    """Report the versions of both sides, and whether each has exactly one name on the other side."""
    if before is None or after is None:
        return f"not there {'before' if before is None else 'after'}", True
    renamed = {(before[key], after[key]) for key in before.keys() & after.keys()}
    if all(a == b for a, b in renamed):
        return f"the same ({', '.join(sorted({a for a, _ in renamed}))})", True
    names = "; ".join(f"{a} → {b}" for a, b in sorted(renamed))
    is_consistent = len({a for a, _ in renamed}) == len({b for _, b in renamed}) == len(renamed)
    return f"renamed {'one for one' if is_consistent else 'inconsistently'}: {names}", is_consistent


def _cut(value: Value, start: int) -> str:
    if not isinstance(value, str):
        return str(value)
    end = start + _SHOWN
    return f"{'…' if start else ''}{value[start:end]!r}{'…' if len(value) > end else ''}"
