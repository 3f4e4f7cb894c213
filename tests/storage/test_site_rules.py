"""Changed rules of a site outdate only the stored pages of that site."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.document import Outcome, Reason
from pipeline.sites.rules import Phrase, SiteRulebook, SiteRules, combined_version
from storage import reader
from storage.base.keys import page_digest
from storage.reader import SourceKey
from storage.upkeep import plan_prune, prune_pages
from storage.upkeep.pages import SiteRulesUse, count_outdated, count_pruned, outdated, site_rules_use
from tests.storage.news import SETTINGS, START, article, page, rejection, store, story

GENERAL = SETTINGS.rules_version
OLD = SiteRules("gazette", ("gazette.example",), (Phrase("One line of ours"),))
NEW = replace(OLD, drop=(".promo",))
NONE = replace(OLD, clutter=())
HERALD = SiteRules("herald", ("herald.example",))
LATER = START + timedelta(days=1)


def stored() -> dict[str, Outcome]:
    """Outcomes by name: of gazette with and without its rules, of different sites, of an unknown site."""
    old, herald = combined_version(GENERAL, OLD), f"{GENERAL}+herald-12345678"

    def on(host: str, path: str, seed: int, version: str, **more: Any) -> Outcome:
        return article(f"https://{host}/{path}", story(seed), site=host, rules_version=version, **more)

    def refused(location: str, version: str, **more: Any) -> Outcome:
        return rejection(location, rules_version=version, **more)

    changed = "https://gazette.example/changed"
    file = page("saved", START, "file:///saved.html")
    return {
        "plain": on("gazette.example", "plain", 1, GENERAL),
        "old": on("gazette.example", "old", 2, old),
        "below": on("news.gazette.example", "below", 3, f"{old}!take"),
        "was": article(changed, story(4), site="gazette.example", rules_version=old),
        "is": article(changed, story(5), LATER, site="gazette.example", rules_version=old, body="<p>other"),
        "herald": on("herald.example", "a", 6, GENERAL),
        "herald old": on("herald.example", "b", 7, herald),
        "monitor": on("monitor.example", "a", 8, f"{GENERAL}+monitor-12345678"),
        "elsewhere": on("elsewhere.example", "a", 9, GENERAL),
        "ancient": on("elsewhere.example", "b", 10, "0-old"),
        "refused": refused("https://gazette.example/refused", old),
        "refused file": refused("saved.html", old, url="file:///saved.html", page=file),
        "refused plain": refused("https://www.gazette.example/plain-refused", GENERAL),
        "refused elsewhere": refused("https://elsewhere.example/refused", GENERAL),
        "refused monitor": refused("https://monitor.example/refused", f"{GENERAL}+monitor-12345678"),
        "fault": refused("https://elsewhere.example/fault", GENERAL, reason=Reason.INTERNAL_ERROR),
    }


ALL = stored()
OF_GAZETTE = {"plain", "old", "below", "was", "is", "refused", "refused file", "refused plain"}
ALWAYS = {"ancient", "fault"}
CASES = [
    pytest.param((), ALWAYS, id="no sites file"),
    pytest.param((OLD, HERALD), ALWAYS | {"plain", "refused plain", "herald old"}, id="unchanged rules"),
    pytest.param((NEW, HERALD), ALWAYS | OF_GAZETTE | {"herald old"}, id="other rules"),
    pytest.param(
        (NONE, HERALD), ALWAYS | OF_GAZETTE - {"plain", "refused plain"} | {"herald old"}, id="rules no more"
    ),
    pytest.param(
        (replace(NEW, hosts=("news.gazette.example",)),),
        ALWAYS | OF_GAZETTE - {"plain", "refused plain"},
        id="a host less",
    ),
]


@pytest.mark.parametrize(("sites", "names"), CASES)
def test_outdated_pages_of_a_site(engine: Engine, sites: tuple[SiteRules, ...], names: set[str]) -> None:
    store(engine, list(ALL.values()))
    book = SiteRulebook(sites)
    bodies = {outcome.page.sha256: name for name, outcome in ALL.items() if outcome.page}
    found = list(outdated(engine, GENERAL, site_rules=book))

    assert {bodies[sha256(one.document.body).digest()] for one in found} == names
    assert len(found) == count_outdated(engine, GENERAL, site_rules=book) == len(names)
    on_site = count_outdated(engine, GENERAL, site_rules=book, sites=("gazette.example",))
    assert on_site == len(names & (OF_GAZETTE - {"below", "refused file"}))
    since = count_outdated(engine, GENERAL, site_rules=book, since=LATER)
    assert since == len(names & {"is"})
    keys = {name: SourceKey(o.location, page_digest(o.page)) for name, o in ALL.items() if o.page}
    known = reader.known(engine, keys.values(), GENERAL, book)
    assert {name for name, key in keys.items() if key not in known} == names
    prune_pages(engine, plan_prune(engine, older_than=LATER + timedelta(days=1)))
    assert count_outdated(engine, GENERAL, site_rules=book) == 0
    assert count_pruned(engine, GENERAL, site_rules=book) == len(names)


def test_results_of_site_rules_are_counted_by_site(engine: Engine) -> None:
    store(engine, list(ALL.values()))
    assert site_rules_use(engine, SiteRulebook((NEW, HERALD))) == [
        SiteRulesUse("gazette", articles=3, take_ignored=1, foreign=0),
        SiteRulesUse("herald", articles=1, take_ignored=0, foreign=0),
        SiteRulesUse("monitor", articles=1, take_ignored=0, foreign=1),
    ]
    assert [use.foreign for use in site_rules_use(engine, SiteRulebook())] == [3, 1, 1]


def test_more_rejections_than_are_read_at_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.upkeep.pages._LOOKED_AT", 5)
    old = combined_version(GENERAL, OLD)
    hosts = ("gazette.example", "elsewhere.example", "elsewhere.example")
    store(
        engine,
        [
            rejection(f"https://{hosts[n % 3]}/{n}", rules_version=old if n % 3 == 0 else GENERAL)
            for n in range(40)
        ],
    )
    book = SiteRulebook((NEW,))
    found = [one.document.location for one in outdated(engine, GENERAL, site_rules=book)]
    assert found == sorted(found, key=lambda location: int(location.rpartition("/")[2]))
    assert set(found) == {f"https://gazette.example/{n}" for n in range(0, 40, 3)}
