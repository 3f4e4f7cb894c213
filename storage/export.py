"""Writes public views to JSONL, CSV and Parquet files: everything, or what changed since an export.

A file appears only when it is complete: it is written under a different name in the same folder, flushed to
the disk, then renamed. Rows go from the database to the file in parts, so an export of any size takes the
same memory.

An incremental export has the changes after a given change (see the view `changes`). Its rows have two more
columns at the end: `change` and `gone`. If `gone` is true, the article must be deleted from the reader's
copy: it was deleted from the database, or it is not selected any more (it stopped being canonical, for
example). Such a row has only `id`, `change` and `gone`. The rows come in the order of `change`, one for each
article. Replacing the rows that are not gone by `id`, and deleting the others, makes the copy exact. It is
safe to do that twice.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import zstandard
from sqlalchemy import Engine

from pipeline.errors import OperatorError
from storage import reader
from storage.parquet import arrow_schema, write_options
from storage.schema import VIEWS, ViewColumn, utc_text

__all__ = ["Exported", "Selection", "export", "file_format", "read_cursor", "whole_file", "write_cursor"]

FORMATS = ("jsonl", "csv", "parquet")
# What lines of JSON may hold in place of rows.
SHAPES = ("ninjs", "schemaorg")
_COMPRESSIONS = (".gz", ".zst")
_OF_ARTICLES = ("articles", "unique_articles")

# A row group of a Parquet file is held in memory until it is full: at so many rows, or characters of text.
_GROUP_ROWS, _GROUP_CHARACTERS = 50_000, 16_000_000

_CHANGE_COLUMNS = (
    ViewColumn("change", "integer", "number of its last change, as in the view changes", "", "never", "5120"),
    ViewColumn("gone", "boolean", "true: delete the article of this id", "", "never", "0"),
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Selection:
    """A view to export, and which of its articles: by site, by language, canonical copies only, or without
    those of which a statement reserves the rights (see the column `rights`).

    Raises OperatorError if there is no such view, or if it has no articles to choose from.
    """

    view: str = "articles"
    sites: tuple[str, ...] = ()
    language: str | None = None
    unique: bool = False
    exclude_reserved: bool = False

    def __post_init__(self) -> None:
        names = [view.name for view in VIEWS]
        if self.view not in names:
            raise OperatorError(f"there is no view {self.view!r}: choose one of {', '.join(names)}")
        chooses = self.sites or self.language or self.unique or self.exclude_reserved
        if chooses and self.view not in _OF_ARTICLES:
            raise OperatorError(
                f"--site, --language, --unique and --exclude-reserved are for articles, not for {self.view}"
            )

    @property
    def where(self) -> reader.ArticleFilter:
        return reader.ArticleFilter(self.sites, self.language, exclude_reserved=self.exclude_reserved)

    @property
    def canonical_only(self) -> bool:
        return self.unique or self.view == "unique_articles"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. rows: their number, with gone articles. gone: the number of gone articles.

    change: the last change of an incremental export, after which the next one continues; None for others.
    """

    rows: int
    gone: int
    change: int | None


