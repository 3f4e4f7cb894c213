"""Worlds of outcomes: the same few URLs, locations, texts and times in every combination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from pipeline.document import (
    Access,
    Article,
    Claims,
    Origin,
    Outcome,
    PageBytes,
    Reason,
    Removed,
    RightsStatement,
    Stage,
)
from pipeline.text import make_search_words
from tests.storage.news import START, article, page, rejection

HOUR = timedelta(hours=1)

_REMOVED = (Removed(0, "Share", "phrase.share"), Removed(0, "Read more", "phrase.more"))
_REASONS = (Reason.NO_ARTICLE, Reason.TIMEOUT, Reason.WORKER_DIED, Reason.UNREACHABLE)

# Each has a few values, so that they meet: of what, where, when.
_FEW = st.integers(0, 3)
_TEXTS = ("It sails.", "It sails again.", "It does not sail.\nNobody knows why.", "")
_CLAIMS = Claims(
    title="Said",
    authors=("Ada Lind",),
    keywords=("ferry",),
    rights=(RightsStatement("tdm-reservation", "1", "header"),),
)


def _location(where: int) -> str:
    return f"https://a.example/{where}" if where < 2 else f"pages/{where}.html"


@st.composite
def articles(draw: st.DrawFn, versions: Sequence[str]) -> Article:
    url, where, text, hours, bytes_ = (draw(_FEW) for _ in range(5))
    fetched_at = START + hours * HOUR + timedelta(microseconds=draw(st.integers(0, 2)) * 400_000)
    site = draw(st.sampled_from(["a.example", "a.example", "x" * 301]))
    body = page(
        f"<p>{bytes_}",
        fetched_at,
        draw(st.sampled_from([f"https://a.example/{url}", "https://m.a.example/other", "file:///a.html"])),
        draw(st.sampled_from([Origin.FILE, Origin.JSONL])),
        draw(st.sampled_from([None, _CLAIMS])),
    )
    made = article(
        f"https://a.example/{url}",
        _TEXTS[text],
        fetched_at,
        title=draw(st.sampled_from(["Ferry", "Fer\0ry"])),
        location=_location(where),
        site=site,
        page=replace(body, headers=draw(st.sampled_from([(), (("ETag", '"1"'),)]))),
        removed=draw(
            st.sampled_from(
                [(), (Removed(0, "Share", "phrase.share"), Removed(0, "Read more", "phrase.more"))]
            )
        ),
        keywords=draw(st.sampled_from([None, ("ferry",)])),
        rules_version=draw(st.sampled_from(versions)),
    )
    if draw(st.booleans()):  # a stub of a paywall
        made = replace(made, fingerprint=None, access=Access.PAYWALLED, published_at=None)
    return replace(made, search_words=make_search_words(made.title, made.text))


@st.composite
def rejections(draw: st.DrawFn, versions: Sequence[str]) -> Outcome:
    where, hours, bytes_ = (draw(_FEW) for _ in range(3))
    at = START + hours * HOUR
    reason = draw(st.sampled_from(_REASONS))
    body: PageBytes | None = page(f"<p>{bytes_}", at, f"https://a.example/{where}")
    is_gone = reason is Reason.UNREACHABLE and draw(st.booleans())
    if is_gone or draw(st.booleans()):
        body = None
    return rejection(
        _location(where),
        at,
        stage=Stage.WORKER if reason in (Reason.TIMEOUT, Reason.WORKER_DIED) else Stage.EXTRACT,
        reason=reason,
        page=body,
        is_gone=is_gone,
        rules_version=draw(st.sampled_from(versions)),
    )


def worlds(versions: Sequence[str]) -> st.SearchStrategy[list[Outcome]]:
    """Up to twenty outcomes in their order. versions: of rules that made them."""
    return st.lists(st.one_of(articles(versions), articles(versions), rejections(versions)), max_size=20)
