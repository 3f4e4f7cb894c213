"""Numbers that pages repeat are those of the code."""

from __future__ import annotations

import re

import pytest

import crawler.settings as scrapy_settings
from crawler.discovery import feeds, sections, sitemaps
from crawler.fetch.download_handler import MAX_HEADER_BYTES
from crawler.fetch.politeness.robots import MAX_ROBOTS_BYTES
from crawler.files import tables
from crawler.monitor import HISTORY
from crawler.notifications import NotificationSettings, after_run, retries
from crawler.notifications.delivery import FAILURES, IN_A_MAIL
from crawler.notifications.webhook import MAX_ANSWER_BYTES, PERMANENT
from crawler.scheduling import Plan
from crawler.sites import MAX_URL_LENGTH
from crawler.sites.site import Politeness
from crawler.workers.pool import MEMORY_BYTES
from pipeline.copies.verification import SAME_ISSUE_DAYS, SHORT_WORDS
from pipeline.metadata.site_rights import MAX_TDMREP_BYTES
from pipeline.page import blocks
from pipeline.settings import FingerprintSettings, GroupSettings, Settings
from pipeline.sites.evidence import EDGE_SHARE, LABEL_SHARE, LEAST_STORIES, SENTENCE_SHARE
from storage.writing.quarantine import MAX_FAILURES
from tests.docs.pages import ROOT

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_PIPELINE = Settings()
_READING = _PIPELINE.reading
_PRINTS = FingerprintSettings()
_GROUPS = GroupSettings()
_BUDGETS = Politeness()
_ROWS = _PRINTS.bands + _PRINTS.lead_bands + _PRINTS.far_bands + _PRINTS.far_lead_bands

_WAITS = [int(delay.total_seconds()) for delay in retries.DELAYS]