def export(
    engine: Engine,
    to: Path | BinaryIO,
    selection: Selection | None = None,
    *,
    format: str | None = None,
    since: datetime | None = None,
    after: int | None = None,
    raw: bool = False,
    for_terminal: bool = False,
    shape: str | None = None,
) -> Exported:
    """Writes the selected rows to a stream, or to a file, which is replaced.

    format: one of FORMATS; a file's name determines it, and may end in .gz or .zst if it is not Parquet.
    since: articles whose text is new or changed from then on (`updated_at`), or changes from then on (`at`).
    after: an incremental export of everything after this change; 0 for all articles, without gone ones.
    shape: one of SHAPES, for lines of JSON: articles as IPTC ninjs 1.3, or as NewsArticle of schema.org.
    raw: CSV without apostrophes before what a spreadsheet would run as a formula. for_terminal: without
    characters that a terminal would obey.
    Raises OperatorError if the file cannot be written, or pyarrow is missing.
    """
    chosen = selection or Selection()
    if after is not None and since is not None:
        raise ValueError("either since or after")
    if (after is not None or since is not None) and chosen.view not in (*_OF_ARTICLES, "changes"):
        raise OperatorError(
            f"--changed-since, --after and --cursor are for articles and changes, not for {chosen.view}"
        )
    if after:
        last = reader.last_change(engine)
        if after > last:
            raise OperatorError(
                f"change {after} is still to come, the last one was {last}: is it of another database, or of"
                " a newer copy of this one? 0 exports everything"
            )
    columns = next(view.columns for view in VIEWS if view.name == chosen.view)
    if after is not None and chosen.view in _OF_ARTICLES:
        columns = (*columns, *_CHANGE_COLUMNS)
    counted = _Counted(after)
    rows = counted.count(_rows(engine, chosen, since, after))
    if shape is not None:
        if chosen.view not in _OF_ARTICLES or after is not None:
            raise OperatorError(f"{shape} is for articles, without --after and --cursor")
        rows = map(as_ninjs if shape == "ninjs" else as_schema_org, rows)
    with ExitStack() as stack:
        compression = ""
        if isinstance(to, Path):
            format, compression = file_format(to)
            if shape is not None and format != "jsonl":
                raise OperatorError(f"{to}: {shape} is lines of JSON: name the file .jsonl")
            stream = stack.enter_context(whole_file(to))
        else:
            stream = to
        write = _writer(format or FORMATS[0], raw=raw, for_terminal=for_terminal)
        if compression:
            stream = stack.enter_context(_compressed(stream, compression))
        write(stream, columns, rows)
    return Exported(counted.rows, counted.gone, counted.change)


def file_format(path: Path) -> tuple[str, str]:
    """Format and compression (`.gz`, `.zst` or none) by a file's name; raises OperatorError."""
    suffixes = path.suffixes
    compression = suffixes.pop() if suffixes and suffixes[-1] in _COMPRESSIONS else ""
    format = suffixes[-1][1:] if suffixes else ""
    if format not in FORMATS or (format == "parquet" and compression):
        raise OperatorError(
            f"{path}: the name must end in .parquet, .jsonl or .csv, the last two also in .gz or .zst"
        )
    return format, compression


# --- cursors ------------------------------------------------------------------------------------------


def read_cursor(path: Path, engine: Engine, selection: Selection) -> int:
    """The change in a cursor file; 0 if there is no file.

    Raises OperatorError if the cursor is of a different database or selection, because the export would then
    miss changes.
    """
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        after, base, of = int(kept["after"]), kept["base"], dict(kept["selection"])
    except FileNotFoundError:
        return 0
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a cursor of copydesk export"
        raise OperatorError(f"{path}: {why}: name another file, or remove it to export everything") from error
    if base != reader.database_id(engine):
        raise OperatorError(f"{path}: the cursor of another database: remove it to export everything")
    # A cursor of a release with fewer choices has none of the later ones. One of 0.1.0 has a single site.
    if site := of.pop("site", None):
        of["sites"] = [site]
    if {**_kept(Selection()), **of} != _kept(selection):
        said = " ".join(f"{name}={value}" for name, value in of.items() if value)
        raise OperatorError(f"{path}: the cursor of another export ({said}): give each a file of its own")
    return after


def write_cursor(path: Path, engine: Engine, selection: Selection, after: int) -> None:
    """Writes a cursor for the next export. The file is replaced in one step, so it is never incomplete."""
    kept = {"after": after, "base": reader.database_id(engine), "selection": _kept(selection)}
    with whole_file(path) as stream:
        stream.write((json.dumps(kept) + "\n").encode())


def _kept(selection: Selection) -> dict[str, Any]:
    return {**asdict(selection), "sites": sorted(selection.sites)}


# --- rows ---------------------------------------------------------------------------------------------


