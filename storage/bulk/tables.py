"""Makes the public tables and the rows of private tables, once ids and groups of articles are known.

Every function takes one part (a settle bucket, a bucket of groups, a bundle of pairs) and gives the same part
of each table, in the order that `storage.bulk.schemas` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.copies import row_keys
from pipeline.text import make_search_words
from storage.bulk.schemas import PUBLIC, ROWS
from storage.bulk.settling import RUN_ID, Settled, to_second
from storage.search import words_digest
from storage.writing import revisions

# Articles of which search words are made at once.
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Tables:
    """The same part of several tables. public: by names of PUBLIC. rows: by names of ROWS."""

    public: Mapping[str, pa.Table]
    rows: Mapping[str, pa.Table]


def tables_of_bucket(settled: Settled, ids: pa.Table, page_ids: pa.Table, groups: pa.Table) -> Tables:
    """The tables of the articles and rejections of a settle bucket.

    ids: IDS of its articles. page_ids: PAGE_IDS of its pages. groups: GROUPS of those of its articles that
    have copies, and of others as far as is convenient. All in any order. Raises ValueError for an article or
    a page without an id.

    public: articles, revisions, removed_text, rejections. rows: article, revision, document, rejection,
    removal, search_entry, page, quarantine.
    """
    # Ids are in the order of `first` and `sequence`, and so is everything here.
    is_current = settled.texts["is_current"]
    current, older = settled.texts.filter(is_current), settled.texts.filter(pc.invert(is_current))
    texts = _with_ids(settled.texts, ids, page_ids)
    of_current, of_older = _with_ids(current, ids, page_ids), _with_ids(older, ids, page_ids)
    articles = {
        **of_current,
        **_columns(settled.articles),
        **_grouped(of_current["article_id"], groups),
        "id": of_current["article_id"],
    }
    rejections = {
        **_columns(settled.rejections),
        "run_id": pa.repeat(RUN_ID, settled.rejections.num_rows),
        "at": to_second(settled.rejections["at_us"]),
        "page_id": _ids(settled.rejections["page_sequence"], page_ids, "sequence"),
    }
    removals = _removals(of_current["article_id"], current["removed"])
    documents = {
        **_columns(settled.documents),
        "article_id": _ids(settled.documents["first"], ids, "first"),
    }
    prints = [one or {} for one in older["fingerprint"].to_pylist()]
    former = {
        **of_older,
        "sketch": [one.get("version") for one in prints],
        "signature": [one.get("signature") for one in prints],
        "bands": [revisions.pack_keys(one["bands"]) if one else None for one in prints],
    }
    pages = {**_columns(settled.pages), "id": _ids(settled.pages["sequence"], page_ids, "sequence")}
    return Tables(
        public={
            "articles": _table(PUBLIC["articles"], articles),
            "revisions": _table(PUBLIC["revisions"], texts),
            "removed_text": _table(PUBLIC["removed_text"], removals),
            "rejections": _table(PUBLIC["rejections"], rejections),
        },
        rows={
            "article": _table(ROWS["article"], articles),
            "revision": _table(ROWS["revision"], former),
            "document": _table(ROWS["document"], documents),
            "rejection": _table(ROWS["rejection"], rejections),
            "removal": _table(ROWS["removal"], removals),
            "search_entry": _search_entries(of_current["article_id"], current),
            "page": _table(ROWS["page"], pages),
            "quarantine": settled.quarantine,
        },
    )


def story_groups(members: pa.Table) -> pa.Table:
    """The public table of groups, as the view of that name defines them.

    members: of each group all articles or none, with these columns of `articles`: group_id, id, is_canonical,
    site, agency, published_at; in any order.
    """
    wanted = ("group_id", "id", "is_canonical", "site", "agency", "published_at")
    members = members.select(wanted).cast(
        pa.schema(
            [pa.field("group_id", pa.int64()), *(PUBLIC["articles"].field(name) for name in wanted[1:])]
        )
    )
    counted = (
        members.group_by("group_id")
        .aggregate([("id", "count"), ("site", "count_distinct"), ("published_at", "min")])
        .sort_by("group_id")
    )
    canonical = members.filter(members["is_canonical"]).sort_by("group_id")
    if not canonical["group_id"].equals(counted["group_id"]):
        raise ValueError("not every group has one canonical copy")
    return _table(
        PUBLIC["story_groups"],
        {
            "id": counted["group_id"],
            "size": counted["id_count"],
            "sites": counted["site_count_distinct"],
            "agency": _agencies(members, canonical),
            "first_published_at": counted["published_at_min"],
            "canonical_article_id": canonical["id"],
        },
    )


def _agencies(members: pa.Table, canonical: pa.Table) -> pa.Array:
    """The agency that most sites of each group credit; of equals the canonical copy's, else null."""
    votes = (
        members.filter(members["agency"].is_valid())
        .group_by(["group_id", "agency"])
        .aggregate([("site", "count_distinct")])
    )
    groups = np.searchsorted(canonical["group_id"].to_numpy(), votes["group_id"].to_numpy())
    own = canonical["agency"].take(groups)
    is_own = pc.fill_null(pc.equal(votes["agency"], own), False).to_numpy()
    score = 2 * votes["site_count_distinct"].to_numpy() + is_own
    most = np.zeros(canonical.num_rows, dtype=np.int64)
    np.maximum.at(most, groups, score)
    is_most = score == most[groups]
    is_alone = np.bincount(groups[is_most], minlength=canonical.num_rows) == 1
    place = np.zeros(canonical.num_rows, dtype=np.int64)
    place[groups[is_most]] = np.flatnonzero(is_most)
    return votes["agency"].take(pa.array(place, mask=~is_alone))


