"""What is known of a document beside its bytes, as one line of text: what a WARC record has no header for.

So a page that `storage.upkeep.export_pages` wrote to a WARC file is the same document when it is read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any

from pipeline.document import Claims, Document, MediaType, Origin

# The field of a WARC record that has the line.
SOURCE_HEADER = "Copydesk-Source"
# Most characters of a line: a reader bounds the headers of a record, and claims are far smaller.
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class _Source:
    """The fields of `Document` without its bytes, its time and its headers."""

    location: str
    url: str
    media_type: MediaType
    origin: Origin
    encoding: str | None
    publisher: str | None
    claims: Claims


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter  # reading and writing such lines alone needs it

    return TypeAdapter(_Source)


def source_line(document: Document) -> str | None:
    """The line of a document, in ASCII; None if it would be too long."""
    line = json.dumps(_adapter().dump_python(_Source(**_shared(document)), mode="json"))
    return line if len(line) <= _LONGEST else None


def document_of_source(
    line: str, body: bytes, fetched_at: datetime, headers: tuple[tuple[str, str], ...]
) -> Document | None:
    """The document that a line was made of; None for a line that is none, whoever wrote it."""
    try:
        source: _Source = _adapter().validate_json(line, strict=True)
    except ValueError:
        return None
    return Document(**_shared(source), body=body, fetched_at=fetched_at, headers=headers)


def _shared(of: Document | _Source) -> dict[str, Any]:
    """The values of the fields that a document has in common with its line."""
    return {field.name: getattr(of, field.name) for field in fields(_Source)}
