"""The types of the keys of a site's table in sites.toml: what each accepts, and what to write instead.

Pydantic checks each value by its type. A validator raises ValueError with the end of a message that begins
with file, site and key.
"""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from crawler.sites.timetable import parse_schedule
from crawler.sites.url_patterns import check_url_pattern
from pipeline.sites import Phrase, check_rule_count, check_selectors

_HOST = re.compile(r"(?:\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_-]+)*)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def _url(value: str) -> str:
    """Check a URL; a host beyond ASCII becomes punycode, as in the requests and links it is compared with."""
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
    check_url_pattern(value)
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
            raise ValueError(f"{value!r} is listed twice; leave one out")
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
    check_rule_count(phrases)
    return phrases


def _selectors(selectors: tuple[str, ...]) -> tuple[str, ...]:
    check_selectors(selectors)
    return selectors


Url = Annotated[str, AfterValidator(_url)]
Host = Annotated[str, AfterValidator(_article_host)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Line = Annotated[str, AfterValidator(_line)]
EachOnce = AfterValidator(_each_once)
# At most a year: an article that was not corrected by then will not be.
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
