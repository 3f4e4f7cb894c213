"""The keys that other programs give a record: news-please, Fundus, Trafilatura, schema.org and ninjs.

A record with a key of one of these is read as one of it, where it has no key of ours for the same thing. An
operator's own names (`--map text=story`) come before all of these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Record = Mapping[str, object]

# Our own keys of a record.
RECORD_KEYS = (
    *("url", "title", "text", "html", "published_at", "authors", "language", "publisher", "id"),
    *("description", "section", "keywords", "image_url", "rights"),
)
# Keys that have the body of a record in one of the formats.
BODY_KEYS = ("text", "html", "maintext", "articleBody", "plaintext", "body_text", "body_xhtml", "bodies")

# A byline of ninjs; the names follow it.
_BY = re.compile(r"\Aby\s{1,9}", re.IGNORECASE)


def known_fields(record: Record, named: Mapping[str, str]) -> Record:
    """The record with our keys. named: our key -> the record's key, for those that an operator has named."""
    own = {ours: record[theirs] for ours, theirs in named.items() if theirs in record}
    for is_meant, read in _FORMATS:
        if is_meant(record):
            found = {key: value for key, value in read(record).items() if value not in (None, "", [])}
            return {**found, **record, **_replaced(record, found), **own}
    return {**record, **own} if own else record


def _replaced(record: Record, found: Record) -> Record:
    """What a format has under a key of ours, in another form: `html` of Fundus is an object."""
    return {key: value for key, value in found.items() if not isinstance(record.get(key, ""), str | list)}


def _news_please(record: Record) -> dict[str, Any]:
    return {
        "text": record.get("maintext"),
        "published_at": record.get("date_publish"),
        "publisher": record.get("source_domain"),
    }


def _fundus(record: Record) -> dict[str, Any]:
    page = _object(record.get("html"))
    source = _object(page.get("source_info") or page.get("source"))
    return {
        "text": record.get("plaintext") or _fundus_text(_object(record.get("body"))),
        "url": page.get("responded_url") or page.get("requested_url"),
        "html": page.get("content"),
        "published_at": record.get("publishing_date"),
        "language": record.get("lang"),
        "keywords": record.get("topics"),
        "publisher": record.get("publisher") or source.get("publisher"),
    }


def _fundus_text(body: Record) -> str:
    lines = _lines(body.get("summary"))
    sections = body.get("sections")
    for section in sections if isinstance(sections, list) else []:
        lines += [*_lines(_object(section).get("headline")), *_lines(_object(section).get("paragraphs"))]
    return "\n".join(lines)


def _lines(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [line for line in values if isinstance(line, str)]


def _trafilatura(record: Record) -> dict[str, Any]:
    return {
        "url": record.get("source"),
        "authors": _parts(record.get("author"), ";"),
        "publisher": record.get("source-hostname") or record.get("hostname"),
        "description": record.get("excerpt"),
        "section": next(iter(_parts(record.get("categories"), ";")), None),
        "keywords": _parts(record.get("tags"), ";"),
        "image_url": record.get("image"),
    }


def _schema_org(record: Record) -> dict[str, Any]:
    page, language, section = (
        record.get(key) for key in ("mainEntityOfPage", "inLanguage", "articleSection")
    )
    keywords = record.get("keywords")
    return {
        "url": page if isinstance(page, str) else _object(page).get("@id"),
        "title": record.get("headline"),
        "text": record.get("articleBody"),
        "published_at": record.get("datePublished"),
        "language": _object(language).get("alternateName") if isinstance(language, dict) else language,
        "section": next(iter(_lines(section)), None),
        "keywords": _parts(keywords, ",") if isinstance(keywords, str) else keywords,
        "image_url": _image(record.get("image")),
    }


def _image(value: object) -> object:
    first = value[0] if isinstance(value, list) and value else value
    return _object(first).get("url") if isinstance(first, dict) else first


def _ninjs(record: Record) -> dict[str, Any]:
    bodies = _by_type(record.get("bodies"))
    by = record.get("byline") or record.get("by")
    sources = record.get("infosources") or record.get("infosource")
    subjects = record.get("subjects") or record.get("subject")
    return {
        "url": record.get("uri"),
        "title": _first_value(record.get("headlines")) or record.get("headline"),
        "text": record.get("body_text") or bodies.get("text/plain"),
        "html": record.get("body_xhtml") or bodies.get("text/html") or bodies.get("application/xhtml+xml"),
        "published_at": record.get("contentcreated")
        or record.get("firstcreated")
        or record.get("versioncreated"),
        "authors": _parts(_BY.sub("", by, count=1), ",") if isinstance(by, str) else None,
        "publisher": _object(sources[0]).get("name") if isinstance(sources, list) and sources else None,
        "description": record.get("description_text") or _first_value(record.get("descriptions")),
        "keywords": [_object(one).get("name") for one in subjects] if isinstance(subjects, list) else None,
    }


def _by_type(bodies: object) -> dict[object, object]:
    listed = bodies if isinstance(bodies, list) else []
    return {str(_object(one).get("contenttype")): _object(one).get("value") for one in listed}


def _first_value(values: object) -> object:
    return _object(values[0]).get("value") if isinstance(values, list) and values else None


def _parts(value: object, separator: str) -> list[str]:
    """The parts of a text that is a list; a list as it is."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(separator) if part.strip()]
    return _lines(value) if isinstance(value, list) else []


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


_TRAFILATURA_KEYS = frozenset(("source-hostname", "raw_text", "excerpt", "filedate", "hostname"))

_FORMATS: tuple[tuple[Callable[[Record], bool], Callable[[Record], dict[str, Any]]], ...] = (
    (lambda record: "maintext" in record, _news_please),
    (lambda record: "articleBody" in record, _schema_org),
    (lambda record: bool(record.keys() & {"body_text", "body_xhtml", "bodies"}), _ninjs),
    (
        lambda record: (
            "plaintext" in record or "publishing_date" in record or isinstance(record.get("html"), dict)
        ),
        _fundus,
    ),
    (lambda record: "text" in record and bool(record.keys() & _TRAFILATURA_KEYS), _trafilatura),
)
