"""The keys of a site's table: accepted values, and messages about mistakes."""

from __future__ import annotations

import re

import pytest

from crawler.sites.reader import parse_sites
from crawler.sites.site import Politeness, Rules, Site
from pipeline.errors import OperatorError


def test_hosts_beyond_ascii_are_compared_as_the_web_writes_them() -> None:
    text = """
[sites.zeitung]
homepage = "https://www.zeitung-münchen.example:8443/"
feeds = ["https://user-agents.example/ä.xml"]
allowed_hosts = ["Übersee.example"]
"""
    site = parse_sites(text.encode(), "x")["zeitung"]
    assert site.homepage == "https://www.xn--zeitung-mnchen-osb.example:8443/"
    assert site.feeds == ("https://user-agents.example/ä.xml",)
    assert site.hosts == {"xn--zeitung-mnchen-osb.example", "xn--bersee-2ya.example"}


BASE = '[sites.gazette]\nhomepage = "https://gazette.example/"\nfeeds = ["https://gazette.example/rss"]\n'


MISTAKES = [
    ("[sites.gazette\n", "sites.toml: not valid TOML"),
    ("a = " + "[" * 3000, "sites.toml: lists or tables within each other, too many to be read"),
    ("[sites.a]\n" + "a." * 900 + "b = 1", "sites.toml: lists or tables within each other, too many"),
    ("[gazette]\n", "sites.toml: gazette: unknown table; each site is a table [sites.NAME]"),
    ("sites = 3\n", "sites.toml: sites: must be a table"),
    ("[sites]\ngazette = 3\n", "site gazette: must be a table; write [sites.gazette]"),
    ('[sites."The Gazette"]\n', "site The Gazette: a site's key is made of a-z"),
    ('[sites."a\\nb"]\n', "site 'a\\nb': a site's key is made of a-z"),
    ('["a\\nb"]\n', "sites.toml: 'a\\nb': unknown table"),
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
    (
        BASE + "article_urls = ['(']\n",
        "article_urls.1: '(' is no regular expression (missing ): (); in TOML write it in 'single quotes'",
    ),
    (
        BASE + "article_urls = ['/(?!video)']\n",
        "article_urls.1: '/(?!video)' is no regular expression of RE2 (invalid perl operator: (?!), which",
    ),
    (
        BASE + f"skip_urls = ['{'a' * 1001}']\n",
        f"skip_urls.1: '{'a' * 60}' is no expression of at most 1000 characters; write several of them",
    ),
    (BASE + 'language = "English"\n', "language: 'English' is no language tag"),
    (BASE + 'schedule = "hourly"\n', "schedule: 'hourly' is no schedule; write e.g. 'every 30 min'"),
    (BASE + "name = 3\n", "name: 3 will not do; write a text in quotes"),
    (BASE + 'name = ""\n', "name: '' is no line of text; write it without line ends"),
    (BASE + 'name = "The \\u001b[31mGazette"\n', "name: 'The \\x1b[31mGazette' is no line of text"),
    ("[sites.gazette]\nhomepage = 3\n", "homepage: 3 will not do; write a text in quotes"),
    ('[sites.gazette]\nhomepage = "gazette.example"\n', "homepage: 'gazette.example' is no http(s) URL"),
    (
        '[sites.gazette]\nhomepage = "https://a b.example/"\n',
        "homepage: 'https://a b.example/' is no http(s) URL",
    ),
    (
        BASE + 'sitemaps = ["https://ada:secret@gazette.example:8443/s.xml"]\n',
        "sitemaps.1: holds a user name or password, which are never sent; write https://gazette.example:8443/s.xml",
    ),
    (BASE + 'sitemaps = ["https://x.example:99999/"]\n', "sitemaps.1: 'https://x.example:99999/' is no URL"),
    (
        BASE + 'sitemaps = ["https://x.example/\\n"]\n',
        "sitemaps.1: 'https://x.example/\\n' is no http(s) URL",
    ),
    (BASE + "sitemaps = [3]\n", "sitemaps.1: 3 will not do; write a text in quotes"),
    (
        BASE + 'sections = ["https://x.example/a", "https://x.example/b", "https://x.example/a"]\n',
        "sections: 'https://x.example/a' is listed twice; leave one out",
    ),
    (BASE + 'allowed_hosts = ["x.example:80"]\n', "allowed_hosts.1: 'x.example:80' is no host name"),
    (BASE + 'allowed_hosts = ["*.x.example"]\n', "allowed_hosts.1: '*.x.example' is no host name"),
    (
        BASE + 'allowed_hosts = ["com"]\n',
        "allowed_hosts.1: 'com' would allow every host under it; write a whole",
    ),
    (
        BASE + 'allowed_hosts = ["x.example", "X.Example."]\n',
        "allowed_hosts: 'x.example' is listed twice; leave one out",
    ),
    (
        BASE + 'allowed_hosts = "x.example"\n',
        "allowed_hosts: 'x.example' will not do; write a list in brackets",
    ),
    (BASE + "skip_urls = ['']\n", "skip_urls.1: '' matches every URL; write an expression or leave it out"),
    (BASE + "skip_urls = '/video/'\n", "skip_urls: '/video/' will not do; write a list in brackets"),
    (BASE + "language = 3\n", "language: 3 will not do; write a text in quotes"),
    (BASE + "schedule = 30\n", "schedule: 30 will not do; write a text in quotes"),
    (BASE + 'schedule = "every 0 min"\n', "schedule: 'every 0 min' is no schedule"),
    (BASE + 'schedule = "every 400 d"\n', "'every 400 d' is no schedule (longer than 365 days); write"),
    (
        BASE + 'schedule = "0 24 * * *"\n',
        "'0 24 * * *' is no schedule (bad hour); write",
    ),
    (BASE + 'schedule = "* * * * mon-xyz"\n', "'* * * * mon-xyz' is no schedule (bad day-of-week); write"),
    (BASE + 'schedule = "0 0 31 2 *"\n', "'0 0 31 2 *' is no schedule (bad day-of-month); write"),
    (BASE + "section_depth = 4\n", "section_depth: 4 will not do; write at most 3"),
    (BASE + "max_age_days = 0\n", "max_age_days: 0 will not do; write at least 1"),
    (BASE + "max_age_days = 1e3\n", "max_age_days: 1000.0 will not do; write a whole number"),
    (BASE + "max_age_days = true\n", "max_age_days: True will not do; write a whole number"),
    (BASE + "max_age_days = 99999999999\n", "max_age_days: 99999999999 will not do; write at most 36500"),
    (
        BASE + "revisit_hours = [1, 12, 3]\n",
        "revisit_hours: 1, 12, 3 do not ascend; write e.g. [1, 3, 12, 48]",
    ),
    (BASE + "revisit_hours = [1, 9000]\n", "revisit_hours.2: 9000 will not do; write at most 8760"),
    (BASE + "revisit_hours = 1\n", "revisit_hours: 1 will not do; write a list in brackets"),
    (BASE + "politeness = 3\n", "politeness: 3 will not do; write a table of keys"),
    (
        BASE + "[sites.gazette.politeness]\ndelay = -1.0\n",
        "politeness.delay: -1.0 will not do; write at least 0",
    ),
    (BASE + "[sites.gazette.politeness]\ndelay = nan\n", "politeness.delay: nan will not do; write a number"),
    (
        BASE + '[sites.gazette.politeness]\ndelay = "1 s"\n',
        "politeness.delay: '1 s' will not do; write a number",
    ),
    (
        BASE + "[sites.gazette.politeness]\nconcurrent_requests = 64\n",
        "politeness.concurrent_requests: 64 will not do; write at most 32",
    ),
    (
        BASE + "[sites.gazette.politeness]\npage_budget = 0\n",
        "politeness.page_budget: 0 will not do; write at",
    ),
    (
        BASE + "[sites.gazette.politeness]\ntime_budget = inf\n",
        "politeness.time_budget: inf will not do; write",
    ),
    (
        BASE + "[sites.gazette.politeness]\ntime_budget = 0\n",
        "politeness.time_budget: 0 will not do; write more",
    ),
    (
        BASE + "rules = 3\n",
        "rules: 3 will not do; write a table of keys",
    ),
    (
        BASE + "[sites.gazette.rules]\nclutter = ['*']\n",
        "rules.clutter.1: '*' would be found in any line, or in none; write the words of the line",
    ),
    (
        BASE + "[sites.gazette.rules]\nclutter = ['Read us', { phrase = 'Read us', scop = 'tail' }]\n",
        "rules.clutter.2: {'phrase': 'Read us', 'scop': 'tail'} will not do; write a text in quotes, or {",
    ),
    (
        BASE + "[sites.gazette.rules]\nkeep = ['*']\n",
        "rules.keep.1: '*' would be found in any line, or in none; write the words of the line",
    ),
    (
        BASE + "[sites.gazette.rules]\nclutter = [{ phrase = 'Read us', scope = 'tial' }]\n",
        "rules.clutter.1: 'tial' is no scope; write one of line, tail, head",
    ),
    (
        BASE + "[sites.gazette.rules]\ndrop = ['.promo', 'aside[']\n",
        "rules.drop: 'aside[' is no CSS selector (Expected ident or '*', got <EOF at 6>); write e.g.",
    ),
    (
        BASE + "[sites.gazette.rules]\ntake = ['body']\n",
        "rules.take: 'body' matches every page as a whole; name the elements",
    ),
    (
        BASE + "[sites.gazette.rules]\nextractor = 'readable'\n",
        "rules.extractor: 'readable' will not do; write 'copydesk' or 'trafilatura'",
    ),
    (
        BASE + "[sites.gazette.rules]\ndrops = ['.promo']\n",
        "rules.drops: unknown key; did you mean drop?",
    ),
    (
        BASE + "[sites.gazette.rules]\ndrop = ['.a']\n"
        "[sites.herald]\nhomepage = 'https://www.gazette.example/'\nfeeds = ['https://herald.example/rss']\n"
        "[sites.herald.rules]\ndrop = ['.b']\n",
        "site herald: rules: site gazette has rules for gazette.example already; put all of them there",
    ),
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


def test_the_table_of_mistakes_has_every_key() -> None:
    messages = [message for _, message in MISTAKES]
    for record in (Site, Politeness, Rules):
        for key in set(record.model_fields) - {"key"}:
            assert any(re.search(rf"\b{key}(?:\.\d+)?: ", message) for message in messages), key
