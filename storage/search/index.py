"""The index of full-text search: kept in step with the articles, and asked for the articles of a query.

`add_to_index` and `remove_from_index` are called in the transaction that writes or deletes a text. No trigger
could do it: the words are made in Python (`pipeline.text.make_search_words`). There are two tables:

    search_entry   one row an article: a digest of the words that are indexed
    search_words   the index. On SQLite an FTS5 table without contents, whose rowid is the article's id. On
                   PostgreSQL one row an article, a tsvector with a GIN index. It is apart from `article`,
                   because each change of an article's group would write its words to the index again.

FTS5 without contents keeps no second copy of the texts. To remove an article's words, it needs the same words
again. They are computed from the stored text, and the digest shows whether they are the same. If they are
not, because a newer Python knows more letters, the whole index is rebuilt at once.

FTS5 and GIN keep their own settings (docs/tuning.md: FTS5 and GIN).
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
    Engine,
    FromClause,
    Select,
    cast,
    column,
    delete,
    distinct,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects import postgresql

from pipeline.document import SearchWords
from pipeline.text import LEFT_OUT, make_search_words
from storage import schema
from storage.database import insert_rows
from storage.search.query import Query, as_fts5, as_tsquery

# How much more a word in the title counts than one in the text, on both databases.
TITLE_WEIGHT = 5.0

# At most this many matches are ranked: PostgreSQL has to read the words of each.
RANKED = 10_000

# Articles whose texts are in memory at once, and values in one IN list.
_BATCH = 200

_index = table("search_words", column("article_id"), column("words"))


def add_to_index(connection: Connection, articles: Iterable[tuple[int, SearchWords]]) -> None:
    """Indexes articles that are not in the index: the id and the words of each."""
    rows = list(articles)
    if not rows:
        return
    entries = [{"article_id": id, "digest": words_digest(words)} for id, words in rows]
    insert_rows(connection, schema.search_entry, entries)
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(
                "INSERT INTO search_words (article_id, words)"
                " SELECT id, CAST(words AS tsvector)"
                " FROM unnest(CAST(:ids AS bigint[]), CAST(:words AS text[])) AS made (id, words)"
            ),
            {"ids": [id for id, _ in rows], "words": [tsvector(words) for _, words in rows]},
        )
    else:
        connection.exec_driver_sql(
            "INSERT INTO search_words (rowid, title, text) VALUES (?, ?, ?)",
            [(id, words.title, words.text) for id, words in rows],
        )


def remove_from_index(connection: Connection, ids: Iterable[int]) -> None:
    """Removes articles from the index. Call it while `article` still has the texts that were indexed."""
    wanted = sorted(set(ids))
    entry = schema.search_entry
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        if connection.dialect.name == "postgresql":
            connection.execute(delete(_index).where(_index.c.article_id.in_(part)))
        elif not _remove_from_fts5(connection, part):
            rebuild_index(connection, without=set(wanted))
            return
        connection.execute(delete(entry).where(entry.c.article_id.in_(part)))


def find_index_faults(connection: Connection) -> list[int]:
    """Ids of articles that are missing in the index, have different words there, or are there but deleted.

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
            id
            for id, title, text in articles
            if digests.get(id) != words_digest(make_search_words(title, text))
        )
    return sorted(wrong)


def rebuild_index(connection: Connection, *, without: Collection[int] = ()) -> int:
    """Indexes all articles again, except those in `without`; returns how many are indexed.

    Call it within a writing transaction. Readers see the old index until that is committed.
    """
    connection.execute(delete(schema.search_entry))
    if connection.dialect.name == "postgresql":
        connection.execute(delete(_index))
    else:
        connection.execute(text("INSERT INTO search_words (search_words) VALUES ('delete-all')"))
    count = 0
    for articles in _articles(connection):
        wanted = [(id, make_search_words(title, text)) for id, title, text in articles if id not in without]
        add_to_index(connection, wanted)
        count += len(wanted)
    return count


