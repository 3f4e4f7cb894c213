"""Decides in memory what each outcome of a batch means for the articles that are stored.

The decisions do not depend on the order of arrival:

- An article has every distinct text of its documents. The current text is the one with the greatest
  (time of fetch, text hash), whichever was stored first.
- If the same bytes at the same location are processed by different rules, their text changes in place. A text
  without a document is dropped, and an article without a text is deleted.
- A rejection is the current outcome of its location. A document that is fetched there later replaces it,
  and so do the same bytes. If a page is rejected, the article that different bytes gave before stays. If the
  server says that the page does not exist any more, the article that was last fetched there is gone until it
  is fetched again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pipeline.document import Article, Outcome, Reason, Rejection
from pipeline.urls import canonical_url
from storage.base import FAILURES, TRANSIENT, check_storable, microseconds, page_digest, text_hash
from storage.schema import pipeline_values, to_second
from storage.writing.revisions.loading import document_key, is_known
from storage.writing.revisions.pending import DocumentRow, PendingArticle, PendingBatch, TextRevision


def settle(batch: PendingBatch, outcome: Outcome, run_id: int) -> str:
    """Decides what one outcome means for the articles; counts it, and returns the name of that count.

    Raises UnstorableError.
    """
    if isinstance(outcome, Article):
        check_storable(outcome)
        end = _settle_article(batch, outcome)
    else:
        end = _settle_rejection(batch, outcome, run_id)
    batch.counts[end] += 1
    if end == "rejected" and isinstance(outcome, Rejection):
        batch.reasons[outcome.reason.value] += 1
    return end


def _settle_article(batch: PendingBatch, article: Article) -> str:
    fetched_us = microseconds(article.page.fetched_at)
    key = document_key(article)
    before = batch.documents.get(key)
    rejection = batch.rejections.get(article.location)
    if rejection and (rejection["digest"] == key[1] or rejection["at_us"] <= fetched_us):
        _drop_rejection(batch, article.location)
    if is_known(before, article, batch.ids.get(article.url)):
        return "unchanged"

    id = batch.ids.get(article.url)
    if id is None:
        id = batch.next_article
        batch.next_article += 1
        batch.ids[article.url] = id
        batch.articles[id] = PendingArticle(id, article.url, article.site, to_second(article.page.fetched_at))
    pending = batch.articles[id]
    is_new = not pending.texts
    hash = text_hash(article.title, article.text)
    own = article.url if article.page.url == article.url else canonical_url(article.page.url)
    batch.documents[key] = DocumentRow(
        location=article.location,
        digest=key[1],
        fetched_us=max(fetched_us, before.fetched_us) if before else fetched_us,
        article_id=id,
        text_hash=hash,
        rules_version=article.rules_version,
        alias=own if own != article.url and own.startswith("http") else None,
    )
    known_text = pending.texts.get(hash)
    # The last fetch of these bytes counts, because different rules may read them from an older file.
    text = _text_after(known_text, article, hash, batch.documents[key].fetched_us)
    pending.texts[hash] = text
    pending.first_seen_at = min(pending.first_seen_at, to_second(article.page.fetched_at))
    if pending.gone_at is not None and pending.gone_at <= to_second(article.page.fetched_at):
        pending.gone_at = None
    if before:
        old = batch.articles[before.article_id].texts.get(before.text_hash)
        if (before.article_id, before.text_hash) != (id, hash):
            _move_documents(batch, before, article.rules_version, batch.documents[key])
        _drop_if_unused(batch, before.article_id, before.text_hash)
        if text.page is not None and old is not None and _came_from(old, before):
            still_held = batch.articles[before.article_id].texts.get(before.text_hash)
            if still_held is not old and old.page_id is not None:  # the same bytes are stored already
                pending.texts[hash] = text = replace(text, page=None, page_id=old.page_id)

    if before is not None and not is_new and known_text is not None and before.text_hash == hash:
        end = "unchanged" if _same_article(known_text, text) else "updated"
    elif before is not None:
        end = "updated"
    elif is_new:
        end = "stored"
    else:
        end = "unchanged" if known_text is not None else "revised"
    if end in ("stored", "revised"):
        batch.news.setdefault(id, set()).add(hash)
    if end != "unchanged":
        batch.touched.add(id)
    return end


def _text_after(known: TextRevision | None, article: Article, hash: bytes, fetched_us: int) -> TextRevision:
    """The text with the metadata of the document that was fetched last."""
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
    return TextRevision(
        columns, article.removed, article.fingerprint, None, article.page, article.search_words
    )


def _move_documents(
    batch: PendingBatch, before: DocumentRow, rules_version: str, after: DocumentRow | None
) -> None:
    """Moves all documents of a text when different rules give a different outcome for its stored page.

    They go to `after`, or are deleted if it is None. Their own bytes are not stored, so the outcome of this
    page is all that is known about them. If they come again, they are processed.
    """
    text = batch.articles[before.article_id].texts.get(before.text_hash)
    if text is None or not _came_from(text, before) or before.rules_version == rules_version:
        return
    url = batch.articles[before.article_id].url
    for key, row in list(batch.documents.items()):
        if (row.article_id, row.text_hash) != (before.article_id, before.text_hash):
            continue
        if after is None:
            del batch.documents[key]
            continue
        own = row.alias or url
        target = batch.articles[after.article_id].url
        batch.documents[key] = replace(
            row,
            article_id=after.article_id,
            text_hash=after.text_hash,
            alias=own if own != target and own.startswith("http") else None,
        )


def _came_from(text: TextRevision, document: DocumentRow) -> bool:
    """Whether the metadata and the page of the text are those of this document."""
    of = (text.columns["location"], text.columns["fetched_us"])
    return of == (document.location, document.fetched_us)


def _same_article(one: TextRevision, other: TextRevision) -> bool:
    """Whether the views show no difference, of two with the same hash, so with the same title and text."""
    private = {"rules_version", "fetched_us", "seen_at", "text"}
    return one.removed == other.removed and all(
        one.columns[name] == other.columns[name] for name in one.columns if name not in private
    )


def _drop_if_unused(batch: PendingBatch, article_id: int, hash: bytes) -> None:
    """Drops a text that has no document any more. An article without texts is deleted."""
    if any(d.article_id == article_id and d.text_hash == hash for d in batch.documents.values()):
        return
    pending = batch.articles[article_id]
    pending.texts.pop(hash, None)
    batch.touched.add(article_id)


def _settle_rejection(batch: PendingBatch, rejection: Rejection, run_id: int) -> str:
    location = rejection.location
    digest = page_digest(rejection.page) if rejection.page else None
    at_us = microseconds(rejection.at)
    before = batch.documents.get((location, digest)) if digest is not None else None
    if before:
        if rejection.reason not in FAILURES:
            _move_documents(batch, before, rejection.rules_version, None)
            batch.documents.pop((before.location, before.digest), None)
            _drop_if_unused(batch, before.article_id, before.text_hash)
        elif before.rules_version == rejection.rules_version:
            return "unchanged"  # it failed this time, but succeeded before with the same rules
    others = [d for d in batch.documents.values() if d.location == location and d.digest != digest]
    if any(d.fetched_us > at_us for d in others):
        return "unchanged"
    if rejection.is_gone:
        _mark_gone(batch, location, to_second(rejection.at))
    known = batch.rejections.get(location)
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
            # Every run tries it again, so every run counts its failure.
            return "rejected" if rejection.reason in TRANSIENT else "unchanged"
    _drop_rejection(batch, location)
    batch.rejections[location] = {
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
    # The digest is enough to recognise a forgotten document, so its bytes are not stored.
    if rejection.page and rejection.reason is not Reason.FORGOTTEN:
        batch.rejected_pages[location] = rejection.page
    return "rejected"


def _mark_gone(batch: PendingBatch, location: str, at: datetime) -> None:
    """Marks as gone the articles that were last fetched here, and not at a different location since."""
    for id in {row.article_id for row in batch.documents.values() if row.location == location}:
        from_web = (
            row
            for row in batch.documents.values()
            if row.article_id == id and row.location.startswith("http")
        )
        latest = max(from_web, key=lambda row: row.fetched_us, default=None)
        pending = batch.articles[id]
        if pending.gone_at is None and latest is not None and latest.location == location:
            pending.gone_at = at


def _drop_rejection(batch: PendingBatch, location: str) -> None:
    batch.rejections.pop(location, None)
    batch.rejected_pages.pop(location, None)
