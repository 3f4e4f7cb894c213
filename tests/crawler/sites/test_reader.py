"""sites.toml as a whole: the shipped file, a user's own file, its rules, and chosen sites."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.sites.reader import (
    choose_sites,
    parse_sites,
    read_rulebook,
    read_sites,
    site_rulebook,
    sites_content,
)
from pipeline.errors import OperatorError
from pipeline.sites.rules import Phrase, SiteRulebook
from tests.crawler.sites.test_fields import BASE
from tests.crawler.sites.test_site import GAZETTE, gazette


def test_a_rulebook_comes_from_a_named_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COPYDESK_SITES", raising=False)
    shipped = read_rulebook()
    assert shipped == SiteRulebook()
    for site in read_sites().values():
        assert {shipped.key_of(f"news.{host}") for host in site.hosts} == {site.key}
    assert shipped.key_of("nobody.example") is None
    file = tmp_path / "mine.toml"
    file.write_text(GAZETTE)
    assert read_rulebook(file) == site_rulebook([gazette()])
    monkeypatch.setenv("COPYDESK_SITES", str(file))
    assert read_rulebook() == site_rulebook([gazette()])


def test_the_example_in_the_shipped_file_is_read_as_it_stands() -> None:
    comment = sites_content(None).decode().partition("\n\n")[0]
    lines = comment[comment.index("# [sites.gazette]") :].splitlines()
    site = parse_sites("\n".join(line.removeprefix("# ") for line in lines).encode(), "sites.toml")["gazette"]
    assert site.rules.clutter[1] == Phrase("Tap to hear*", "tail")
    assert (site.rules.drop, site.rules.take) == ((".promo", "aside.related"), ("div.article-body",))


def test_a_file_of_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GAZETTE)
    assert list(read_sites(file)) == ["gazette"]
    monkeypatch.setenv("COPYDESK_SITES", str(file))
    assert list(read_sites()) == ["gazette"]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"none\.toml: cannot be read"):
        read_sites(tmp_path / "none.toml")


def test_the_shipped_sites_are_valid_and_each_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COPYDESK_SITES", raising=False)
    sites = read_sites()
    assert len({site.name for site in sites.values()}) == len(sites) > 0


def test_choosing_sites() -> None:
    sites = parse_sites((BASE + BASE.replace("gazette]", "herald]")).encode(), "x")
    assert [site.key for site in choose_sites(sites, [])] == ["gazette", "herald"]
    assert [site.key for site in choose_sites(sites, ["herald", "gazette", "herald"])] == [
        "herald",
        "gazette",
    ]
    with pytest.raises(OperatorError, match="no site 'heralds' in the sites file; did you mean herald"):
        choose_sites(sites, ["heralds"])
    with pytest.raises(OperatorError, match="there are: gazette, herald"):
        choose_sites(sites, ["zzz"])