class _Counted:
    """Counts rows on their way to a file."""

    def __init__(self, after: int | None) -> None:
        self.begins = after == 0
        self.rows = 0
        self.gone = 0
        self.change = after

    def count(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            if self.change is not None:
                self.change = row["change"]
            is_gone = row.get("gone", False)
            if is_gone and self.begins:
                continue  # a first export has nothing to delete
            self.gone += is_gone
            self.rows += 1
            yield row


def _rows(engine: Engine, selection: Selection, since: datetime | None, after: int | None) -> Iterator[Row]:
    if selection.view == "changes":
        return reader.rows(engine, "changes", since=since, after=after or 0)
    if after is not None:
        return _changed_rows(engine, selection, after)
    if selection.view not in _OF_ARTICLES:
        return reader.rows(engine, selection.view)
    return reader.rows(
        engine,
        selection.view,
        replace(selection.where, changed_since=since),
        canonical_only=selection.canonical_only,
    )


def _changed_rows(engine: Engine, selection: Selection, after: int) -> Iterator[Row]:
    names = [column.name for column in next(v for v in VIEWS if v.name == selection.view).columns]
    for changed in reader.changed_articles(
        engine,
        after,
        selection.where,
        canonical_only=selection.canonical_only,
    ):
        row: Row
        if changed.article is not None:
            row = {name: getattr(changed.article, name) for name in names}
        else:
            row = {"id": changed.id}
        row["change"] = changed.change
        row["gone"] = changed.article is None
        if after == 0 and changed.article is None:
            row["skipped"] = (
                True  # a first export has nothing to delete, but the cursor must pass this change
            )
        yield row


# --- shapes -------------------------------------------------------------------------------------------


def as_schema_org(row: Row) -> Row:
    """An article as NewsArticle of schema.org; what is null is left out."""
    publisher = row["publisher"]
    return _known(
        {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "url": row["url"],
            "headline": row["title"],
            "articleBody": row["text"],
            "datePublished": row["published_at"],
            "dateModified": row["updated_at"],
            "author": [{"@type": "Person", "name": name} for name in row["authors"]],
            "publisher": {"@type": "Organization", "name": publisher} if publisher else None,
            "inLanguage": row["language"],
            "description": row["description"],
            "articleSection": row["section"],
            "keywords": row["keywords"],
            "image": row["image_url"],
            "isAccessibleForFree": row["access"] == "free",
            "wordCount": row["word_count"],
        }
    )


def as_ninjs(row: Row) -> Row:
    """An article as an item of IPTC ninjs 1.3; what is null is left out."""
    published = row["published_at"]
    return _known(
        {
            "uri": row["url"],
            "type": "text",
            "version": str(row["revision"]),
            "firstcreated": published,
            "versioncreated": row["updated_at"] if published else None,
            "pubstatus": "canceled" if row["gone_at"] else "usable",
            "language": row["language"],
            "headline": row["title"],
            "byline": f"By {', '.join(row['authors'])}" if row["authors"] else None,
            "located": row["dateline"],
            "infosource": [{"name": row["publisher"]}] if row["publisher"] else None,
            "subject": [{"name": name} for name in row["keywords"] or ()],
            "description_text": row["description"],
            "body_text": row["text"],
            "wordcount": row["word_count"],
            "charcount": len(row["text"]),
        }
    )


def _known(values: Row) -> Row:
    return {name: value for name, value in values.items() if value not in (None, [], "")}


# --- formats ------------------------------------------------------------------------------------------


def _writer(
    format: str, *, raw: bool, for_terminal: bool
) -> Callable[[BinaryIO, Sequence[ViewColumn], Iterable[Row]], None]:
    if format == "parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError as error:
            raise OperatorError(
                "Parquet needs pyarrow, which is not installed: pip install 'copydesk[parquet]'"
            ) from error
        return _write_parquet
    return partial({"jsonl": _write_jsonl, "csv": _write_csv}[format], raw=raw, for_terminal=for_terminal)


# What a terminal would obey: control characters except tab and line feed, marks of the writing direction, and
# separators that end a line.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# A cell that a spreadsheet would run: it begins with one of these, in half or full width.
_FORMULA = re.compile("\\A'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def _write_jsonl(
    stream: BinaryIO, columns: Sequence[ViewColumn], rows: Iterable[Row], *, raw: bool, for_terminal: bool
) -> None:
    """One object for each row, with all columns in order; a gone article has only its three columns.

    for_terminal: what a terminal would obey is an escape of JSON, which means the same.
    """
    for row in rows:
        line = json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False)
        if for_terminal:
            line = _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
        stream.write(line.encode() + b"\n")


