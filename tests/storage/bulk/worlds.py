"""Worlds of outcomes: the same few URLs, locations, texts and times in every combination."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from pipeline.document import (
    Access,
    Article,
    Claims,
    Origin,
    Outcome,
    Reason,
    Rejection,
    Removed,
    RightsStatement,
    Stage,
)
from pipeline.text import make_search_words
from tests.storage.news import SETTINGS, START, article, page, rejection

HOUR = timedelta(hours=1)

_FEW = st.integers(0, 3)
_TEXTS = st.sampled_from(("It sails.", "It sails again.", "It does not sail.\nNobody knows why.", ""))
_CLAIMS = Claims(
    title="Said",
    authors=("Ada Lind",),
    keywords=("ferry",),
    rights=(RightsStatement("tdm-reservation", "1", "header"),),
)
_REMOVED = (Removed(0, "Share", "phrase.share"), Removed(0, "Read more", "phrase.more"))
_LOCATIONS = st.sampled_from(("https://a.example/0", "https://a.example/1", "pages/2.html", "pages/3.html"))
_TIMES = st.builds(
    lambda hours, part: START + hours * HOUR + part * timedelta(microseconds=400_000), _FEW, st.integers(0, 2)
)
_OWN_URLS = ("https://a.example/0", "https://m.a.example/other", "file:///a.html")


@st.composite
def _articles(draw: st.DrawFn, bytes_: int) -> Article:
    """What some bytes are as an article; location and time are to be replaced."""
    own = page(
        f"<p>{bytes_}",
        START,
        draw(st.sampled_from(_OWN_URLS)),
        draw(st.sampled_from([Origin.FILE, Origin.JSONL])),
        draw(st.sampled_from([None, _CLAIMS])),
    )
    is_stub = draw(st.booleans())
    made = article(
        f"https://a.example/{draw(_FEW)}",
        draw(_TEXTS),
        title=draw(st.sampled_from(["Ferry", "Ferry", "Fer\0ry"])),
        site=draw(st.sampled_from(["a.example", "a.example", "x" * 301])),
        page=replace(own, headers=draw(st.sampled_from([(), (("ETag", '"1"'),)]))),
        removed=draw(st.sampled_from([(), _REMOVED])),
        keywords=draw(st.sampled_from([None, ("ferry",)])),
        access=Access.PAYWALLED if is_stub else Access.FREE,
        published_at=draw(st.sampled_from([None, START - HOUR])),
    )
    made = replace(made, fingerprint=None) if is_stub else made
    return replace(made, search_words=make_search_words(made.title, made.text))


@st.composite
def _rejections(draw: st.DrawFn, bytes_: int) -> Rejection:
    own = page(f"<p>{bytes_}", START, draw(st.sampled_from(_OWN_URLS)))
    return rejection("", page=draw(st.sampled_from([own, None])))


@st.composite
def _ended(draw: st.DrawFn, made: Outcome) -> Outcome:
    """What was made of some bytes, somewhere, at some time; or how that failed, or that the page is gone."""
    at, location = draw(_TIMES), draw(_LOCATIONS)
    own = replace(made.page, fetched_at=at) if made.page else None
    ends = ("made", "made", "made", "hung", "died", "gone", "unreachable")
    end = draw(st.sampled_from(ends))
    if end == "made" and isinstance(made, Article):
        assert own is not None
        return replace(made, location=location, page=own)
    if end == "made":
        assert isinstance(made, Rejection)
        return replace(made, location=location, at=at, page=own)
    of_worker = {"hung": Reason.TIMEOUT, "died": Reason.WORKER_DIED}
    return rejection(
        location,
        at,
        stage=Stage.WORKER if end in of_worker else Stage.SOURCE,
        reason=of_worker.get(end, Reason.UNREACHABLE),
        page=own if end in of_worker else None,
        is_gone=end == "gone",
    )


@st.composite
def worlds(draw: st.DrawFn) -> list[Outcome]:
    """Up to twenty outcomes in their order, all by the same rules: so the same bytes become the same."""
    made = [draw(st.one_of(_articles(n), _articles(n), _rejections(n))) for n in range(5)]
    return draw(st.lists(st.sampled_from(made).flatmap(_ended), max_size=20))


@st.composite
def worlds_of_rules(draw: st.DrawFn) -> list[Outcome]:
    """Up to twenty outcomes in their order, by rules that may make anything of the same bytes."""
    versions = (SETTINGS.rules_version, "later")
    made = _FEW.flatmap(lambda n: st.one_of(_articles(n), _articles(n), _rejections(n)))
    ended = made.flatmap(_ended)
    return [
        replace(one, rules_version=draw(st.sampled_from(versions)))
        for one in draw(st.lists(ended, max_size=20))
    ]
