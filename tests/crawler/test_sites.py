"""sites.toml: what a record holds, and what a mistake in it is answered with."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.sites import Site, choose, parse_sites, read_sites
from pipeline.errors import OperatorError

GAZETTE = """
[sites.gazette]
name = "The Example Gazette"
homepage = "https://www.gazette.example/"
feeds = ["https://feeds.example/gazette.xml"]
allowed_hosts = ["Archive.Gazette.example"]
language = "en"
schedule = "every 30 min"
article_urls = ['/\\d{4}/']

[sites.gazette.politeness]
delay = 2.5
page_budget = 10
"""


def _gazette(text: str = GAZETTE) -> Site:
    return parse_sites(text.encode(), "sites.toml")["gazette"]


def test_a_site_is_read_into_a_record() -> None:
    site = _gazette()
    assert (site.key, site.name, site.language) == ("gazette", "The Example Gazette", "en")
    assert site.feeds == ("https://feeds.example/gazette.xml",)
    assert site.hosts == {"gazette.example", "archive.gazette.example"}
    assert site.source_hosts == {"feeds.example"}
    assert (site.politeness.delay, site.politeness.page_budget) == (2.5, 10)
    assert site.politeness.concurrent_requests == 2


def test_records_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        _gazette().name = "other"


def test_the_name_falls_back_to_the_key() -> None:
    site = parse_sites(b'[sites.a]\nhomepage="http://a.example"\nfeeds=["http://a.example/f"]', "x")["a"]
    assert site.name == "a"


BASE = '[sites.gazette]\nhomepage = "https://gazette.example/"\nfeeds = ["https://gazette.example/rss"]\n'

MISTAKES = [
    ("[sites.gazette\n", "sites.toml: not valid TOML"),
    ("[gazette]\n", "sites.toml: gazette: unknown table; each site is a table [sites.NAME]"),
    ("sites = 3\n", "sites.toml: sites: must be a table"),
    ("[sites]\ngazette = 3\n", "site gazette: must be a table; write [sites.gazette]"),
    ('[sites."The Gazette"]\n', "site The Gazette: a site's key is made of a-z"),
    ('[sites.gazette]\nfeeds = ["https://x.example/"]\n', "site gazette: homepage: is missing; add homepage"),
    (
        '[sites.gazette]\nhomepage = "https://x.example"\n',
        "site gazette: feeds: no feeds, sitemaps or sections",
    ),
    (BASE + "feed = []\n", "site gazette: feed: unknown key; did you mean feeds?"),
    (BASE + 'colour = "red"\n', "site gazette: colour: unknown key; known keys: name, homepage,"),
    (
        BASE + 'sitemaps = "https://x.example/s.xml"\n',
        "sitemaps: 'https://x.example/s.xml' will not do; write a list",
    ),
    (BASE + 'sitemaps = ["/s.xml"]\n', "sitemaps.1: '/s.xml' is no http(s) URL; write a whole one"),
    (
        BASE + 'sitemaps = ["ftp://x.example/s.xml"]\n',
        "sitemaps.1: 'ftp://x.example/s.xml' is no http(s) URL",
    ),
    (BASE + 'sitemaps = ["http://[x/s.xml"]\n', "sitemaps.1: 'http://[x/s.xml' is no URL"),
    (
        BASE + 'allowed_hosts = ["https://x.example/"]\n',
        "allowed_hosts.1: 'https://x.example/' is no host name",
    ),
    (BASE + "article_urls = ['(']\n", "article_urls.1: '(' is no regular expression"),
    (BASE + 'language = "English"\n', "language: 'English' is no language tag"),
    (BASE + 'schedule = "hourly"\n', "schedule: 'hourly' is no schedule; write e.g. 'every 30 min'"),
    (BASE + "name = 3\n", "name: 3 will not do; write a text in quotes"),
    (BASE + "max_age_days = 0\n", "max_age_days: 0 will not do"),
    (BASE + "[sites.gazette.politeness]\ndelay = -1.0\n", "politeness.delay: -1.0 will not do"),
    (
        BASE + "[sites.gazette.politeness]\ndelays = 1\n",
        "politeness.delays: unknown key; did you mean delay?",
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_names_file_site_key_and_remedy(text: str, message: str) -> None:
    with pytest.raises(OperatorError) as caught:
        parse_sites(text.encode(), "sites.toml")
    assert message in str(caught.value)
    assert str(caught.value).startswith("sites.toml: ")
    assert "\n" not in str(caught.value)


def test_a_file_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GAZETTE)
    assert list(read_sites(file)) == ["gazette"]
    monkeypatch.setenv("COPYDESK_SITES", str(file))
    assert list(read_sites()) == ["gazette"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"none\.toml: cannot be read"):
        read_sites(tmp_path / "none.toml")


def test_the_shipped_sites_are_valid_and_each_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COPYDESK_SITES", raising=False)
    sites = read_sites()
    assert len({site.name for site in sites.values()}) == len(sites) > 0


def test_choosing_sites() -> None:
    sites = parse_sites((BASE + BASE.replace("gazette]", "herald]")).encode(), "x")
    assert [site.key for site in choose(sites, [])] == ["gazette", "herald"]
    assert [site.key for site in choose(sites, ["herald", "gazette", "herald"])] == ["herald", "gazette"]
    with pytest.raises(OperatorError, match="no site 'heralds' in the sites file; did you mean herald"):
        choose(sites, ["heralds"])
    with pytest.raises(OperatorError, match="there are: gazette, herald"):
        choose(sites, ["zzz"])
