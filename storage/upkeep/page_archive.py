"""Writes stored pages to a WARC file (ISO 28500), which archives, other programs and `copydesk ingest` read.

warcio writes it, a gzip member for each record. A page with the headers of its response is a response record.
Its body is decompressed, so the headers of the transfer have other names, as those of Common Crawl do, and
what is not ASCII in a header is percent-encoded. A page without headers, as one from a file, is a resource
record. The field `Copydesk-Source` has what WARC has no name for.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import ColumnElement, Engine, RowMapping, select
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.document import Document
from pipeline.errors import OperatorError
from pipeline.page import CONTENT_HEADERS, RENAMED, SOURCE_HEADER, source_line
from storage import reader, schema
from storage.database import persistently
from storage.export import Selection, whole_file

# Number of pages in memory at once, as in `storage.upkeep.pages`.
_AT_ONCE = 16
_ENDINGS = (".warc.gz", ".warc")


def is_page_archive(name: str) -> bool:
    """Whether a file of this name is a WARC file."""
    return name.lower().endswith(_ENDINGS)


def export_pages(
    engine: Engine, path: Path, selection: Selection | None = None, *, since: datetime | None = None
) -> int:
    """Write stored pages to a WARC file, which appears when it is complete; return their number.

    selection: the articles whose pages are written, of all of their texts; without a choice, rejected pages
    are written as well. since: of articles whose text is new or changed from then on. Pages that were pruned
    are left out. Raises OperatorError if the file cannot be written.
    """
    chosen = selection or Selection()
    if chosen.view not in ("articles", "unique_articles"):
        raise OperatorError(f"{path}: a WARC file has the pages of articles, not of {chosen.view}")
    count = 0
    with whole_file(path) as stream:
        writer = WARCWriter(stream, gzip=path.name.lower().endswith(".gz"), warc_version="WARC/1.1")
        for document in _pages(engine, chosen, since):
            writer.write_record(_record(writer, document))
            count += 1
    return count


def _pages(engine: Engine, chosen: Selection, since: datetime | None) -> Iterator[Document]:
    where = replace(chosen.where, changed_since=since)
    rows = reader.rows(engine, chosen.view, where, canonical_only=chosen.canonical_only)
    article, revision, rejection = schema.article, schema.revision, schema.rejection
    every = (row["id"] for row in rows)
    while ids := list(islice(every, _AT_ONCE)):
        for table, column in ((article, article.c.id), (revision, revision.c.article_id)):
            yield from _read_by_page(engine, table.c.page_id, column.in_(ids))
    if chosen == Selection() and since is None:
        yield from _read_by_page(engine, rejection.c.page_id, rejection.c.page_id.is_not(None))


def _read_by_page(
    engine: Engine, of: ColumnElement[int], condition: ColumnElement[bool]
) -> Iterator[Document]:
    """The pages that rows name in the column `of`, a few in each transaction."""
    page = schema.page
    query = select(page).where(page.c.id == of, condition).order_by(page.c.id).limit(_AT_ONCE)
    after = 0
    while rows := persistently(engine, partial(_rows, engine, query.where(page.c.id > after))):
        yield from map(reader.document_of, rows)
        after = rows[-1]["id"]


def _rows(engine: Engine, query: Any) -> Sequence[RowMapping]:
    with engine.connect() as connection:
        found: Sequence[RowMapping] = connection.execute(query).mappings().all()
    return found


def _record(writer: WARCWriter, document: Document) -> Any:
    fetched = document.fetched_at.replace(tzinfo=None).isoformat(timespec="microseconds")
    about = {"WARC-Date": f"{fetched}Z"}
    if line := source_line(document):
        about[SOURCE_HEADER] = line
    url = quote(document.url, safe="!#$%&'()*+,/:;=?@[]~", errors="surrogatepass")
    charset = f"; charset={document.encoding}" if document.encoding else ""
    headers, kind = None, document.media_type.value + charset
    if document.headers:
        received = [
            (f"{RENAMED}{name}" if name.lower() in CONTENT_HEADERS else name, value)
            for name, value in document.headers
        ]
        received.append(("Content-Length", str(len(document.body))))
        headers = StatusAndHeaders("200 OK", received, protocol="HTTP/1.1")
        kind = "application/http; msgtype=response"
    return writer.create_warc_record(
        url,
        "response" if document.headers else "resource",
        payload=io.BytesIO(document.body),
        length=len(document.body),
        warc_content_type=kind,
        warc_headers_dict=about,
        http_headers=headers,
    )
