"""Keys of sources and texts, and values that both databases accept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from typing import Any

from pipeline.addresses import address_key
from pipeline.document import (
    Article,
    Claims,
    Document,
    Origin,
    Outcome,
    PageBytes,
    Reason,
    Rejection,
    Removed,
    RightsStatement,
    Stage,
    as_objects,
)
from pipeline.text import make_search_words

_NO_CLAIMS = Claims()

# Failures that a second attempt may not have: the next run tries these documents again.
TRANSIENT = frozenset(
    {Reason.UNREACHABLE, Reason.TIMEOUT, Reason.WORKER_DIED, Reason.INTERNAL_ERROR, Reason.STORAGE_ERROR}
)

# Failures in general: they say nothing of the page, so what an earlier attempt made of it stays. Of
# QUARANTINED the table `quarantine` knows whether there is another attempt.
FAILURES = TRANSIENT | {Reason.QUARANTINED}

# Longer than any host, agency or language tag. PostgreSQL's indexes refuse values over 2,700 bytes.
_LONGEST = {"site": 300, "agency": 300, "language": 100}


# Most characters of a rejection's detail.
_LONGEST_DETAIL = 2000


class UnstorableError(ValueError):
    """Raised for a value that one of the databases would refuse; the writer records a rejection."""


@dataclass(frozen=True, slots=True)
class SourceKey:
    """Certain bytes at a certain location: a run looks them up before it processes a document again.

    Made by `source_key`. sha256: digest of the body; for a JSONL record also of the values beside it.
    """

    location: str
    sha256: bytes


def source_key(document: Document) -> SourceKey:
    """The key of a document that has not been processed; hashes its body."""
    digest = _digest(
        hashlib.sha256(document.body).digest(),
        document.origin,
        document.url,
        document.encoding,
        document.publisher,
        document.claims,
    )
    return SourceKey(storable_name(document.location), digest)


def page_digest(page: PageBytes) -> bytes:
    """The `sha256` of the source key that the page's document has."""
    return _digest(page.sha256, page.origin, page.url, page.encoding, page.publisher, page.claims)


def stored_page_digest(row: Mapping[Any, Any]) -> bytes:
    """As `page_digest`, of a row of the page table."""
    origin, claims = Origin(row["origin"]), claims_of(row["claims"])
    return _digest(row["sha256"], origin, row["url"], row["encoding"], row["publisher"], claims)


def _digest(
    sha256: bytes, origin: Origin, url: str, encoding: str | None, publisher: str | None, claims: Claims
) -> bytes:
    # A JSONL record may be corrected in its title or date while its text stays. Elsewhere what stands beside
    # the body comes from a feed, changes with every reading of it, and the page itself says better.
    # Rights are different: they come from the server of the page, and hold for it as long as it says so.
    rights = [astuple(statement) for statement in claims.rights]
    if rights:
        sha256 = hashlib.sha256(sha256 + json.dumps(rights).encode()).digest()
    if origin is not Origin.JSONL:
        return sha256
    said: tuple[Any, ...] = (claims.title, claims.published_at, claims.authors, claims.language)
    more = (claims.description, claims.section, claims.keywords, claims.image_url)
    if any(more):  # without them as ever, so that records that are stored are known
        said += more
    beside = json.dumps([url, encoding, publisher, said])
    return hashlib.sha256(sha256 + beside.encode()).digest()


def tombstone_key(kind: str, value: str) -> bytes:
    """What a tombstone is found by, 16 bytes: a hash of the site, or of the URL's `address_key`."""
    name = address_key(value) if kind == "url" else value
    return hashlib.sha256(f"{kind}\0{storable_name(name)}".encode()).digest()[:16]


def text_hash(title: str, text: str) -> bytes:
    """Distinguishes the texts of one URL, 16 bytes; a new headline over the same story is a new text."""
    return hashlib.sha256(f"{title}\0{text}".encode()).digest()[:16]


def storable_text(value: str) -> str:
    """The text with NUL characters and lone surrogates replaced by U+FFFD: PostgreSQL takes neither."""
    if "\0" in value:
        value = value.replace("\0", "\ufffd")
    try:
        value.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value)
    return value


def storable_name(value: str) -> str:
    """As `storable_text`, but two names that differ stay different: a byte that is no UTF-8 as \\udcXX."""
    return value.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def storable(outcome: Outcome) -> Outcome:
    """The outcome with every text made storable; the same object if nothing had to be changed."""
    if _is_storable(_texts_of(outcome)):
        return outcome
    if isinstance(outcome, Rejection):
        return replace(
            outcome,
            location=storable_name(outcome.location),
            url=_maybe(outcome.url),
            detail=storable_text(outcome.detail)[:_LONGEST_DETAIL],
            page=_page(outcome.page) if outcome.page else None,
        )
    return replace(
        outcome,
        url=storable_name(outcome.url),
        location=storable_name(outcome.location),
        publisher=_maybe(outcome.publisher),
        site=storable_text(outcome.site),
        title=storable_text(outcome.title),
        text=storable_text(outcome.text),
        authors=tuple(map(storable_text, outcome.authors)),
        byline=_maybe(outcome.byline),
        dateline=_maybe(outcome.dateline),
        agency=_maybe(outcome.agency),
        published_source=_maybe(outcome.published_source),
        language=_maybe(outcome.language),
        description=_maybe(outcome.description),
        section=_maybe(outcome.section),
        keywords=_each(outcome.keywords),
        image_url=_maybe(outcome.image_url),
        rights=None if outcome.rights is None else tuple(map(_statement, outcome.rights)),
        syndicated_from=_maybe(outcome.syndicated_from),
        removed=tuple(
            Removed(r.position, storable_text(r.text), storable_text(r.rule)) for r in outcome.removed
        ),
        page=_page(outcome.page),
        search_words=make_search_words(storable_text(outcome.title), storable_text(outcome.text)),
    )


