"""Which extractor finds the article of a page: by setting, by the environment, and by the rules of a site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crawler.sites.reader import parse_sites, site_rulebook
from pipeline.document import Article, Document, MediaType, Origin
from pipeline.errors import OperatorError
from pipeline.extract import EXTRACTORS, Choice, OpenPage
from pipeline.extract.html import find_articles
from pipeline.extract.open_page import open_page
from pipeline.process import process_document, process_documents
from pipeline.settings import DEFAULT_EXTRACTOR, Settings
from pipeline.sites import EXTRACTORS as NAMES
from pipeline.sites import SiteRulebook, SiteRules, combined_version, is_without_trafilatura, site_of_version
from tests.pipeline.extract.pages import PAGE, STORY

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
GENERAL = Settings().rules_version
SITES = """
[sites.gazette]
name = "The Example Gazette"
homepage = "https://gazette.example/"
feeds = ["https://gazette.example/feed.xml"]
[sites.gazette.rules]
extractor = "{}"
"""


def document(url: str = "https://gazette.example/1") -> Document:
    return Document("a.html", url, PAGE.encode(), MediaType.HTML, NOON, Origin.CRAWL)


def article(settings: Settings, url: str = "https://gazette.example/1") -> Article:
    found = process_document(document(url), settings)
    assert isinstance(found, Article), found
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the extractors that are asked, call by call."""
    names: list[str] = []

    def recorded(name: str) -> None:
        original = EXTRACTORS[name]

        def find(opened: Sequence[OpenPage]) -> list[Choice]:
            names.extend(name for _ in opened)
            return original(opened)

        monkeypatch.setitem(EXTRACTORS, name, find)

    for name in NAMES:
        recorded(name)
    return names


def by_site(extractor: str) -> Settings:
    """Settings with a site that names an extractor."""
    return Settings(
        site_rules=SiteRulebook((SiteRules("gazette", ("gazette.example",), extractor=extractor),))
    )


def test_there_is_an_extractor_for_every_name_that_may_be_written() -> None:
    assert tuple(EXTRACTORS) == NAMES
    assert DEFAULT_EXTRACTOR == NAMES[0] == "copydesk"


@pytest.mark.parametrize("name", NAMES)
def test_every_extractor_finds_the_story(name: str) -> None:
    page = open_page(PAGE, "https://gazette.example/1", NOON, Settings())
    (choice,) = find_articles([page], name)
    assert set(STORY) <= {passage.text for passage in choice.kept}


@pytest.mark.parametrize("name", NAMES)
def test_the_setting_names_the_extractor(name: str, asked: list[str]) -> None:
    article(Settings(extractor=name))
    assert asked == [name]