def tables_of_pairs(pairs: pa.Table) -> Tables:
    """The tables of verified pairs: public copies, and rows of pair.

    pairs: the columns of the table `pair`, in any order; cut may be null or 0 for a pair that joins.
    """
    pairs = pairs.sort_by([("a", "ascending"), ("b", "ascending")])
    cut = pairs["cut"].cast(pa.int64())
    joins = pc.equal(pc.fill_null(cut, 0), 0)
    columns = {
        **_columns(pairs),
        "article_id": pairs["a"],
        "other_id": pairs["b"],
        **{f"article_{to}": pairs[f"a_{end}"] for end, to in (("start", "from"), ("end", "to"))},
        **{f"other_{to}": pairs[f"b_{end}"] for end, to in (("start", "from"), ("end", "to"))},
        "joins": joins,
        "cut": pc.if_else(joins, pa.scalar(None, pa.int64()), cut),
    }
    return Tables(
        public={"copies": _table(PUBLIC["copies"], columns)}, rows={"pair": _table(ROWS["pair"], columns)}
    )


def signature_rows(signatures: pa.Table) -> pa.Table:
    """The rows of `signature`, by article. signatures: a table `pipeline.batch.SIGNATURES`, in any order."""
    signatures = signatures.sort_by("id")
    columns = {**_columns(signatures), "article_id": signatures["id"], "sketch": signatures["version"]}
    return _table(ROWS["signature"], columns)


def band_rows(bands: pa.Table) -> pa.Table:
    """The rows of `band`, by their key. bands: band (with the index version mixed in), position, id."""
    keys = row_keys(bands["band"].to_numpy(), bands["position"].to_numpy())
    made = _table(ROWS["band"], {"key": keys, "position": bands["position"], "article_id": bands["id"]})
    return made.sort_by([(name, "ascending") for name in made.column_names])


def _columns(table: pa.Table) -> dict[str, Any]:
    return {name: table[name] for name in table.column_names}


def _with_ids(texts: pa.Table, ids: pa.Table, page_ids: pa.Table) -> dict[str, Any]:
    return {
        **_columns(texts),
        "article_id": _ids(texts["first"], ids, "first"),
        "page_id": _ids(texts["page_sequence"], page_ids, "sequence"),
    }


def _ids(keys: pa.ChunkedArray, ids: pa.Table, name: str) -> pa.Array:
    """The column `id` of the rows of `ids` that have these keys in the column `name`; null for null."""
    is_null = keys.is_null().to_numpy()
    wanted = pc.fill_null(keys, 0).to_numpy()
    known = ids[name].to_numpy()
    order = np.argsort(known)
    places = np.searchsorted(known, wanted, sorter=order)
    places[places == known.size] = 0
    if not known.size:
        is_known: NDArray[np.bool_] = np.zeros(wanted.size, dtype=np.bool_)
        found = wanted
    else:
        is_known = known[order[places]] == wanted
        found = ids["id"].to_numpy()[order[places]]
    if not (is_known | is_null).all():
        raise ValueError(f"no id for {name} {wanted[~is_known & ~is_null][0]}")
    return pa.array(found, pa.int64(), mask=is_null)


def _grouped(ids: pa.Array, groups: pa.Table) -> dict[str, Any]:
    """group_id and is_canonical of each article."""
    own = ids.to_numpy()
    group_id, is_canonical = own.copy(), np.ones(own.size, dtype=np.bool_)
    known = groups["id"].to_numpy()
    places = np.searchsorted(own, known)  # ids are in order
    is_here = places < own.size
    is_here[is_here] = own[places[is_here]] == known[is_here]
    group_id[places[is_here]] = groups["group_id"].to_numpy()[is_here]
    is_canonical[places[is_here]] = groups["is_canonical"].to_numpy()[is_here]
    return {"group_id": group_id, "is_canonical": is_canonical}


def _removals(ids: pa.Array, removed: pa.ChunkedArray) -> dict[str, Any]:
    """The removed lines of articles, numbered in each."""
    lists = removed.combine_chunks()
    owners = pc.list_parent_indices(lists).to_numpy()
    sizes = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    starts = np.cumsum(sizes) - sizes
    lines = lists.flatten()
    return {
        "article_id": ids.take(owners),
        "line": np.arange(owners.size) - starts[owners],
        **{name: pc.struct_field(lines, name) for name in ("position", "rule", "text")},
    }


def _search_entries(ids: pa.Array, current: pa.Table) -> pa.Table:
    made = []
    for start in range(0, current.num_rows, _AT_ONCE):
        part = current.slice(start, _AT_ONCE)
        texts = zip(part["title"].to_pylist(), part["text"].to_pylist(), strict=True)
        words = [make_search_words(title, text) for title, text in texts]
        columns = {
            "article_id": ids.slice(start, _AT_ONCE),
            "digest": [words_digest(one) for one in words],
            "title": [one.title for one in words],
            "text": [one.text for one in words],
        }
        made.append(_table(ROWS["search_entry"], columns))
    return pa.concat_tables(made) if made else ROWS["search_entry"].empty_table()


def _table(schema: pa.Schema, columns: Mapping[str, Any]) -> pa.Table:
    """A table of these columns; more are ignored."""
    return pa.table([_typed(columns[field.name], field.type) for field in schema], schema=schema)


def _typed(column: Any, kind: pa.DataType) -> Any:
    """The column as this type. Numbers that become times are microseconds from 1970."""
    if not isinstance(column, (pa.Array, pa.ChunkedArray)):
        return pa.array(column, kind)
    if pa.types.is_timestamp(kind) and pa.types.is_integer(column.type):
        return pc.divide(column, 1000).cast(kind)
    return column.cast(kind)
