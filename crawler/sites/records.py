"""The publishers: sites.toml read into frozen, validated records.

A person edits that file by hand and looks at a crawl once a week, so a mistake in it must not wait
for the crawl: every message names the file, the site, the key and what to write instead.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from crawler.sites.timetable import parse_schedule
from pipeline.errors import OperatorError
from pipeline.sites import Phrase, SiteRulebook, SiteRules, check_number, check_selectors

SITES_VARIABLE = "COPYDESK_SITES"
SHIPPED = "crawler/sites/sites.toml"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_HOST = re.compile(r"(?:\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_-]+)*)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def _url(value: str) -> str:
    """A host beyond ASCII becomes punycode, as in the requests and links that it is compared with."""
    try:
        parts = urlsplit(value)
        host = parts.hostname
        port = parts.port
    except ValueError as error:
        raise ValueError(
            f"{value!r} is no URL ({error}); write a whole one, e.g. https://news.example/feed"
        ) from error
    if parts.scheme not in ("http", "https") or not host or not value.isprintable() or " " in value:
        raise ValueError(f"{value!r} is no http(s) URL; write a whole one, e.g. https://news.example/feed")
    if "@" in parts.netloc:
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        raise ValueError(f"holds a user name or password, which are never sent; write {bare}")
    ascii_host = _host(f"[{host}]" if ":" in host else host)
    if not host.isascii():
        value = parts._replace(netloc=f"{ascii_host}:{port}" if port else ascii_host).geturl()
    return value


def _host(value: str) -> str:
    lowered = value.lower().rstrip(".")
    try:
        lowered = lowered if lowered.isascii() else lowered.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError(f"{value!r} is no host name ({error})") from error
    if not _HOST.fullmatch(lowered):
        raise ValueError(f"{value!r} is no host name; leave scheme, port and path out, e.g. news.example")
    return lowered


def _article_host(value: str) -> str:
    host = _host(value)
    if "." not in host and ":" not in host and host != "localhost":
        raise ValueError(f"{value!r} would allow every host under it; write a whole name, e.g. news.example")
    return host


def _pattern(value: str) -> str:
    if not value:
        raise ValueError("'' matches every URL; write an expression or leave it out")
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(
            f"{value!r} is no regular expression ({error}); in TOML write it in 'single quotes'"
        ) from error
    return value


def _language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise ValueError(f"{value!r} is no language tag; write e.g. en, de or pt-BR")
    return value


def _schedule(value: str) -> str:
    try:
        parse_schedule(value)
    except ValueError as error:
        why = f" ({error})" if value.startswith("every ") or len(value.split()) == 5 else ""
        raise ValueError(
            f"{value!r} is no schedule{why};"
            " write e.g. 'every 30 min', 'every 2 h' or a cron line '*/30 * * * *'"
        ) from error
    return value


def _line(value: str) -> str:
    if not value.isprintable() or not value.strip():
        raise ValueError(f"{value!r} is no line of text; write it without line ends and control characters")
    return value


def _ascending(values: tuple[float, ...]) -> tuple[float, ...]:
    if list(values) != sorted(set(values)):
        raise ValueError(
            f"{', '.join(f'{value:g}' for value in values)} do not ascend; write e.g. [1, 3, 12, 48],"
            " or [] for never"
        )
    return values


def _each_once(values: tuple[str, ...]) -> tuple[str, ...]:
    for number, value in enumerate(values):
        if value in values[:number]:
            raise ValueError(f"{value!r} stands there twice; leave one out")
    return values


def _phrase(value: Any) -> Phrase:
    entry = value if isinstance(value, dict) else {"phrase": value}
    text, scope = entry.get("phrase"), entry.get("scope", "line")
    if not isinstance(text, str) or not isinstance(scope, str) or entry.keys() - {"phrase", "scope"}:
        raise ValueError(
            f"{value!r} will not do; write a text in quotes, or {{ phrase = '…', scope = 'tail' }}"
        )
    return Phrase(text, scope)


def _kept_line(value: Any) -> Phrase:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} will not do; write a line in quotes, with '*' for what varies in it")
    return Phrase(value)


def _not_too_many(phrases: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
    check_number(phrases)
    return phrases


def _selectors(selectors: tuple[str, ...]) -> tuple[str, ...]:
    check_selectors(selectors)
    return selectors


Url = Annotated[str, AfterValidator(_url)]
Host = Annotated[str, AfterValidator(_article_host)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Line = Annotated[str, AfterValidator(_line)]
EachOnce = AfterValidator(_each_once)
# Of up to a year: what was not corrected by then will not be.
Hours = Annotated[tuple[Annotated[float, Field(gt=0, le=8760)], ...], AfterValidator(_ascending)]
Urls = Annotated[tuple[Url, ...], EachOnce]
Hosts = Annotated[tuple[Host, ...], EachOnce]
Patterns = Annotated[tuple[Pattern, ...], EachOnce]
Phrases = Annotated[tuple[Annotated[Phrase, BeforeValidator(_phrase)], ...], AfterValidator(_not_too_many)]
KeptLines = Annotated[
    tuple[Annotated[Phrase, BeforeValidator(_kept_line)], ...], AfterValidator(_not_too_many)
]
Selectors = Annotated[tuple[str, ...], EachOnce, AfterValidator(_selectors)]
Language = Annotated[str, AfterValidator(_language)]
Schedule = Annotated[str, AfterValidator(_schedule)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Politeness(_Record):
    """How hard a site may be asked. robots.txt and its Crawl-delay hold whatever stands here.

    delay: least seconds between two requests to one host; AutoThrottle may wait longer.
    concurrent_requests: requests to one host at a time.
    page_budget: most articles fetched in one crawl, and most sections and sitemaps that others name.
    time_budget: most seconds spent on the site in one crawl.
    """

    delay: float = Field(default=1.0, ge=0, le=3600)
    concurrent_requests: int = Field(default=2, ge=1, le=32)
    page_budget: int = Field(default=500, ge=1)
    time_budget: float = Field(default=3600.0, gt=0)


class Rules(_Record):
    """What is made of a site's pages otherwise than of others; what each means stands at `SiteRules`."""

    clutter: Phrases = ()
    drop: Selectors = ()
    take: Selectors = ()
    keep: KeptLines = ()


