"""What is said of the rights to a page: reservations of text and data mining, AI preferences, licences.

A statement is recorded with its source, as it was made. Whether it reserves the text is read off it in one
place (`judged`). Nothing here is legal advice: a statement may be wrong, and rights are reserved by law too.

    tdm-reservation, tdm-policy   TDM Reservation Protocol (W3C community group report of 2024-05-10):
                                  response headers, meta elements, /.well-known/tdmrep.json
    robots                        noai and noimageai, in X-Robots-Tag headers and robots meta elements
    content-usage                 AI preferences of the IETF (draft-ietf-aipref-attach): header, robots.txt
    content-signal                Content Signals (contentsignals.org): header, robots.txt
    license                       Really Simple Licensing (rslstandard.org): Link header, link element,
                                  robots.txt, addresses of terms in a licence in the page (script)
    license-permits,              the uses that a licence in the page permits and prohibits
    license-prohibits

`inline_licence` reads licences in a page, `site_rights` robots.txt and tdmrep.json, which hold for a site.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from pipeline.document import RightsStatement
from pipeline.metadata.structured_data import StructuredData

# The response headers that may have a statement, in lower case.
RIGHTS_HEADERS = ("tdm-reservation", "tdm-policy", "x-robots-tag", "content-usage", "content-signal", "link")

# Most statements of one document; longest values, in characters.
MAX_STATEMENTS = 40
MAX_VALUE = 500
MAX_ADDRESS = 2000

_USES = frozenset({"license-permits", "license-prohibits"})
_NAMES = _USES | {"tdm-reservation", "tdm-policy", "robots", "content-usage", "content-signal", "license"}
_SOURCES = frozenset({"header", "meta", "link", "script", "robots.txt", "tdmrep.json"})
_PREFERENCES = frozenset({"content-usage", "content-signal"})
_ADDRESSES = frozenset({"tdm-policy", "license"})
_AI_DIRECTIVES = frozenset({"noai", "noimageai"})
# The product that a statement for all crawlers like this one may name.
_OWN_AGENT = "copydesk"
_AGENT = re.compile(r"[A-Za-z][\w.-]{0,49}")
# In X-Robots-Tag a name before a colon is a crawler, but for these directives.
_ADDRESSED = re.compile(
    r"\s*(?!unavailable_after|max-snippet|max-image-preview|max-video-preview)([A-Za-z][\w.-]{0,49})\s*:(.*)",
    re.IGNORECASE | re.DOTALL,
)
# The names of meta elements that address one crawler; others (keywords) may hold the same words.
_CRAWLER = re.compile(r"[a-z][\w.-]*(?:bot|spider|crawler|agent|-extended|-ai|-web|-user)[\w.-]{0,20}")
_PREFERENCE = re.compile(r"[a-z*][\w.*-]{0,49}=[\w?:\"-]{1,50}")
_USE = re.compile(r"[a-z][a-z0-9:_-]{0,49}")
_LINK = re.compile(r"<([^<>\s]{1,2000})>([^<>]{0,500})")
_RSL = "application/rsl+xml"


def header_rights(headers: Iterable[tuple[str, str]], url: str) -> tuple[RightsStatement, ...]:
    """The statements in the headers of a response; url: of the response, for relative addresses."""
    return clean_rights(_in_headers(headers, url))


def page_rights(data: StructuredData, url: str) -> tuple[RightsStatement, ...]:
    """The statements in the meta and link elements of a page."""
    return clean_rights(_in_page(data, url))


def joined_rights(*parts: Iterable[RightsStatement]) -> tuple[RightsStatement, ...] | None:
    """The statements of all parts, each once, with what they reserve; None for none."""
    found = clean_rights(statement for part in parts for statement in part)
    return tuple(map(judged, found)) or None


def clean_rights(values: object) -> tuple[RightsStatement, ...]:
    """The valid statements among the values, each once and bounded; what each reserves is left open.

    values: statements, or objects with the same names, as an export has them.
    """
    found: dict[RightsStatement, None] = {}
    for value in values if isinstance(values, Iterable) and not isinstance(values, str | bytes) else ():
        statement = _clean(value)
        if statement is not None:
            found[statement] = None
            if len(found) == MAX_STATEMENTS:
                break
    return tuple(found)


def judged(statement: RightsStatement) -> RightsStatement:
    """The statement with what it reserves, as the field `reserved` of RightsStatement says."""
    reserved: bool | None = None
    if statement.agent is not None and statement.agent.lower() != _OWN_AGENT:
        reserved = None
    elif statement.name == "tdm-reservation":
        reserved = statement.value == "1"
    elif statement.name == "license-prohibits" or (statement.name == "robots" and statement.value == "noai"):
        reserved = True
    elif statement.name in _PREFERENCES:
        said = {part.partition("=")[2].strip(' "?:') for part in statement.value.split(",")}
        reserved = True if said & {"n", "no"} else False if said & {"y", "yes"} else None
    return replace(statement, reserved=reserved)


def _clean(value: object) -> RightsStatement | None:
    if isinstance(value, RightsStatement):
        value = {"name": value.name, "value": value.value, "source": value.source, "agent": value.agent}
    if not isinstance(value, Mapping):
        return None
    name, said, source, agent = (value.get(key) for key in ("name", "value", "source", "agent"))
    if not (isinstance(name, str) and isinstance(said, str) and isinstance(source, str)):
        return None
    if name not in _NAMES or source not in _SOURCES or len(said) > max(MAX_VALUE, MAX_ADDRESS):
        return None
    if agent is not None and not (isinstance(agent, str) and _AGENT.fullmatch(agent)):
        return None
    cleaned = _reader_of(name)(said)
    return None if cleaned is None else RightsStatement(name, cleaned, source, agent)


def _reader_of(name: str) -> Callable[[str], str | None]:
    if name in _ADDRESSES:
        return _address
    return _preferences if name in _PREFERENCES else _uses if name in _USES else _choice


def _uses(value: str) -> str | None:
    """The uses in a list, in lower case: `ai-train, search`."""
    stated = [part.strip().lower() for part in value[:MAX_VALUE].split(",")]
    return ", ".join(part for part in stated[:20] if _USE.fullmatch(part)) or None


def _address(value: str, url: str = "") -> str | None:
    """An absolute http(s) URL; None for anything else."""
    address = value.strip()
    if not address or len(address) > MAX_ADDRESS or re.search(r"[\x00-\x20\x7f-\x9f\"<>\\^`{|}]", address):
        return None
    try:
        absolute: str = urljoin(url, address)
        parts = urlsplit(absolute)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        absolute.encode()
    except ValueError:  # also for lone surrogates
        return None
    return absolute if is_address and len(absolute) <= MAX_ADDRESS else None


def _preferences(value: str) -> str | None:
    """The preferences in a list of names and values, in lower case: `search=yes, ai-train=no`."""
    # What follows a semicolon are parameters of a preference (RFC 9651).
    stated = ["".join(part.partition(";")[0].split()).lower() for part in value[:MAX_VALUE].split(",")]
    return ", ".join(part for part in stated[:20] if _PREFERENCE.fullmatch(part)) or None


def _choice(value: str) -> str | None:
    """A digit of tdm-reservation or a directive of robots; others are no statements."""
    value = value.strip().lower()
    return value if value in ("0", "1", *_AI_DIRECTIVES) else None


def _in_headers(headers: Iterable[tuple[str, str]], url: str) -> Iterator[RightsStatement]:
    for header, value in headers:
        name = header.lower()
        if name not in RIGHTS_HEADERS:
            continue
        value = value[: 4 * MAX_ADDRESS]
        if name == "x-robots-tag":
            yield from _in_robots_tag(value, "header")
        elif name == "link":
            for address, parameters in _LINK.findall(value):
                if _RSL in parameters.lower() and re.search(r"\brel\s*=\s*\"?[^\";]*\blicense\b", parameters):
                    yield from addressed("license", address, "header", url)
        elif name == "tdm-policy":
            yield from addressed("tdm-policy", value, "header", url)
        else:
            yield RightsStatement(name, value, "header")


def _in_page(data: StructuredData, url: str) -> Iterator[RightsStatement]:
    for value in data.meta("tdm-reservation"):
        yield RightsStatement("tdm-reservation", value, "meta")
    for value in data.meta("tdm-policy"):
        yield from addressed("tdm-policy", value, "meta", url)
    for name, values in data.metas.items():
        for value in values:
            if len(value) > MAX_VALUE or ("noai" not in value.lower() and "noimageai" not in value.lower()):
                continue
            if name == "x-robots-tag":
                yield from _in_robots_tag(value, "meta")
            elif name == "robots" or _CRAWLER.fullmatch(name):
                for directive in value.lower().replace(" ", ",").split(","):
                    if directive in _AI_DIRECTIVES:
                        agent = None if name == "robots" else name
                        yield RightsStatement("robots", directive, "meta", agent)
    for link in data.links:
        is_rsl = (link.get("type") or "").strip().lower() == _RSL
        if is_rsl and "license" in (link.get("rel") or "").lower().split():
            yield from addressed("license", link.get("href") or "", "link", url)


def _in_robots_tag(value: str, source: str) -> Iterator[RightsStatement]:
    """The AI directives of one X-Robots-Tag: for all crawlers, or for the one that it names first."""
    agent: str | None = None
    for part in value.split(","):
        if named := _ADDRESSED.fullmatch(part):
            agent, part = named[1].lower(), named[2]
        if part.strip().lower() in _AI_DIRECTIVES:
            yield RightsStatement("robots", part.strip().lower(), source, agent)


def addressed(name: str, address: str, source: str, url: str) -> Iterator[RightsStatement]:
    """The statement that is an address, if it is one; url: of the page, for relative addresses."""
    if absolute := _address(address, url):
        yield RightsStatement(name, absolute, source)
