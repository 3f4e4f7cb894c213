"""Full-text search: its index, written with every article, and what a query asks of it.

`put` and `drop` are called by whatever writes or takes out a text, within the same transaction, because what
is indexed is made in Python (`words.search_text`) and no trigger could make it. Two tables:

    search_entry   one row an article: a digest of what the index has of it
    search_words   the index itself. On SQLite an FTS5 table without contents, its rowid the article's id; on
                   PostgreSQL one row an article, a tsvector with a GIN index. Apart from `article`, because
                   there every regrouping of an article would write its words to the index again.

FTS5 without contents keeps no second copy of the texts, and takes words out again only when it is told which
they were. They are made again from the stored text, and the digest says whether they are the same; should
they not be (a newer Python knows letters that an older one did not), the index is made anew on the spot.

What it costs (`python -m benchmarks.search`, invented news of 2.7 kB an article, two cores busy with other
work as well, so the ratios say more than the times):

    storing and grouping, with to without   SQLite 1.32, PostgreSQL 1.12 of the time for batches of 50, with a
                                            `search_text` that took 2.3 times as long and was half of it;
                                            extraction, a multiple, not counted
    size                                    SQLite 1.5 kB an article, PostgreSQL 5.8 kB (4.6 the tsvector)
    growth: 200,000 articles to 10,000      SQLite 0.98 of the time; PostgreSQL at 100,000: 1.05
    queries at 200,000 on SQLite            20 to 110 ms of processor time, the most for quotations

FTS5 keeps its own settings: automerge 2 or 8, larger pages and a larger hash changed nothing that could be
told from noise. GIN keeps its pending list: without it writing takes 1.8 times as long, and a list of 1 or
16 MB is no faster than one of 4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from heapq import nlargest
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    cast,
    column,
    delete,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects import postgresql

from storage import schema
from storage.database import insert_rows
from storage.search.query import Query, as_fts5, as_tsquery
from storage.search.words import LEFT_OUT, Prepared, search_text

# How much more a word in the title counts than one in the text, on both databases.
TITLE_WEIGHT = 5.0

# How many matches are ranked at most: PostgreSQL has to read the words of each.
RANKED = 10_000

# Articles whose texts are in memory at once, and values in one IN list.
_BATCH = 200

_index = table("search_words", column("article_id"), column("words"))


def put(connection: Connection, articles: Iterable[tuple[int, str, str]]) -> None:
    """Adds articles that the index does not have: id, title and text of each."""
    rows = [(id, search_text(title, text)) for id, title, text in articles]
    if not rows:
        return
    entries = [{"article_id": id, "digest": _digest(prepared)} for id, prepared in rows]
    insert_rows(connection, schema.search_entry, entries)
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(
                "INSERT INTO search_words (article_id, words)"
                " SELECT id, CAST(words AS tsvector)"
                " FROM unnest(CAST(:ids AS bigint[]), CAST(:words AS text[])) AS made (id, words)"
            ),
            {"ids": [id for id, _ in rows], "words": [_tsvector(prepared) for _, prepared in rows]},
        )
    else:
        connection.exec_driver_sql(
            "INSERT INTO search_words (rowid, title, text) VALUES (?, ?, ?)",
            [(id, prepared.title, prepared.text) for id, prepared in rows],
        )


def drop(connection: Connection, ids: Iterable[int]) -> None:
    """Takes articles out of the index; to be called while `article` still has the texts that it was given."""
    wanted = sorted(set(ids))
    entry = schema.search_entry
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        if connection.dialect.name == "postgresql":
            connection.execute(delete(_index).where(_index.c.article_id.in_(part)))
        elif not _drop_words(connection, part):
            rebuild(connection, without=set(wanted))
            return
        connection.execute(delete(entry).where(entry.c.article_id.in_(part)))


def check(connection: Connection) -> list[int]:
    """Ids of the articles that the index has not, has otherwise, or has though they are gone; by id.

    Reads every article's text, and holds no more than some hundred of them at once.
    """
    entry = schema.search_entry
    wrong = set(_strays(connection))
    for articles in _articles(connection):
        digests: dict[int, int] = {
            row.article_id: row.digest
            for row in connection.execute(
                select(entry).where(entry.c.article_id.in_([id for id, _, _ in articles]))
            )
        }
        wrong.update(
            id for id, title, text in articles if digests.get(id) != _digest(search_text(title, text))
        )
    return sorted(wrong)


def rebuild(connection: Connection, *, without: Collection[int] = ()) -> int:
    """Makes the index anew from the articles, but for those in `without`; returns how many it has.

    To be called within a writing transaction; readers see the index as it was until that is committed.
    """
    connection.execute(delete(schema.search_entry))
    if connection.dialect.name == "postgresql":
        connection.execute(delete(_index))
    else:
        connection.execute(text("INSERT INTO search_words (search_words) VALUES ('delete-all')"))
    count = 0
    for articles in _articles(connection):
        wanted = [article for article in articles if article[0] not in without]
        put(connection, wanted)
        count += len(wanted)
    return count


def compact(connection: Connection) -> None:
    """Leaves nothing of the words that were dropped, and makes queries faster; rewrites the whole index.

    FTS5 marks what is dropped as gone, and gets rid of it as it merges. PostgreSQL does at its next VACUUM.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO search_words (search_words) VALUES ('optimize')"))