def compact_index(connection: Connection) -> None:
    """Leaves nothing of words that were removed, and makes queries faster; rewrites the whole index.

    FTS5 marks words as removed, and drops them when it merges. PostgreSQL does that at its next VACUUM.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO search_words (search_words) VALUES ('optimize')"))


def rank_matches(
    connection: Connection,
    query: Query,
    conditions: Sequence[ColumnElement[bool]],
    canonical_only: bool,
    limit: int,
    offset: int,
) -> list[tuple[int, float]]:
    """Ids and scores of the articles that match: the best first, then the newest, then by id.

    canonical_only: one article of each group, which matches if any of its articles does.
    conditions: on columns of `schema.article` that an index has. A score is bm25 on SQLite and `ts_rank_cd`
    on PostgreSQL. Greater is better, and only scores of the same query on the same database can be compared.
    If more than RANKED articles match, the ones that were stored last are ranked.
    """
    article = schema.article
    is_postgres = connection.dialect.name == "postgresql"
    index, id, matches, score = _on_postgresql(query) if is_postgres else _on_sqlite(query)
    last = select(id.label("id"), score.label("score")).where(matches)
    if conditions:
        # An index answers these without reading the row of every match. `+ 0` keeps SQLite from looking up
        # the words of one id after another.
        last = last.where((id + 0).in_(select(article.c.id).where(*conditions)))
    if canonical_only:
        index = index.join(article, article.c.id == id)
        last = last.add_columns(article.c.group_id, article.c.is_canonical)
    rows = connection.execute(last.select_from(index).order_by(id.desc()).limit(RANKED))
    scores = _one_of_each_group(rows) if canonical_only else {row.id: row.score for row in rows}
    # The time is read only for matches that may be shown, and for those with an equal score: each read costs
    # a page of the disk.
    least = min(nlargest(offset + limit, scores.values()), default=0.0)
    times: dict[int, datetime | None] = {}
    contenders = [id for id, score in scores.items() if score >= least]
    for start in range(0, len(contenders), _BATCH):
        part = article.c.id.in_(contenders[start : start + _BATCH])
        for row in connection.execute(select(article.c.id, article.c.published_at).where(part)):
            times[row.id] = row.published_at

    def rank(id: int) -> tuple[float, bool, float, int]:
        time = times[id]
        return -scores[id], time is None, -time.timestamp() if time else 0.0, id

    return [(id, scores[id]) for id in sorted(times, key=rank)[offset : offset + limit]]


def matching_articles(engine: Engine, query: Query) -> Select[tuple[int]]:
    """Ids of the articles that match; if they are more than RANKED, of those that were stored last."""
    is_postgres = engine.dialect.name == "postgresql"
    index, id, matches, _ = _on_postgresql(query) if is_postgres else _on_sqlite(query)
    last = (
        select(id.label("id")).select_from(index).where(matches).order_by(id.desc()).limit(RANKED).subquery()
    )
    return select(last.c.id)


def count_matches(
    connection: Connection, query: Query, conditions: Sequence[ColumnElement[bool]], canonical_only: bool
) -> int:
    """How many articles match, all of them; or, with `canonical_only`, how many groups."""
    article = schema.article
    is_postgres = connection.dialect.name == "postgresql"
    index, id, matches, _ = _on_postgresql(query) if is_postgres else _on_sqlite(query)
    what = func.count(distinct(article.c.group_id)) if canonical_only else func.count()
    found = select(what).select_from(index.join(article, article.c.id == id))
    return int(connection.scalar(found.where(matches, *conditions)) or 0)


def _one_of_each_group(rows: Iterable[Any]) -> dict[int, float]:
    """One article of each group with the best score of its matches.

    It is the canonical copy if that one matches, else the best match, and of equals the one stored first.
    """
    best: dict[int, tuple[bool, float, int]] = {}
    scores: dict[int, float] = {}
    for row in rows:
        place = row.is_canonical, row.score, -row.id
        best[row.group_id] = max(best.get(row.group_id, place), place)
        scores[row.group_id] = max(scores.get(row.group_id, row.score), row.score)
    return {-place[2]: scores[group_id] for group_id, place in best.items()}


def _on_sqlite(
    query: Query,
) -> tuple[FromClause, ColumnElement[Any], ColumnElement[bool], ColumnElement[Any]]:
    """The index, the article's id in it, the condition of a match, and its score."""
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


def _remove_from_fts5(connection: Connection, ids: Sequence[int]) -> bool:
    """Removes the words of articles from FTS5. Returns False, and does nothing, if it cannot."""
    entry, article = schema.search_entry, schema.article
    rows = []
    for row in connection.execute(
        select(entry.c.article_id, entry.c.digest, article.c.title, article.c.text)
        .join(article, article.c.id == entry.c.article_id)
        .where(entry.c.article_id.in_(ids))
    ):
        words = make_search_words(row.title, row.text)
        if words_digest(words) != row.digest:
            return False
        rows.append({"id": row.article_id, "title": words.title, "text": words.text})
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
    """Ids that only one of the two tables has, or that belong to no article."""
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


def words_digest(words: SearchWords) -> int:
    """What `search_entry` has of an article's words, 64 bits, signed."""
    made = hashlib.blake2b(f"{words.title}\0{words.text}".encode(), digest_size=8)
    return int.from_bytes(made.digest(), "little", signed=True)


def tsvector(words: SearchWords) -> str:
    """The words with their positions, as PostgreSQL reads a tsvector: the title's weigh A, others D."""
    positions: dict[str, list[str]] = {}
    title = words.title.split()
    for at, word in enumerate(title, 1):
        positions.setdefault(word, []).append(f"{at}A")
    # One position is left free, so that no quotation reaches from the title into the text.
    for at, word in enumerate(words.text.split(), len(title) + 2):
        positions.setdefault(word, []).append(str(at))
    positions.pop(LEFT_OUT, None)
    return " ".join(f"'{word}':{','.join(at)}" for word, at in positions.items())