def test_the_environment_names_the_default(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    monkeypatch.setenv("COPYDESK_EXTRACTOR", "trafilatura")
    assert Settings().extractor == "trafilatura"
    article(Settings())
    assert asked == ["trafilatura"]
    assert Settings(extractor="copydesk").extractor == "copydesk"
    for unset in ("", None):
        if unset is None:
            monkeypatch.delenv("COPYDESK_EXTRACTOR")
        else:
            monkeypatch.setenv("COPYDESK_EXTRACTOR", unset)
        assert Settings().extractor == "copydesk"


def test_a_wrong_name_is_an_error_that_says_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    message = "extractor.*trafilature.*one of copydesk, trafilatura"
    with pytest.raises(ValueError, match=message):
        Settings(extractor="trafilature")
    monkeypatch.setenv("COPYDESK_EXTRACTOR", "trafilature")
    with pytest.raises(ValueError, match=message):
        Settings()
    with pytest.raises(ValueError, match="'readable' is no extractor; write one of copydesk, trafilatura"):
        SiteRules("gazette", ("gazette.example",), extractor="readable")


def test_a_wrong_name_in_a_sites_file_is_an_error_that_names_the_key() -> None:
    with pytest.raises(
        OperatorError, match=r"gazette: rules\.extractor: 'readable' .* write 'copydesk' or 'trafilatura'"
    ):
        parse_sites(SITES.format("readable").encode(), "sites.toml")


@pytest.mark.parametrize("name", NAMES)
def test_a_sites_file_names_the_extractor_of_a_site(name: str, asked: list[str]) -> None:
    sites = parse_sites(SITES.format(name).encode(), "sites.toml")
    other = next(one for one in NAMES if one != name)
    settings = Settings(site_rules=site_rulebook(sites.values()), extractor=other)
    article(settings)
    article(settings, "https://elsewhere.example/1")
    assert asked == [name, other]


def test_pages_that_are_read_together_have_each_the_extractor_of_its_site(asked: list[str]) -> None:
    settings = by_site("trafilatura")
    urls = ["https://gazette.example/1", "https://a.example/1", "https://gazette.example/2"]
    together = process_documents([document(url) for url in urls], settings)
    assert sorted(asked) == ["copydesk", "trafilatura", "trafilatura"]
    assert together == [process_document(document(url), settings) for url in urls]


def test_with_selectors_of_its_site_a_page_is_still_read_by_the_extractor_of_its_site(
    asked: list[str],
) -> None:
    rules = SiteRules("gazette", ("gazette.example",), drop=(".newsletter-signup",), extractor="trafilatura")
    found = article(Settings(site_rules=SiteRulebook((rules,))))
    assert asked == ["trafilatura"]
    assert found.text.split("\n") == STORY


def test_the_version_names_an_extractor_that_is_not_the_default() -> None:
    assert Settings(extractor="trafilatura").rules_version == f"{GENERAL}-trafilatura"
    assert Settings(extractor="copydesk").rules_version == GENERAL
    assert article(Settings(extractor="trafilatura")).rules_version == f"{GENERAL}-trafilatura"


def test_the_version_of_a_site_changes_with_its_extractor() -> None:
    plain = SiteRules("gazette", ("gazette.example",))
    versions = {name: replace(plain, extractor=name).version for name in ("", *NAMES)}
    assert versions[""] == ""
    assert len(set(versions.values())) == len(versions)
    found = article(by_site("trafilatura"))
    assert found.rules_version == f"{GENERAL}+{versions['trafilatura']}"
    book = by_site("trafilatura").site_rules
    assert book.is_outdated(GENERAL, GENERAL, "gazette.example")
    assert not book.is_outdated(found.rules_version, GENERAL, "gazette.example")


def test_rules_without_an_extractor_keep_their_version() -> None:
    # Pages of sites with rules would otherwise all be read again.
    assert SiteRules("gazette", ("gazette.example",), drop=(".a",)).version == "gazette-ca87a850"


@pytest.mark.parametrize("name", NAMES)
def test_an_article_on_which_trafilatura_failed_says_so_and_is_not_outdated(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise RuntimeError("of a tree")

    assert not is_without_trafilatura(article(Settings()).rules_version)
    monkeypatch.setattr("pipeline.extract.trafilatura_adapter._text_in_one_pass", lambda tree: None)
    monkeypatch.setattr("trafilatura.bare_extraction", broken)
    settings = Settings(extractor=name)
    found = article(settings)
    assert found.text.split("\n") == STORY
    assert found.rules_version == f"{settings.rules_version}!trafilatura"
    assert is_without_trafilatura(found.rules_version)
    assert not SiteRulebook().is_outdated(found.rules_version, settings.rules_version, "gazette.example")
    assert SiteRulebook().is_outdated(found.rules_version, "9-different", "gazette.example")


@pytest.mark.parametrize("is_take_ignored", [False, True])
@pytest.mark.parametrize("is_without", [False, True])
def test_the_site_of_a_version_is_found_whatever_went_wrong(is_take_ignored: bool, is_without: bool) -> None:
    rules = SiteRules("gazette", ("gazette.example",), take=(".body",))
    version = combined_version(
        GENERAL, rules, is_take_ignored=is_take_ignored, is_without_trafilatura=is_without
    )
    assert version.endswith("!trafilatura!take" if is_take_ignored and is_without else version[-5:])
    assert site_of_version(version) == ("gazette", is_take_ignored)
    assert is_without_trafilatura(version) is is_without
    book = SiteRulebook((rules,))
    assert not book.is_outdated(version, GENERAL, "gazette.example")
    assert not book.is_foreign(version, "gazette.example")
    assert SiteRulebook().is_foreign(version, "gazette.example")