class Site(_Record):
    """One publisher.

    key: how the site is called on the command line; the table's name, `[sites.KEY]`.
    name: the outlet's name, stored as the publisher of its articles.
    feeds, sitemaps: RSS/Atom feeds; news sitemaps, sitemap indexes, or a robots.txt that names some.
    sections: front and section pages, for the sections spider; section_depth: how many links deep it looks
        for further sections.
    allowed_hosts: hosts that articles may be on, subdomains included; the homepage's own host always is.
    schedule: when `copydesk schedule` crawls it, see crawler.sites.timetable.
    article_urls: regular expressions searched in a URL; where there are any, an article matches one.
    skip_urls: regular expressions; a URL that one of them matches is no article.
    max_age_days: sitemap entries last modified longer ago are not fetched.
    revisit_hours: when a stored article is asked for again, in hours after it was first seen, ascending; ()
        for never. None: as the setting COPYDESK_REVISIT_HOURS says.
    rules: phrases and elements of its own that are clutter, or the story.
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
        """Hosts of the feeds, sitemaps and sections; that allows no article on them."""
        return frozenset(urlsplit(u).hostname or "" for u in (*self.feeds, *self.sitemaps, *self.sections))

    @property
    def site_rules(self) -> SiteRules:
        """The rules as the pipeline knows them."""
        rules = self.rules
        hosts = tuple(sorted(self.hosts))
        return SiteRules(self.key, hosts, rules.clutter, rules.drop, rules.take, rules.keep)


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


def read_sites(path: str | os.PathLike[str] | None = None) -> dict[str, Site]:
    """Read every site of a sites.toml, in the file's order.

    path: the file; None takes $COPYDESK_SITES, then the sites.toml that comes with Copydesk.
    Raises OperatorError for a file that cannot be read and for the first mistake in it.
    """
    file = sites_path(path)
    return parse_sites(sites_content(file), str(file or SHIPPED))


def sites_path(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the file that `path`, else $COPYDESK_SITES names; None: the one that comes with Copydesk."""
    named = path or os.environ.get(SITES_VARIABLE)
    return Path(named) if named else None


def sites_content(file: Path | None) -> bytes:
    """Return the file's bytes, those of the one that comes with Copydesk for None; raises OperatorError."""
    if file is None:
        return resources.files("crawler.sites").joinpath("sites.toml").read_bytes()
    try:
        return file.read_bytes()
    except OSError as error:
        raise OperatorError(
            f"{file}: cannot be read ({error.strerror}); name a sites file with --sites"
        ) from error


