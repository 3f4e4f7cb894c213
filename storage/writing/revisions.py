"""Which texts each URL has, and how each location ended: outcomes are settled against what is stored.

Three steps: `load` reads what a batch of outcomes can touch, `settle` decides in memory what each of them
means, `flush` writes the difference. The decisions do not depend on the order of arrival:

- An article has every distinct text that a document of it gave. The current one is that of the greatest
  (time of fetch, text hash), whichever came first into the base.
- The same bytes at the same location, processed by other rules, change their text in place: a text that no
  document gives any more is dropped, and with its last text the article goes.
- A rejection is the present end of its location: a document fetched later there, or the same bytes,
  replaces it. A page that is turned away today leaves the article that other bytes gave before. Where
  there is no page any more, the article that was last fetched there is gone, until it is fetched again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from pipeline.copies import ArticleCopy, bands_of
from pipeline.document import (
    Article,
    Fingerprint,
    Outcome,
    PageBytes,
    Reason,
    Rejection,
    Removed,
    SearchWords,
)
from pipeline.settings import BAND_BITS
from pipeline.text import make_search_words
from pipeline.urls import canonical_url
from storage import schema, search
from storage.base import TRANSIENT, among, check, claims_json, microseconds, page_digest, text_hash
from storage.database import insert_rows
from storage.schema import TEXT_COLUMNS, pipeline_values, to_second

T = TypeVar("T")

# Values in one IN list: SQLite takes 32,766 parameters a statement, older builds 999.
_IN_LIST = 400

DocumentKey = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class TextOfArticle:
    """One text of one article. columns: `schema.TEXT_COLUMNS` but for page_id.

    page: bytes that are not stored yet; otherwise they are the page `page_id`, None once pruned.
    """

    columns: Mapping[str, Any]
    removed: tuple[Removed, ...]
    fingerprint: Fingerprint | None
    page_id: int | None
    page: PageBytes | None = None
    search_words: SearchWords | None = None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    location: str
    digest: bytes
    fetched_us: int
    article_id: int
    text_hash: bytes
    rules_version: str
    alias: str | None


@dataclass(slots=True)
class Held:
    """An article while a batch is settled; `stored` is what the base has of it, `texts` what it will have."""

    id: int
    url: str
    site: str
    first_seen_at: datetime
    row: Mapping[str, Any] | None = None
    stored: dict[bytes, TextOfArticle] = field(default_factory=dict)
    texts: dict[bytes, TextOfArticle] = field(default_factory=dict)
    gone_at: datetime | None = None

    @property
    def current(self) -> TextOfArticle:
        if len(self.texts) == 1:
            return next(iter(self.texts.values()))
        return max(self.texts.values(), key=lambda t: (t.columns["fetched_us"], t.columns["text_hash"]))


@dataclass(slots=True)
class Desk:
    """All that a batch of outcomes touches, by key. `was_` is what is stored."""

    next_article: int
    next_page: int
    articles: dict[int, Held] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    documents: dict[DocumentKey, DocumentRow] = field(default_factory=dict)
    was_documents: dict[DocumentKey, DocumentRow] = field(default_factory=dict)
    rejections: dict[str, dict[str, Any]] = field(default_factory=dict)
    was_rejections: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected_pages: dict[str, PageBytes] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    touched: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Indexed:
    """A story as the near-duplicate index has to know it."""

    story: ArticleCopy
    fingerprint: Fingerprint | None
    syndicated_from: str | None
    text_hash: bytes


@dataclass(frozen=True, slots=True)
class Changes:
    """left: articles whose old story leaves the index; entered: new and changed stories, by id."""

    left: tuple[int, ...]
    entered: tuple[Indexed, ...]


def chunks(values: Iterable[T], size: int = _IN_LIST) -> Iterator[list[T]]:
    rows = list(values)
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


# --- load ---------------------------------------------------------------------------------------------


def load(connection: Connection, outcomes: Sequence[Outcome]) -> Desk:
    """Reads what the outcomes can touch; bounded by the batch, whatever the size of the base."""
    counters = {row.name: row.value for row in connection.execute(select(schema.counter))}
    desk = Desk(next_article=counters.get("article", 0) + 1, next_page=counters.get("page", 0) + 1)
    for part in chunks({outcome.location for outcome in outcomes}):
        _take_documents(desk, connection, among(schema.document.c.location, part))
        for row in connection.execute(
            select(schema.rejection).where(among(schema.rejection.c.location, part))
        ).mappings():
            desk.was_rejections[row["location"]] = dict(row)
    table = schema.article
    for part in chunks({outcome.url for outcome in outcomes if isinstance(outcome, Article)}):
        desk.ids.update(
            (url, id)
            for url, id in connection.execute(select(table.c.url, table.c.id).where(among(table.c.url, part)))
        )
    wanted: set[int] = set()
    for outcome in outcomes:
        # Of new documents, the most by far, the digest is made when they are settled.
        found = desk.documents.get(_key(outcome)) if desk.documents and outcome.page else None
        if isinstance(outcome, Article):
            id = desk.ids.get(outcome.url)
            if _is_known(found, outcome, id):
                continue
            wanted.update(i for i in (id, found and found.article_id) if i)
        elif found:
            wanted.add(found.article_id)
        elif outcome.is_gone:
            wanted.update(d.article_id for d in desk.documents.values() if d.location == outcome.location)
    _load_articles(desk, connection, wanted)
    desk.was_documents = dict(desk.documents)
    desk.rejections = dict(desk.was_rejections)
    return desk


def _take_documents(desk: Desk, connection: Connection, condition: Any) -> None:
    for row in connection.execute(select(schema.document).where(condition)):
        found = DocumentRow(*row)
        desk.documents[found.location, found.digest] = found


def _load_articles(desk: Desk, connection: Connection, ids: Iterable[int]) -> None:
    for part in chunks(ids):
        removed = _removed_lines(connection, part)
        prints = load_fingerprints(connection, part)
        for row in connection.execute(
            select(schema.article).where(among(schema.article.c.id, part))
        ).mappings():
            held = Held(row["id"], row["url"], row["site"], row["first_seen_at"], row=dict(row))
            held.gone_at = row["gone_at"]
            desk.ids[held.url] = held.id
            desk.articles[held.id] = held
            text = _text_of(dict(row), removed.get(held.id, ()), prints.get(held.id))
            held.stored[row["text_hash"]] = text
        for row in connection.execute(
            select(schema.revision).where(among(schema.revision.c.article_id, part))
        ).mappings():
            lines = tuple(Removed(*line) for line in row["removed"])
            print_ = None
            if row["sketch"] is not None:
                print_ = Fingerprint(row["sketch"], row["signature"], unpack_keys(row["bands"]))
            desk.articles[row["article_id"]].stored[row["text_hash"]] = _text_of(dict(row), lines, print_)
        _take_documents(desk, connection, among(schema.document.c.article_id, part))
    for held in desk.articles.values():
        held.texts = dict(held.stored)


def load_stories(connection: Connection, ids: Sequence[int]) -> list[Indexed]:
    """The current texts of these articles as the index has to know them, without fingerprints; by id."""
    table = schema.article
    found: list[Indexed] = []
    for part in chunks(ids):
        for row in connection.execute(select(table).where(among(table.c.id, part))).mappings():
            held = Held(row["id"], row["url"], row["site"], row["first_seen_at"])
            found.append(_indexed(held, _text_of(dict(row), (), None), held.first_seen_at))
    return sorted(found, key=lambda indexed: indexed.story.id)


def _removed_lines(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[Removed, ...]]:
    table = schema.removal
    lines: dict[int, list[Removed]] = {}
    for row in connection.execute(
        select(table.c.article_id, table.c.position, table.c.text, table.c.rule)
        .where(table.c.article_id.in_(ids))
        .order_by(table.c.article_id, table.c.line)
    ):
        lines.setdefault(row.article_id, []).append(Removed(row.position, row.text, row.rule))
    return {id: tuple(found) for id, found in lines.items()}


def load_fingerprints(connection: Connection, ids: Sequence[int]) -> dict[int, Fingerprint]:
    """The stored fingerprints of these articles, with the bands as the pipeline made them."""
    table, sketch = schema.signature, schema.sketch
    found = {}
    for row in connection.execute(
        select(table.c.article_id, table.c.signature, table.c["keys"].label("packed"), sketch.c.version)
        .join(sketch, sketch.c.id == table.c.sketch_id)
        .where(table.c.article_id.in_(ids))
    ):
        bands = salted(bands_of(np.array(unpack_keys(row.packed), dtype=np.int64)), row.version)
        found[row.article_id] = Fingerprint(
            row.version.partition(" ")[0], row.signature, tuple(bands.tolist())
        )
    return found


def pack_keys(keys: Sequence[int] | NDArray[np.int64]) -> bytes:
    return np.array(keys, dtype="<i8").tobytes()


def unpack_keys(packed: bytes) -> tuple[int, ...]:
    return tuple(np.frombuffer(packed, dtype="<i8").tolist())


def salted(bands: NDArray[np.int64], version: str) -> NDArray[np.int64]:
    """Bands with the index version mixed in, so that two versions never meet in one; twice undoes it."""
    near, far = _salts(version)
    made: NDArray[np.int64] = bands ^ np.where(bands < 0, far, near)
    return made


@cache
def _salts(version: str) -> tuple[int, int]:
    salt = int.from_bytes(text_hash("", version)[:8], "little")
    return salt >> (64 - BAND_BITS), salt >> 1


def _text_of(
    row: Mapping[str, Any], removed: tuple[Removed, ...], fingerprint: Fingerprint | None
) -> TextOfArticle:
    columns = {name: row[name] for name in TEXT_COLUMNS if name != "page_id"}
    return TextOfArticle(columns, removed, fingerprint, row["page_id"])


# --- settle -------------------------------------------------------------------------------------------


def settle(desk: Desk, outcome: Outcome, run_id: int) -> str:
    """Decides what one outcome means for the base; counts it, and returns the end that it counted as.

    Raises UnstorableError.
    """
    if isinstance(outcome, Article):
        check(outcome)
        end = _settle_article(desk, outcome)
    else:
        end = _settle_rejection(desk, outcome, run_id)
    desk.counts[end] += 1
    if end == "rejected" and isinstance(outcome, Rejection):
        desk.reasons[outcome.reason.value] += 1
    return end


def _key(outcome: Outcome) -> DocumentKey:
    assert outcome.page is not None
    return outcome.location, page_digest(outcome.page)


def _is_known(found: DocumentRow | None, article: Article, id: int | None) -> bool:
    return (
        found is not None
        and found.article_id == id
        and found.rules_version == article.rules_version
        and found.fetched_us >= microseconds(article.page.fetched_at)
        and found.text_hash == text_hash(article.title, article.text)
    )


def _settle_article(desk: Desk, article: Article) -> str:
    fetched_us = microseconds(article.page.fetched_at)
    key = _key(article)
    before = desk.documents.get(key)
    rejection = desk.rejections.get(article.location)
    if rejection and (rejection["digest"] == key[1] or rejection["at_us"] <= fetched_us):
        _drop_rejection(desk, article.location)
    if _is_known(before, article, desk.ids.get(article.url)):
        return "unchanged"

    id = desk.ids.get(article.url)
    if id is None:
        id = desk.next_article
        desk.next_article += 1
        desk.ids[article.url] = id
        desk.articles[id] = Held(id, article.url, article.site, to_second(article.page.fetched_at))
    held = desk.articles[id]
    is_new = not held.texts
    hash = text_hash(article.title, article.text)
    own = article.url if article.page.url == article.url else canonical_url(article.page.url)
    desk.documents[key] = DocumentRow(
        location=article.location,
        digest=key[1],
        fetched_us=max(fetched_us, before.fetched_us) if before else fetched_us,
        article_id=id,
        text_hash=hash,
        rules_version=article.rules_version,
        alias=own if own != article.url and own.startswith("http") else None,
    )
    known_text = held.texts.get(hash)
    # The last fetch of these bytes: other rules may meet them in an older file.
    text = _merged(known_text, article, hash, desk.documents[key].fetched_us)
    held.texts[hash] = text
    held.first_seen_at = min(held.first_seen_at, to_second(article.page.fetched_at))
    if held.gone_at is not None and held.gone_at <= to_second(article.page.fetched_at):
        held.gone_at = None
    if before:
        old = desk.articles[before.article_id].texts.get(before.text_hash)
        if (before.article_id, before.text_hash) != (id, hash):
            _follow(desk, before, article.rules_version, desk.documents[key])
        _release(desk, before.article_id, before.text_hash)
        if text.page is not None and old is not None and _is_of(old, before):
            still_held = desk.articles[before.article_id].texts.get(before.text_hash)
            if (
                still_held is not old and old.page_id is not None
            ):  # the same bytes: no need to store them again
                held.texts[hash] = text = replace(text, page=None, page_id=old.page_id)

    if before is not None and not is_new and known_text is not None and before.text_hash == hash:
        end = "unchanged" if _same_article(known_text, text) else "updated"
    elif before is not None:
        end = "updated"
    elif is_new:
        end = "stored"
    else:
        end = "unchanged" if known_text is not None else "revised"
    if end != "unchanged":
        desk.touched.add(id)
    return end


def _merged(known: TextOfArticle | None, article: Article, hash: bytes, fetched_us: int) -> TextOfArticle:
    """The text with what this document says of it, where no document fetched later says otherwise."""
    seen_at = to_second(article.page.fetched_at)
    if known is not None:
        seen_at = min(seen_at, known.columns["seen_at"])
        if (known.columns["fetched_us"], known.columns["location"]) > (fetched_us, article.location):
            return replace(known, columns={**known.columns, "seen_at": seen_at})
    columns = {
        "text_hash": hash,
        "fetched_us": fetched_us,
        "seen_at": seen_at,
        **pipeline_values(article),
    }
    return TextOfArticle(
        columns, article.removed, article.fingerprint, None, article.page, article.search_words
    )


def _follow(desk: Desk, before: DocumentRow, rules_version: str, after: DocumentRow | None) -> None:
    """Where other rules make something else of the page that a text is kept with, every document of that
    text goes the same way: to `after`, or out of the base. Their own bytes are not kept, so nothing but what
    became of this page can be said of them; should they come again, they are processed.
    """
    text = desk.articles[before.article_id].texts.get(before.text_hash)
    if text is None or not _is_of(text, before) or before.rules_version == rules_version:
        return
    url = desk.articles[before.article_id].url
    for key, row in list(desk.documents.items()):
        if (row.article_id, row.text_hash) != (before.article_id, before.text_hash):
            continue
        if after is None:
            del desk.documents[key]
            continue
        own = row.alias or url
        target = desk.articles[after.article_id].url
        desk.documents[key] = replace(
            row,
            article_id=after.article_id,
            text_hash=after.text_hash,
            alias=own if own != target and own.startswith("http") else None,
        )


def _is_of(text: TextOfArticle, document: DocumentRow) -> bool:
    """Whether what is held of the text, its page among it, came from this document."""
    of = (text.columns["location"], text.columns["fetched_us"])
    return of == (document.location, document.fetched_us)


def _same_article(one: TextOfArticle, other: TextOfArticle) -> bool:
    """Whether a reader of the views sees no difference."""
    private = {"rules_version", "fetched_us", "seen_at"}
    return one.removed == other.removed and all(
        one.columns[name] == other.columns[name] for name in one.columns if name not in private
    )


def _release(desk: Desk, article_id: int, hash: bytes) -> None:
    """Drops a text that no document gives any more; with the last one the article is empty, and goes."""
    if any(d.article_id == article_id and d.text_hash == hash for d in desk.documents.values()):
        return
    held = desk.articles[article_id]
    held.texts.pop(hash, None)
    desk.touched.add(article_id)


def _settle_rejection(desk: Desk, rejection: Rejection, run_id: int) -> str:
    location = rejection.location
    digest = page_digest(rejection.page) if rejection.page else None
    at_us = microseconds(rejection.at)
    before = desk.documents.get((location, digest)) if digest is not None else None
    if before:
        if rejection.reason not in TRANSIENT:
            _follow(desk, before, rejection.rules_version, None)
            desk.documents.pop((before.location, before.digest), None)
            _release(desk, before.article_id, before.text_hash)
        elif before.rules_version == rejection.rules_version:
            return "unchanged"  # it went wrong this time, and went well before: nothing is left to try
    others = [d for d in desk.documents.values() if d.location == location and d.digest != digest]
    if any(d.fetched_us > at_us for d in others):
        return "unchanged"
    if rejection.is_gone:
        _mark_gone(desk, location, to_second(rejection.at))
    known = desk.rejections.get(location)
    if known is not None:
        if known["digest"] != digest and known["at_us"] > at_us:
            return "unchanged"
        same = ("digest", "stage", "reason", "detail", "rules_version", "url")
        new = (
            digest,
            rejection.stage,
            rejection.reason,
            rejection.detail,
            rejection.rules_version,
            rejection.url,
        )
        if tuple(known[name] for name in same) == new:
            # It is tried at every run, so every run that it fails has to say so.
            return "rejected" if rejection.reason in TRANSIENT else "unchanged"
    _drop_rejection(desk, location)
    desk.rejections[location] = {
        "location": location,
        "digest": digest,
        "at_us": at_us,
        "url": rejection.url,
        "stage": rejection.stage.value,
        "reason": rejection.reason.value,
        "detail": rejection.detail,
        "run_id": run_id,
        "at": to_second(rejection.at),
        "rules_version": rejection.rules_version,
        "page_id": None,
    }
    # Of what was forgotten the digest is enough: the document is known, and its bytes are not kept.
    if rejection.page and rejection.reason is not Reason.FORGOTTEN:
        desk.rejected_pages[location] = rejection.page
    return "rejected"


def _mark_gone(desk: Desk, location: str, at: datetime) -> None:
    """Notes the articles that were last fetched here; one that was found elsewhere since is not gone."""
    for id in {row.article_id for row in desk.documents.values() if row.location == location}:
        from_web = (
            row for row in desk.documents.values() if row.article_id == id and row.location.startswith("http")
        )
        latest = max(from_web, key=lambda row: row.fetched_us, default=None)
        held = desk.articles[id]
        if held.gone_at is None and latest is not None and latest.location == location:
            held.gone_at = at


def _drop_rejection(desk: Desk, location: str) -> None:
    desk.rejections.pop(location, None)
    desk.rejected_pages.pop(location, None)


# --- flush --------------------------------------------------------------------------------------------


def changes(desk: Desk) -> Changes:
    """Which stories the near-duplicate index has to forget and to learn."""
    left: list[int] = []
    entered: list[Indexed] = []
    for held in desk.articles.values():
        stored = held.stored.get(held.row["text_hash"]) if held.row else None
        old = _indexed(held, stored, held.row["first_seen_at"]) if held.row and stored else None
        new = _indexed(held, held.current, held.first_seen_at) if held.texts else None
        if old == new:
            continue
        if old:
            left.append(held.id)
        if new:
            entered.append(new)
    return Changes(tuple(left), tuple(entered))


def _indexed(held: Held, text: TextOfArticle, first_seen_at: datetime) -> Indexed:
    columns = text.columns
    story = ArticleCopy(
        id=held.id,
        url=held.url,
        title=columns["title"],
        text=columns["text"],
        fetched_at=first_seen_at,
        published_at=columns["published_at"],
        language=columns["language"],
        agency=columns["agency"],
        site=held.site,
    )
    return Indexed(story, text.fingerprint, columns["syndicated_from"], columns["text_hash"])


def flush(connection: Connection, desk: Desk) -> None:
    """Writes what settling changed, all but the index and the groups."""
    pages_before = {text.page_id for held in desk.articles.values() for text in held.stored.values()}
    pages_before |= {row["page_id"] for row in desk.was_rejections.values()}
    _flush_pages(connection, desk)
    _flush_articles(connection, desk)
    _flush_revisions(connection, desk)
    _flush_removals(connection, desk)
    _flush_documents(connection, desk)
    _flush_rejections(connection, desk)
    pages_after = {text.page_id for held in desk.articles.values() for text in held.texts.values()}
    pages_after |= {row["page_id"] for row in desk.rejections.values()}
    for part in chunks(sorted(id for id in pages_before - pages_after if id is not None)):
        connection.execute(delete(schema.page).where(schema.page.c.id.in_(part)))
    for name, value in (("article", desk.next_article - 1), ("page", desk.next_page - 1)):
        set_counter(connection, name, value)


def set_counter(connection: Connection, name: str, value: int) -> None:
    """Sets the last id of that kind that was given out."""
    table = schema.counter
    done = connection.execute(update(table).where(table.c.name == name).values(value=value))
    if not done.rowcount:
        connection.execute(insert(table).values(name=name, value=value))


def _flush_pages(connection: Connection, desk: Desk) -> None:
    """Gives every page that is not stored an id, and stores it."""
    rows = []

    def take(page: PageBytes, location: str) -> int:
        id = desk.next_page
        desk.next_page += 1
        rows.append(
            {
                "id": id,
                "sha256": page.sha256,
                "location": location,
                "url": page.url,
                "media_type": page.media_type.value,
                "encoding": page.encoding,
                "origin": page.origin.value,
                "fetched_us": microseconds(page.fetched_at),
                "publisher": page.publisher,
                "claims": claims_json(page.claims),
                "size": page.size,
                "body": page.compressed,
            }
        )
        return id

    for held in desk.articles.values():
        for hash, text in held.texts.items():
            if text.page is not None:
                id = take(text.page, text.columns["location"])
                held.texts[hash] = replace(text, page=None, page_id=id)
    for location, page in desk.rejected_pages.items():
        desk.rejections[location]["page_id"] = take(page, location)
    insert_rows(connection, schema.page, rows)


def _flush_articles(connection: Connection, desk: Desk) -> None:
    table = schema.article
    new, gone = [], []
    kept: dict[int, dict[str, Any]] = {}
    for held in desk.articles.values():
        if not held.texts:
            if held.row is not None:
                gone.append(held.id)
            continue
        current = held.current
        row = {
            "id": held.id,
            "url": held.url,
            "site": held.site,
            "first_seen_at": held.first_seen_at,
            "updated_at": max(text.columns["seen_at"] for text in held.texts.values()),
            "revision": len(held.texts),
            **current.columns,
            "page_id": current.page_id,
            "gone_at": held.gone_at,
        }
        if held.row is None:
            new.append({**row, "group_id": held.id, "is_canonical": True})
            continue
        changed = {name: value for name, value in row.items() if held.row[name] != value}
        if changed:
            kept[held.id] = changed
    retold = [id for id, changed in kept.items() if "text_hash" in changed]
    search.remove_from_index(connection, [*gone, *retold])
    for id, changed in kept.items():
        connection.execute(update(table).where(table.c.id == id).values(changed))
    for part in chunks(gone):
        connection.execute(delete(table).where(table.c.id.in_(part)))
    insert_rows(connection, table, new)
    indexed = [*retold, *(row["id"] for row in new)]
    search.add_to_index(connection, [(id, _words_of(desk.articles[id].current)) for id in indexed])


def _words_of(text: TextOfArticle) -> SearchWords:
    """The words that the worker made; made again for a text that was stored before and is current again."""
    return text.search_words or make_search_words(text.columns["title"], text.columns["text"])


def _flush_revisions(connection: Connection, desk: Desk) -> None:
    table = schema.revision
    new: list[dict[str, Any]] = []
    gone: list[tuple[int, bytes]] = []
    for held in desk.articles.values():
        if not held.texts or (held.row is None and len(held.texts) == 1):
            continue
        current = held.current.columns["text_hash"]
        stored_current = held.row["text_hash"] if held.row else None
        was = {hash: text for hash, text in held.stored.items() if hash != stored_current}
        now = {hash: text for hash, text in held.texts.items() if hash != current}
        gone.extend((held.id, hash) for hash, text in was.items() if now.get(hash) is not text)
        for hash, text in now.items():
            if was.get(hash) is text:
                continue
            print_ = text.fingerprint
            new.append(
                {
                    "article_id": held.id,
                    **text.columns,
                    "page_id": text.page_id,
                    "removed": [[line.position, line.text, line.rule] for line in text.removed],
                    "sketch": print_.version if print_ else None,
                    "signature": print_.signature if print_ else None,
                    "bands": pack_keys(print_.bands) if print_ else None,
                }
            )
    if gone:
        connection.execute(
            delete(table).where(
                table.c.article_id == bindparam("at_id"), table.c.text_hash == bindparam("at_hash")
            ),
            [{"at_id": id, "at_hash": hash} for id, hash in gone],
        )
    insert_rows(connection, table, new)


def _flush_removals(connection: Connection, desk: Desk) -> None:
    table = schema.removal
    new: list[dict[str, Any]] = []
    gone: list[int] = []
    for held in desk.articles.values():
        if not held.texts:
            continue
        lines = held.current.removed
        if held.row is not None:
            if held.stored[held.row["text_hash"]].removed == lines:
                continue
            gone.append(held.id)
        new.extend(
            {
                "article_id": held.id,
                "line": number,
                "position": line.position,
                "rule": line.rule,
                "text": line.text,
            }
            for number, line in enumerate(lines)
        )
    for part in chunks(gone):
        connection.execute(delete(table).where(table.c.article_id.in_(part)))
    insert_rows(connection, table, new)
    _note_changes(connection, gone)


def _note_changes(connection: Connection, ids: Iterable[int]) -> None:
    """Gives articles the next numbers in `change`, as its triggers do for what stands in `article` itself."""
    table, any_ = schema.change, schema.change.alias()
    following = select(func.max(any_.c.number) + 1).scalar_subquery()
    rows = [{"changed": id} for id in sorted(ids)]
    if rows:
        connection.execute(
            update(table)
            .where(table.c.article_id == bindparam("changed"))
            .values(number=following, at=datetime.now(UTC)),
            rows,
        )


def _flush_documents(connection: Connection, desk: Desk) -> None:
    table = schema.document
    gone = [key for key, row in desk.was_documents.items() if desk.documents.get(key) != row]
    new = [row for key, row in desk.documents.items() if desk.was_documents.get(key) != row]
    if gone:
        connection.execute(
            delete(table).where(
                table.c.location == bindparam("at_location"), table.c.digest == bindparam("at_digest")
            ),
            [{"at_location": location, "at_digest": digest} for location, digest in gone],
        )
    names = [column.name for column in table.columns]
    insert_rows(connection, table, [{name: getattr(row, name) for name in names} for row in new])


def _flush_rejections(connection: Connection, desk: Desk) -> None:
    table = schema.rejection
    gone = [at for at, row in desk.was_rejections.items() if desk.rejections.get(at) is not row]
    new = [row for at, row in desk.rejections.items() if desk.was_rejections.get(at) is not row]
    for part in chunks(gone):
        connection.execute(delete(table).where(table.c.location.in_(part)))
    insert_rows(connection, table, new)