SAID = {
    "docs/explanation/grouping.md": (
        f"A text of fewer than {SHORT_WORDS} words",
        f"from {SAME_ISSUE_DAYS * 24:.0f} hours on",
        f"A shingle is a run of {_WORDS[_PRINTS.shingle_words]} tokens",
        f'`MinHash({_PRINTS.whole_size}, seed={_PRINTS.seed}, scheme="affine32")` of the whole text',
        f'`MinHash({_PRINTS.lead_size}, seed={_PRINTS.seed + 1}, scheme="affine32")` of the lead',
        f"begin in the first {_PRINTS.lead_words} words",
        f"a token is a character and a shingle has {_WORDS[_PRINTS.shingle_chars]}",
        f"{_GROUPS.band_window} before it and {_GROUPS.band_window} after it",
        f"neighbours in one winnowed or far band, or in {_WORDS[_GROUPS.bands_shared]} near bands",
        f"the least of each {_PRINTS.winnow_window} neighbouring ones",
        f"shingles of {_WORDS[_PRINTS.winnow_words]} tokens",
        f"so that about {_PRINTS.winnow_most} are selected",
        f"where {_WORDS[_GROUPS.values_shared]} of the {_PRINTS.num_perm} values of",
        f"more than {_WORDS[int(_GROUPS.near_days)]} days apart",
        f"Each article takes {_ROWS} rows, and up to about {_PRINTS.winnow_most} more",
    ),
    "docs/explanation/storage.md": (f"{_ROWS} rows an article and 2 to {_PRINTS.winnow_most} more",),
    "docs/explanation/cleaning.md": (
        f"at least {_WORDS[LEAST_STORIES]} stories",
        f"does not end as a sentence does | {LABEL_SHARE:.0%}",
        f"at the edge of the text | {EDGE_SHARE:.0%}",
        f"in the middle of the text | {SENTENCE_SHARE:.0%}",
    ),
    "docs/explanation/crawling.md": (
        f"Pages of more than {scrapy_settings.DOWNLOAD_MAXSIZE // 10**6} MB",
        f"feeds of more than {scrapy_settings.COPYDESK_FEED_MAXSIZE // 10**6} MB",
        f"sitemaps of more than {scrapy_settings.COPYDESK_SITEMAP_MAXSIZE // 10**6} MB",
        f"more than {scrapy_settings.DOWNLOAD_TIMEOUT} seconds",
        f"headers of more than {MAX_HEADER_BYTES // 1000} kB",
        f"more than {_WORDS[scrapy_settings.REDIRECT_MAX_TIMES]} redirects",
        f"fails {_WORDS[scrapy_settings.COPYDESK_HOST_FAILURES]} times",
        f"than {_WORDS[int(scrapy_settings.COPYDESK_BACKOFF_MAX_SECONDS // 60)]} minutes",
    ),
    "docs/how-to/operations.md": (f"the {_WORDS[HISTORY.days // 7]} weeks before",),
    "docs/how-to/notifications.md": (
        f"after {_WAITS[0]} seconds, {_WAITS[1] // 60} minutes, half an hour, "
        f"{', '.join(str(wait // 3600) for wait in _WAITS[3:-1])} and {_WAITS[-1] // 3600} hours",
        f"A digest holds at most {IN_A_MAIL} notifications",
        f"mail at {NotificationSettings().digest_hour} in the morning",
        f"has {NotificationSettings().seconds:g} seconds in all",
        f"will never accept it ({', '.join(str(status) for status in sorted(PERMANENT - {410}))})",
        f"After {_WORDS[FAILURES]} failures in a row",
    ),
    "docs/how-to/watchlists.md": (
        f"for up to {after_run.SECONDS:g} seconds",
        f"every {Plan('').notify:g} seconds",
    ),
    "docs/security.md": (
        f"| time of one document, feed or sitemap in a worker process | {_PIPELINE.timeout_seconds:g} s |",
        f"| memory of a worker process, beyond what it has at its start | {MEMORY_BYTES >> 30} GiB |",
        f"| failures in a row of a document that hung or killed its worker | {MAX_FAILURES} |",
        "| processor time of a file that is read, and for each MB of it "
        f"| {_READING.seconds:g} s and {_READING.seconds_per_mb:g} s |",
        f"| time in which nothing of a file could be read | {_READING.stall_seconds:g} s |",
        "| memory of the process that reads files, beyond what it has at its start "
        f"| {_READING.memory_bytes >> 30} GiB |",
        f"| what the rows of a Parquet file hold together | {tables.TIMES_FILE:,} times the file |",
        f"| time of one site in a crawl, unless its entry says otherwise | {_BUDGETS.time_budget:g} s |",
        f"| pages of one site in a crawl, unless its entry says otherwise | {_BUDGETS.page_budget} |",
        f"| a document, after decompression | {_PIPELINE.max_body_bytes // 10**6} MB |",
        f"| a page on the network, packed or unpacked | {scrapy_settings.DOWNLOAD_MAXSIZE // 10**6} MB |",
        f"| a feed | {scrapy_settings.COPYDESK_FEED_MAXSIZE // 10**6} MB |",
        f"| a sitemap | {scrapy_settings.COPYDESK_SITEMAP_MAXSIZE // 10**6} MB |",
        f"| a section page that is read for links | {sections.MAX_BYTES // 10**6} MB |",
        f"| robots.txt | {MAX_ROBOTS_BYTES // 1000} kB |",
        f"| tdmrep.json | {MAX_TDMREP_BYTES // 1000} kB |",
        f"| status line and headers of an answer | {MAX_HEADER_BYTES // 1000} kB |",
        f"| time of one request | {scrapy_settings.DOWNLOAD_TIMEOUT} s |",
        f"| redirects of one request | {scrapy_settings.REDIRECT_MAX_TIMES} |",
        f"| length of a URL | {MAX_URL_LENGTH} characters |",
        f"| entries of a feed | {feeds.MAX_ENTRIES} |",
        f"| entries of a sitemap | {sitemaps.MAX_SITEMAP_ENTRIES:,} |",
        f"| wait that a server may ask for | {scrapy_settings.COPYDESK_BACKOFF_MAX_SECONDS:g} s |",
        f"| failures in a row of a host | {scrapy_settings.COPYDESK_HOST_FAILURES} |",
        "| time of one notification to a webhook, command or mail server "
        f"| {NotificationSettings().seconds:g} s |",
        f"| attempts of one notification | {len(retries.DELAYS) + 1} |",
        f"| wait that a webhook may ask for | {retries.LONGEST_WAIT.total_seconds() / 3600:g} h |",
        f"| answer of a webhook | {MAX_ANSWER_BYTES:,} bytes |",
        f"| blocks of a page | {blocks.MAX_BLOCKS:,} |",
        f"| depth of a page's elements | {blocks.MAX_DEPTH} |",
    ),
    "docs/reference/settings.md": (
        f"the largest document ({_PIPELINE.max_body_bytes // 10**6} MB)",
        f"in a worker ({_PIPELINE.timeout_seconds:.0f} s)",
        f"`DOWNLOAD_DELAY` ({scrapy_settings.DOWNLOAD_DELAY} s)",
        f"`CONCURRENT_REQUESTS` ({scrapy_settings.CONCURRENT_REQUESTS})",
        f"`RETRY_TIMES` ({scrapy_settings.RETRY_TIMES})",
        f"`DEPTH_LIMIT` ({scrapy_settings.DEPTH_LIMIT})",
    ),
}


@pytest.mark.parametrize("page", SAID)
def test_the_numbers_of_a_page(page: str) -> None:
    text = re.sub(r"\s+", " ", (ROOT / page).read_text(encoding="utf-8"))
    assert [said for said in SAID[page] if said not in text.replace(" %", "%")] == []


def test_every_limit_on_the_page_on_security_is_compared() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    [table] = re.findall(r"^\| what \| most \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", page, re.MULTILINE)
    compared = [said.split("|")[1].strip() for said in SAID["docs/security.md"]]
    assert [row.split("|")[1].strip() for row in table.splitlines()] == compared


def test_security_is_one_text() -> None:
    assert (ROOT / "docs" / "security.md").resolve() == ROOT / ".github" / "SECURITY.md"