def parse_sites(text: bytes, where: str) -> dict[str, Site]:
    """Parse the content of a sites.toml; `where` names it in error messages."""
    try:
        tables = tomllib.loads(text.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OperatorError(f"{where}: not valid TOML: {error}") from error
    for key in tables:
        if key != "sites":
            raise OperatorError(f"{where}: {_shown(key)}: unknown table; each site is a table [sites.NAME]")
    entries = tables.get("sites", {})
    if not isinstance(entries, dict):
        raise OperatorError(f"{where}: sites: must be a table; write each site as [sites.NAME]")
    sites = {key: site_record(where, key, entry) for key, entry in entries.items()}
    try:
        rulebook(sites.values())
    except ValueError as error:
        raise OperatorError(f"{where}: {error}") from error
    return sites


def rulebook(sites: Iterable[Site]) -> SiteRulebook:
    """Return the rules of all these sites. Raises ValueError where two have rules for one host."""
    return SiteRulebook(tuple(site.site_rules for site in sites))


def read_rulebook(path: str | os.PathLike[str] | None = None) -> SiteRulebook:
    """Return the rules of the sites of a file of one's own: of that, or of the one $COPYDESK_SITES names.

    No file, no rules: pages that come from files are not processed by rules that nobody asked for.
    Raises OperatorError as `read_sites` does.
    """
    file = sites_path(path)
    return rulebook(read_sites(file).values()) if file else SiteRulebook()


def choose(sites: Mapping[str, Site], keys: Sequence[str]) -> list[Site]:
    """Return the sites of those keys in the order given, all of them for none; raises OperatorError."""
    chosen = []
    for key in dict.fromkeys(keys):
        if key not in sites:
            near = difflib.get_close_matches(key, sites, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sites) or 'none'}"
            raise OperatorError(f"no site {key!r} in the sites file; {hint}")
        chosen.append(sites[key])
    return chosen or list(sites.values())


def site_record(where: str, key: str, entry: Any) -> Site:
    """Return one site's table as a record; `where` names its origin in the OperatorError for a mistake."""
    at = f"{where}: site {_shown(key)}"
    if not _NAME.fullmatch(key):
        raise OperatorError(f"{at}: a site's key is made of a-z, 0-9, '-', '_' and '.'; rename the table")
    if not isinstance(entry, dict):
        raise OperatorError(f"{at}: must be a table; write [sites.{key}] on a line of its own")
    try:
        site = Site.model_validate({"name": key, **_tuples(entry), "key": key})
    except ValidationError as error:
        raise OperatorError(f"{at}: {_first(error)}") from error
    if not site.feeds and not site.sitemaps and not site.sections:
        raise OperatorError(f"{at}: feeds: no feeds, sitemaps or sections, so nothing to crawl; add one")
    return site


def _tuples(value: Any) -> Any:
    """TOML has arrays, the records have tuples (strict validation takes no list for one)."""
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    return tuple(value) if isinstance(value, list) else value


def _shown(key: str) -> str:
    return key if key.isprintable() and key else repr(key)


def _first(error: ValidationError) -> str:
    """The first mistake as `key: what is wrong; what to write`."""
    problem = error.errors()[0]
    key = _shown(".".join(f"{part + 1}" if isinstance(part, int) else part for part in problem["loc"]))
    if problem["type"] == "extra_forbidden":
        records: dict[str, type[_Record]] = {"politeness": Politeness, "rules": Rules}
        record = records.get(str(problem["loc"][0]), Site)
        known = [name for name in record.model_fields if name != "key"]
        near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
        return f"{key}: unknown key; " + (
            f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
        )
    if problem["type"] == "missing":
        return f"{key}: is missing; add {key} = …"
    if problem["type"] == "value_error":
        return f"{key}: {problem['ctx']['error']}"
    return f"{key}: {problem['input']!r} will not do; {_remedy(problem['type'], problem.get('ctx', {}))}"


def _remedy(kind: str, limits: Mapping[str, Any]) -> str:
    """What to write in place of a value that pydantic refuses, by its name for the mistake."""
    if kind.startswith(("greater_than", "less_than")):
        bounds = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
        return " and ".join(f"write {bounds[name]} {limit}" for name, limit in limits.items())
    return {
        "tuple_type": "write a list in brackets, e.g. ['…']",
        "string_type": "write a text in quotes",
        "bool_type": "write true or false",
        "int_type": "write a whole number",
        "float_type": "write a number",
        "finite_number": "write a number",
        "model_type": "write a table of keys",
    }.get(kind, kind.replace("_", " "))