def best(
    connection: Connection,
    query: Query,
    conditions: Sequence[ColumnElement[bool]],
    canonical_only: bool,
    limit: int,
    offset: int,
) -> list[tuple[int, float]]:
    """Ids and scores of the articles that match, the best first, then the newest, then by id.

    conditions: on columns of `schema.article` that an index has. A score is bm25 on SQLite and `ts_rank_cd`
    on PostgreSQL: greater is better, and only scores of the same query on the same database can be compared.
    Where more than RANKED articles match, those that were stored last are ranked.
    """
    article = schema.article
    is_postgres = connection.dialect.name == "postgresql"
    index, id, matches, score = _on_postgresql(query) if is_postgres else _on_sqlite(query)
    last = select(id.label("id"), score.label("score")).where(matches)
    if conditions:
        # An index tells these, without a look at the row of every match. Plus nothing: else SQLite might ask
        # the words for one id after another.
        last = last.where((id + 0).in_(select(article.c.id).where(*conditions)))
    if canonical_only:
        index = index.join(article, article.c.id == id)
        last = last.where(article.c.is_canonical)
    last = last.select_from(index).order_by(id.desc()).limit(RANKED)
    scores = {row.id: row.score for row in connection.execute(last)}
    # The time is read only of those that may be shown, and of their equals: each is a page of the disk.
    least = min(nlargest(offset + limit, scores.values()), default=0.0)
    times: dict[int, datetime | None] = {}
    contenders = [id for id, score in scores.items() if score >= least]
    for start in range(0, len(contenders), _BATCH):
        part = article.c.id.in_(contenders[start : start + _BATCH])
        for row in connection.execute(select(article.c.id, article.c.published_at).where(part)):
            times[row.id] = row.published_at

    def place(id: int) -> tuple[float, bool, float, int]:
        time = times[id]
        return -scores[id], time is None, -time.timestamp() if time else 0.0, id

    return [(id, scores[id]) for id in sorted(times, key=place)[offset : offset + limit]]


def _on_sqlite(
    query: Query,
) -> tuple[FromClause, ColumnElement[Any], ColumnElement[bool], ColumnElement[Any]]:
    """The index, the article's id in it, what tells a match, and the score of one."""
    index = table("search_words", column("rowid"))
    named: ColumnElement[Any] = literal_column("search_words")
    score = -func.bm25(named, literal(TITLE_WEIGHT), literal(1.0))
    return index, index.c.rowid, named.op("MATCH")(as_fts5(query)), score


def _on_postgresql(
    query: Query,
) -> tuple[FromClause, ColumnElement[Any], ColumnElement[bool], ColumnElement[Any]]:
    """As `_on_sqlite`."""
    sought = cast(as_tsquery(query), postgresql.TSQUERY)
    weights = cast([1 / TITLE_WEIGHT, 0.0, 0.0, 1.0], postgresql.ARRAY(postgresql.REAL))
    # 1: divided by 1 + the logarithm of the length, as bm25 allows for length.
    score = func.ts_rank_cd(weights, _index.c.words, sought, 1)
    return _index, _index.c.article_id, _index.c.words.op("@@")(sought), score


def _drop_words(connection: Connection, ids: Sequence[int]) -> bool:
    """Takes the words of articles out of FTS5; False, and nothing done, where it cannot tell which."""
    entry, article = schema.search_entry, schema.article
    rows = []
    for row in connection.execute(
        select(entry.c.article_id, entry.c.digest, article.c.title, article.c.text)
        .join(article, article.c.id == entry.c.article_id)
        .where(entry.c.article_id.in_(ids))
    ):
        prepared = search_text(row.title, row.text)
        if _digest(prepared) != row.digest:
            return False
        rows.append({"id": row.article_id, "title": prepared.title, "text": prepared.text})
    if rows:
        connection.execute(
            text(
                "INSERT INTO search_words (search_words, rowid, title, text)"
                " VALUES ('delete', :id, :title, :text)"
            ),
            rows,
        )
    return True


def _strays(connection: Connection) -> Iterator[int]:
    """Ids that only one of the two tables has, or that are no article's."""
    if connection.dialect.name == "postgresql":
        indexed = "SELECT article_id FROM search_words"
    else:
        indexed = "SELECT id AS article_id FROM search_words_docsize"
    entered, articles = "SELECT article_id FROM search_entry", "SELECT id FROM article"
    for one, other in ((indexed, entered), (entered, indexed), (entered, articles)):
        yield from connection.scalars(text(f"{one} EXCEPT {other}"))


def _articles(connection: Connection) -> Iterator[list[tuple[int, str, str]]]:
    """Every article's id, title and text, some at a time."""
    article = schema.article
    last = 0
    while True:
        query = (
            select(article.c.id, article.c.title, article.c.text)
            .where(article.c.id > last)
            .order_by(article.c.id)
            .limit(_BATCH)
        )
        rows = [(row.id, row.title, row.text) for row in connection.execute(query)]
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _digest(prepared: Prepared) -> int:
    """64 bits, signed."""
    made = hashlib.blake2b(f"{prepared.title}\0{prepared.text}".encode(), digest_size=8)
    return int.from_bytes(made.digest(), "little", signed=True)


def _tsvector(prepared: Prepared) -> str:
    """The words with their places, as PostgreSQL reads a tsvector: the title's of weight A, others of D."""
    places: dict[str, list[str]] = {}
    title = prepared.title.split()
    for at, word in enumerate(title, 1):
        places.setdefault(word, []).append(f"{at}A")
    # A place is left free, so that no quotation reaches from the title into the text.
    for at, word in enumerate(prepared.text.split(), len(title) + 2):
        places.setdefault(word, []).append(str(at))
    places.pop(LEFT_OUT, None)
    return " ".join(f"'{word}':{','.join(at)}" for word, at in places.items())