def _write_csv(
    stream: BinaryIO, columns: Sequence[ViewColumn], rows: Iterable[Row], *, raw: bool, for_terminal: bool
) -> None:
    """RFC 4180 in UTF-8, with a header. Null is an empty field, booleans are true and false, lists
    and objects are JSON.

    A text that a spreadsheet would run as a formula begins with an apostrophe, and one that begins with
    apostrophes before such a sign has one more: to take the first one away gives the text back. raw: without
    that. for_terminal: what a terminal would obey is U+FFFD.
    """
    texts = {column.name for column in columns if column.type == "text"}

    def safe(name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if not raw and name in texts and _FORMULA.match(value):
            value = f"'{value}"
        return _STEERING.sub("\ufffd", value) if for_terminal else value

    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        writer = csv.writer(text)
        names = [column.name for column in columns]
        writer.writerow(names)
        writer.writerows([safe(name, _cell(row.get(name))) for name in names] for row in rows)
        text.flush()
    finally:
        text.detach()  # otherwise the stream would be closed with it


def _plain(value: Any) -> Any:
    return utc_text(value) if isinstance(value, datetime) else value


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else _plain(value)


def _write_parquet(stream: BinaryIO, columns: Sequence[ViewColumn], rows: Iterable[Row]) -> None:
    """Typed columns with their documentation as metadata (`description`), compressed with zstd."""
    import pyarrow
    import pyarrow.parquet

    is_incremental = columns[-1].name == "gone"  # then a row of a gone article has only these
    always = ("id", "change", "gone")
    optional = {c.name for c in columns if c.name not in always} if is_incremental else ()
    schema = arrow_schema(columns, optional)
    with pyarrow.parquet.ParquetWriter(stream, schema, **write_options(columns)) as writer:
        iterator = iter(rows)

        def write_row_group() -> bool:
            """Writes one row group; a function of its own, so that the group is freed before the next."""
            group = _row_group(iterator)
            if group:
                writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))
            return bool(group)

        while write_row_group():
            pass


def _row_group(rows: Iterator[Row]) -> list[Row]:
    """The next rows: at most _GROUP_ROWS, and none after the one that reaches _GROUP_CHARACTERS."""
    return list(islice(_until_heavy(rows), _GROUP_ROWS))


def _until_heavy(rows: Iterator[Row]) -> Iterator[Row]:
    weight = 0
    for row in rows:
        weight += sum(len(value) for value in row.values() if isinstance(value, str))
        yield row
        if weight >= _GROUP_CHARACTERS:
            return


@contextmanager
def _compressed(stream: BinaryIO, compression: str) -> Iterator[BinaryIO]:
    made: Any
    if compression == ".gz":
        # No name or time in the header, so that the same rows give the same file.
        made = gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0)
    else:
        made = zstandard.ZstdCompressor(level=3).stream_writer(stream, closefd=False)
    with made:
        yield made


# --- files --------------------------------------------------------------------------------------------


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Opens a file that appears only when it is complete. A link is followed. Raises OperatorError."""
    target = Path(os.path.realpath(path))
    hidden = target.with_name(f".copydesk-{os.getpid()}-{secrets.token_hex(4)}.partial")
    try:
        if target.is_dir():
            raise OperatorError(f"{path} is a folder: name the file in it")
        try:
            with hidden.open("xb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            hidden.replace(target)
            _sync_folder(target.parent)
        except BaseException:
            hidden.unlink(missing_ok=True)
            raise
    except FileNotFoundError as error:
        raise OperatorError(f"{path.parent}: no such folder") from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OperatorError(f"{path} cannot be written: {error.strerror or error}") from error


def _sync_folder(folder: Path) -> None:
    """Flushes the folder, so that the new name survives a power cut. Some file systems do not support it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
