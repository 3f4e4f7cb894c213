"""A site as a validated, frozen record: its addresses, limits, schedule and own rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from crawler.sites.fields import (
    Hosts,
    Hours,
    KeptLines,
    Language,
    Line,
    Patterns,
    Phrases,
    Schedule,
    Selectors,
    Url,
    Urls,
)
from pipeline.errors import OperatorError
from pipeline.sites import SiteRules


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Politeness(Record):
    """Limits of the requests to a site. Its robots.txt, with its Crawl-delay, is obeyed in any case.

    delay: least seconds between two requests to one host; AutoThrottle may wait longer.
    concurrent_requests: requests to one host at a time.
    page_budget: most articles fetched in one crawl; also most sections and sitemaps that other sources name.
    time_budget: most seconds spent on the site in one crawl.
    """

    delay: float = Field(default=1.0, ge=0, le=3600)
    concurrent_requests: int = Field(default=2, ge=1, le=32)
    page_budget: int = Field(default=500, ge=1)
    time_budget: float = Field(default=3600.0, gt=0)


class Rules(Record):
    """Rules for this site's pages alone; for what each means see `pipeline.sites.SiteRules`."""

    clutter: Phrases = ()
    drop: Selectors = ()
    take: Selectors = ()
    keep: KeptLines = ()
    extractor: Literal["copydesk", "trafilatura"] | None = None


class Site(Record):
    """One publisher.

    key: the site's name on the command line and in its table, `[sites.KEY]`.
    name: the outlet's name, stored as the publisher of its articles.
    feeds, sitemaps: RSS/Atom feeds; news sitemaps, sitemap indexes, or a robots.txt that names some.
    sections: front and section pages, for the sections spider; section_depth: how many links deep it looks
        for further sections.
    allowed_hosts: hosts that articles may be on, subdomains included; the homepage's own host always is.
    schedule: when `copydesk schedule` crawls it, see crawler.sites.timetable.
    article_urls: regular expressions; if there are any, the URL of an article matches one of them somewhere.
    skip_urls: regular expressions; a URL that matches one of them somewhere is no article.
    max_age_days: sitemap entries last modified longer ago are not fetched.
    revisit_hours: when a stored article is fetched again, in hours after it was first seen, ascending; () for
        never, None for what the setting COPYDESK_REVISIT_HOURS says.
    rules: phrases and elements of its pages that are clutter, or that are the story.
    """

    key: str
    name: Line
    homepage: Url
    feeds: Urls = ()
    sitemaps: Urls = ()
    sections: Urls = ()
    section_depth: int = Field(default=1, ge=0, le=3)
    allowed_hosts: Hosts = ()
    language: Language | None = None
    schedule: Schedule | None = None
    article_urls: Patterns = ()
    skip_urls: Patterns = ()
    max_age_days: int = Field(default=7, ge=1, le=36500)
    revisit_hours: Hours | None = None
    politeness: Politeness = Politeness()
    rules: Rules = Rules()

    @property
    def hosts(self) -> frozenset[str]:
        """Hosts that articles may be on (subdomains included), without `www.`."""
        own = urlsplit(self.homepage).hostname or ""
        return frozenset({own.removeprefix("www."), *(h.removeprefix("www.") for h in self.allowed_hosts)})

    @property
    def source_hosts(self) -> frozenset[str]:
        """Hosts of the feeds, sitemaps and sections. Articles are not allowed on them for that."""
        return frozenset(urlsplit(u).hostname or "" for u in (*self.feeds, *self.sitemaps, *self.sections))

    @property
    def site_rules(self) -> SiteRules:
        """The rules in the pipeline's form."""
        rules = self.rules
        hosts = tuple(sorted(self.hosts))
        return SiteRules(
            self.key, hosts, rules.clutter, rules.drop, rules.take, rules.keep, rules.extractor or ""
        )


_HOURS: TypeAdapter[tuple[float, ...]] = TypeAdapter(Hours)


def parse_hours(values: Sequence[Any]) -> tuple[float, ...]:
    """Read the setting COPYDESK_REVISIT_HOURS, a list of numbers or texts; raises OperatorError."""
    texts = [text for value in values if (text := str(value).strip())]
    try:
        return _HOURS.validate_python(texts)
    except ValidationError as error:
        raise OperatorError(
            f"COPYDESK_REVISIT_HOURS: {', '.join(texts)} will not do;"
            " write hours in ascending order, e.g. 1,3,12,48"
        ) from error