def _texts_of(outcome: Outcome) -> Iterator[str | None]:
    """All texts that `storable` may change."""
    yield from (outcome.url, outcome.location)
    if isinstance(outcome, Rejection):
        # A longer detail is cut.
        yield outcome.detail if len(outcome.detail) <= _LONGEST_DETAIL else "\0"
    else:
        yield from (outcome.publisher, outcome.site, outcome.title, outcome.text, *outcome.authors)
        yield from (outcome.byline, outcome.dateline, outcome.agency, outcome.published_source)
        yield from (outcome.language, outcome.syndicated_from)
        yield from (outcome.description, outcome.section, outcome.image_url, *(outcome.keywords or ()))
        yield from _texts_of_rights(outcome.rights or ())
        for removed in outcome.removed:
            yield from (removed.text, removed.rule)
    if outcome.page:
        page, claims = outcome.page, outcome.page.claims
        yield from (page.encoding, page.url, page.publisher)
        yield from (claims.title, claims.published_at, *claims.authors, claims.language)
        yield from (claims.description, claims.section, claims.image_url, *(claims.keywords or ()))
        yield from _texts_of_rights(claims.rights)


def _texts_of_rights(statements: Iterable[RightsStatement]) -> Iterator[str | None]:
    for statement in statements:
        yield from (statement.name, statement.value, statement.source, statement.agent)


def _is_storable(texts: Iterable[str | None]) -> bool:
    """Whether `storable_text` and `storable_name` would leave all of them unchanged."""
    joined = "".join(filter(None, texts))
    if "\0" in joined:
        return False
    try:
        joined.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_storable(article: Article) -> None:
    """Raises UnstorableError for a value that one of the databases would refuse, so both refuse it."""
    for name, longest in _LONGEST.items():
        value = getattr(article, name) or ""
        if len(value) > longest:
            raise UnstorableError(f"{name} of {len(value)} characters, the most is {longest}")
    if article.published_at and article.published_at.tzinfo is None:
        raise UnstorableError("published_at without a time zone")


def checked(outcome: Outcome) -> Outcome:
    """The outcome as a writer stores it: storable, or the rejection of one that a database would refuse."""
    made = storable(outcome)
    if isinstance(made, Article):
        try:
            check_storable(made)
        except UnstorableError as error:
            return as_rejection(made, f"{type(error).__name__}: {error}")
    return made


def as_rejection(outcome: Outcome, why: str) -> Rejection:
    """The rejection that is recorded for an outcome that could not be stored."""
    fetched = outcome.page.fetched_at if isinstance(outcome, Article) else outcome.at
    return Rejection(
        location=outcome.location,
        url=outcome.url,
        stage=Stage.STORE,
        reason=Reason.STORAGE_ERROR,
        detail=storable_text(why)[:500],
        at=fetched,
        rules_version=outcome.rules_version,
    )


def _maybe(value: str | None) -> str | None:
    return None if value is None else storable_text(value)


def _each(values: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(map(storable_text, values))


def _statement(statement: RightsStatement) -> RightsStatement:
    return replace(
        statement,
        name=storable_text(statement.name),
        value=storable_text(statement.value),
        source=storable_text(statement.source),
        agent=_maybe(statement.agent),
    )


def _page(page: PageBytes) -> PageBytes:
    claims = page.claims
    return replace(
        page,
        encoding=_maybe(page.encoding),
        url=storable_name(page.url),
        publisher=_maybe(page.publisher),
        claims=Claims(
            title=_maybe(claims.title),
            published_at=_maybe(claims.published_at),
            authors=tuple(map(storable_text, claims.authors)),
            language=_maybe(claims.language),
            description=_maybe(claims.description),
            section=_maybe(claims.section),
            keywords=_each(claims.keywords),
            image_url=_maybe(claims.image_url),
            rights=tuple(map(_statement, claims.rights)),
        ),
    )


def claims_json(claims: Claims) -> dict[str, Any] | None:
    """The claims as a JSON object, None for none; `claims_of` reads them back."""
    if claims == _NO_CLAIMS:
        return None
    return {
        "title": claims.title,
        "published_at": claims.published_at,
        "authors": list(claims.authors),
        "language": claims.language,
        "description": claims.description,
        "section": claims.section,
        "keywords": claims.keywords and list(claims.keywords),
        "image_url": claims.image_url,
        "rights": as_objects(claims.rights),
    }


def claims_of(value: dict[str, Any] | None) -> Claims:
    if value is None:
        return Claims()
    keywords = value.get("keywords")
    return Claims(
        value["title"],
        value["published_at"],
        tuple(value["authors"]),
        value["language"],
        # Claims that were stored before 0011 have none of these.
        value.get("description"),
        value.get("section"),
        tuple(keywords) if keywords else None,
        value.get("image_url"),
        tuple(RightsStatement(**statement) for statement in value.get("rights") or ()),
    )
