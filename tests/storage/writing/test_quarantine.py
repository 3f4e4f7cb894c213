"""What twice hung or killed its worker is not tried again until rules or code change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline import settings as pipeline_settings
from pipeline.document import Claims, Document, MediaType, Origin, PageBytes, Reason, Rejection, Stage
from pipeline.settings import Settings
from pipeline.sites import LearnedLines, SiteRulebook, SiteRules
from storage.base import page_digest
from storage.reader import SourceKey, known
from storage.upkeep import plan_prune, prune_pages
from storage.writing import list_quarantine, quarantine
from tests.storage.news import SETTINGS, START, article, page, rejection, store, story, view
from tests.storage.upkeep.rows_of_tables import NOW, rows
from tests.storage.upkeep.spellings import gone

FILE, URL = "news/slow.html", "https://gazette.example/slow"
LATER = START + timedelta(hours=1)


def hung(location: str, body: str = "<p>((((", **changes: Any) -> Rejection:
    """What the pool makes of a document that hung its worker."""
    at = changes.pop("at", START)
    changes = {"reason": Reason.TIMEOUT, "detail": "not done within 30 seconds", **changes}
    made = page(body, at, location)
    return rejection(location, at, stage=Stage.WORKER, page=made, **changes)


def key(made: PageBytes, location: str) -> SourceKey:
    return SourceKey(location, page_digest(made))


def held(engine: Engine, outcome: Rejection, settings: Settings = SETTINGS) -> bool:
    """Whether a document like this one is left out, in a run over files."""
    assert outcome.page is not None
    asked = key(outcome.page, outcome.location)
    return quarantine.held_documents(engine, {asked: outcome.url or ""}, settings) == {asked}


def document(location: str) -> Document:
    return Document(location, location, b"<p>", MediaType.HTML, LATER, Origin.CRAWL, None, None, Claims())


def test_the_second_failure_puts_a_document_into_quarantine(engine: Engine) -> None:
    slow = hung(FILE)
    assert store(engine, [slow]).reasons == {Reason.TIMEOUT: 1}
    assert not held(engine, slow), "one failure may be a busy machine's fault"
    assert list_quarantine(engine, SETTINGS) == []

    died = hung(FILE, reason=Reason.WORKER_DIED, detail="the worker was ended by SIGKILL")
    assert store(engine, [died]).reasons == {Reason.QUARANTINED: 1}
    assert held(engine, slow)
    (row,) = view(engine, "rejections")
    assert (row["stage"], row["reason"]) == ("worker", "quarantined")
    assert row["detail"] == "2 times in a row: worker died: the worker was ended by SIGKILL"
    (one,) = list_quarantine(engine, SETTINGS)
    assert (one.location, one.failures, one.reason, one.is_held) == (FILE, 2, "worker died", True)
    assert one.fetched_at == START
    assert rows(engine, "page") == 1, "the page is kept, so that it can be tried again"
    assert slow.page is not None
    assert known(engine, [key(slow.page, FILE)]) == set(), "the table decides, and not the rejection"


def test_twice_in_one_batch_is_twice(engine: Engine) -> None:
    assert store(engine, [hung(FILE), hung(FILE)]).reasons == {Reason.TIMEOUT: 1, Reason.QUARANTINED: 1}


@pytest.mark.parametrize("reason", [Reason.INTERNAL_ERROR, Reason.UNREACHABLE, Reason.NO_ARTICLE])
def test_other_failures_do_not_count(engine: Engine, reason: Reason) -> None:
    other = hung(FILE, reason=reason)
    for _ in range(3):
        store(engine, [other])
    of_a_source = rejection(URL, stage=Stage.SOURCE, reason=Reason.TIMEOUT)
    store(engine, [of_a_source, of_a_source])
    assert rows(engine, "quarantine") == 0


def test_a_success_ends_the_row_of_failures(engine: Engine) -> None:
    slow = hung(FILE)
    store(engine, [slow])
    store(engine, [article("https://a.example/1", story(1), location=FILE, body="<p>((((")])
    store(engine, [slow])
    assert not held(engine, slow)


def test_different_bytes_of_a_file_are_a_different_document(engine: Engine) -> None:
    slow = hung(FILE)
    store(engine, [slow, slow])
    mended = hung(FILE, "<p>mended", at=LATER)
    assert not held(engine, mended)
    store(engine, [article("https://a.example/1", story(1), at=LATER, location=FILE, body="<p>mended")])
    assert not held(engine, slow), "what was read there later released the place"
    assert rows(engine, "quarantine") == 0


def test_an_older_page_that_succeeds_releases_nothing(engine: Engine) -> None:
    slow = hung(URL, at=LATER)
    store(engine, [slow, slow])
    store(engine, [article(URL, story(1))])
    assert quarantine.held_urls(engine, [URL], SETTINGS) == {URL}


def test_a_url_is_held_whatever_its_bytes(engine: Engine) -> None:
    store(engine, [hung(URL, "<p>token 1")])
    store(engine, [hung(URL, "<p>token 2", at=LATER)])
    other = "https://gazette.example/other"
    assert quarantine.held_urls(engine, [URL, other], SETTINGS) == {URL}
    assert quarantine.withheld(engine, document(other), SETTINGS) is None
    withheld = quarantine.withheld(engine, document(URL), SETTINGS)
    assert withheld is not None
    (row,) = view(engine, "rejections")
    assert (withheld.reason, withheld.detail) == (Reason.QUARANTINED, row["detail"])
    store(engine, [withheld])
    assert quarantine.held_urls(engine, [URL], SETTINGS) == {URL}, "that it was withheld is no success"
    assert [one.failures for one in list_quarantine(engine, SETTINGS)] == [2]


def test_a_source_is_held_after_its_second_failure_in_a_row(engine: Engine) -> None:
    def fail() -> str | None:
        quarantine.note_source_failure(engine, URL, Reason.WORKER_DIED, "ended by SIGKILL", SETTINGS)
        return quarantine.why_held(engine, URL, SETTINGS)

    assert fail() is None
    quarantine.note_source_success(engine, URL)
    assert (fail(), fail()) == (None, why := "2 times in a row: worker died: ended by SIGKILL")
    assert quarantine.held_locations(engine, SETTINGS) == {URL: why}
    own = SiteRules("gazette", ("gazette.example",), drop=(".promo",))
    with_rules = replace(SETTINGS, site_rules=SiteRulebook((own,)))
    assert quarantine.why_held(engine, URL, with_rules) is None
    assert quarantine.held_locations(engine, with_rules) == {}, "its rules are others now"
    assert quarantine.release_unstored(engine) == 1
    assert quarantine.why_held(engine, URL, SETTINGS) is None


def test_an_article_stays_when_other_bytes_of_its_url_are_put_into_quarantine(engine: Engine) -> None:
    store(engine, [article(URL, story(1))])
    for _ in range(2):
        store(engine, [hung(URL, at=LATER)])
    assert [row["url"] for row in view(engine, "articles")] == [URL]


def test_a_change_of_code_or_rules_unlocks(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, on_site = hung(FILE), hung(URL)
    store(engine, [slow, slow, on_site, on_site])
    assert held(engine, slow)
    plain = replace(SETTINGS, extractor="trafilatura")
    assert not held(engine, slow, plain), "a different extractor is a change of the rules"
    own = SiteRules("gazette", ("gazette.example",), drop=(".promo",))
    ruled = replace(SETTINGS, site_rules=SiteRulebook((own,)))
    assert quarantine.held_urls(engine, [URL], ruled) == set(), "its site has rules of its own now"
    assert held(engine, slow, ruled), "which are not those of another document"

    monkeypatch.setattr(pipeline_settings, "_code_version", lambda: "copydesk-9.9.9")
    assert not held(engine, slow)
    assert quarantine.held_urls(engine, [URL], SETTINGS) == set()
    assert {one.is_held for one in list_quarantine(engine, SETTINGS)} == {False}
    assert store(engine, [slow]).reasons == {Reason.TIMEOUT: 1}, "the count begins again"
    assert store(engine, [slow]).reasons == {Reason.QUARANTINED: 1}


def test_learned_lines_unlock_nothing(engine: Engine) -> None:
    slow = hung(URL)
    store(engine, [slow, slow])
    learned = LearnedLines("gazette.example", ((1, 5),))
    settings = replace(SETTINGS, site_rules=SiteRulebook((), (learned,)))
    assert settings.site_rules.version(SETTINGS.rules_version, "gazette.example") != SETTINGS.rules_version
    assert quarantine.held_urls(engine, [URL], settings) == {URL}


def test_forgetting_leaves_nothing_in_quarantine(engine: Engine) -> None:
    slow, other = hung(URL), hung("https://herald.example/slow")
    store(engine, [slow, slow, other, other])
    gone(engine, URL)
    assert [one.location for one in list_quarantine(engine, SETTINGS)] == ["https://herald.example/slow"]
    store(engine, [slow, slow])
    assert rows(engine, "quarantine") == 1, "what is withheld as forgotten is not noted again"


def test_pages_in_quarantine_are_found_and_released_once_they_are_pruned(engine: Engine) -> None:
    slow, once = hung(FILE), hung("news/once.html")
    store(engine, [slow, slow, once, article(URL, story(1))])
    assert len(quarantine.quarantined_pages(engine, SETTINGS)) == 1
    assert quarantine.quarantined_pages(engine) == quarantine.quarantined_pages(engine, SETTINGS)
    assert quarantine.release_unstored(engine) == 0
    prune_pages(engine, plan_prune(engine, older_than=NOW))
    assert quarantine.quarantined_pages(engine) == frozenset()
    assert quarantine.release_unstored(engine) == 1
    assert not held(engine, slow)
    assert rows(engine, "quarantine") == 1, "a single failure is none"
