"""What a site says of the rights to all of its pages: lines of its robots.txt, and its tdmrep.json.

Both are read once for a site, and asked for each page. They come from strangers, so sizes and numbers are
bounded, and patterns are matched in linear time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from pipeline.document import RightsStatement
from pipeline.metadata.rights import MAX_ADDRESS, MAX_VALUE, clean_rights

# Where the TDM Reservation Protocol keeps the rules of a site, and the largest file that is read.
TDMREP_PATH = "/.well-known/tdmrep.json"
MAX_TDMREP_BYTES = 200_000
# Of a robots.txt in an archive so much is read; RFC 9309, 2.5, asks for this much at least.
MAX_ROBOTS_BYTES = 500 * 1024
# Rules and statements of all hosts of an archive that are kept at a time.
MOST_KEPT = 20_000

_ROBOTS_PATH = "/robots.txt"

_MOST_RULES = 500
_LONGEST_PATTERN = 500
_PREFERENCES = ("content-usage", "content-signal")


@dataclass(frozen=True, slots=True)
class SiteRule:
    """Statements for the paths that a pattern matches. `*` stands for anything, a final `$` for the end."""

    pattern: str
    statements: tuple[RightsStatement, ...]


@dataclass(frozen=True, slots=True)
class RobotsRights:
    """What a robots.txt says of rights to one crawler.

    everywhere: statements for all pages. rules: of Content-Usage lines with a path, of which the longest
    pattern that matches decides.
    """

    everywhere: tuple[RightsStatement, ...] = ()
    rules: tuple[SiteRule, ...] = ()

    def of(self, url: str) -> tuple[RightsStatement, ...]:
        """The statements for one page."""
        path = _path(url)
        found = [rule for rule in self.rules if _matches(rule.pattern, path)]
        longest = max((len(rule.pattern) for rule in found), default=0)
        decisive = [s for rule in found if len(rule.pattern) == longest for s in rule.statements]
        return clean_rights((*self.everywhere, *decisive))


@dataclass(frozen=True, slots=True)
class TdmRights:
    """The rules of a tdmrep.json, of which the first that matches decides."""

    rules: tuple[SiteRule, ...] = ()

    def of(self, url: str) -> tuple[RightsStatement, ...]:
        """The statements for one page."""
        path = _path(url)
        return next((rule.statements for rule in self.rules if _matches(rule.pattern, path)), ())


def may_have_rights(robots: bytes) -> bool:
    """Whether a robots.txt has a line that `read_robots_rights` looks for; most have none."""
    lowered = robots.lower()
    return b"content-" in lowered or b"license" in lowered


def read_robots_rights(robots: bytes, agent: str) -> RobotsRights:
    """Reads the lines of a robots.txt that are about rights.

    agent: product name of the crawler. As for what it may fetch (RFC 9309, 2.2.1), its own groups hold for
    it, or else those of `*`. `License` lines hold for everybody, and so does what stands before any group.
    """
    licenses: list[RightsStatement] = []
    of_agent: dict[str, list[tuple[str, str]]] = {}
    agents: list[str] = []
    is_group_begun = True
    named = False
    for name, value in _lines(robots.decode("utf-8", "replace")):
        if name == "user-agent":
            if is_group_begun:
                agents, is_group_begun = [], False
            agents.append(value.lower())
            named = named or value.lower() == agent.lower()
        elif name == "license":
            licenses.append(RightsStatement("license", value, "robots.txt"))
        elif name in ("allow", "disallow", "crawl-delay", *_PREFERENCES):
            is_group_begun = True
            if name in _PREFERENCES:
                for one in agents or [""]:
                    of_agent.setdefault(one, []).append((name, value))
    lines = [*of_agent.get("", ()), *of_agent.get(agent.lower() if named else "*", ())]
    everywhere, rules = licenses, list[SiteRule]()
    for name, value in lines[:_MOST_RULES]:
        pattern, said = "", value
        if value.startswith("/"):
            pattern, _, said = value.replace("\t", " ").partition(" ")
        statements = clean_rights([RightsStatement(name, said, "robots.txt")])
        if pattern in ("", "/") and name != "content-usage":
            everywhere += statements
        elif statements and len(pattern) <= _LONGEST_PATTERN:
            rules.append(SiteRule(pattern or "/", statements))
    return RobotsRights(clean_rights(everywhere), tuple(rules))


def read_tdm_rights(body: bytes) -> TdmRights:
    """Reads a tdmrep.json; what is no such file has no rules."""
    try:
        found = json.loads(body[:MAX_TDMREP_BYTES])
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return TdmRights()
    rules = found if isinstance(found, list) else [found]
    return TdmRights(tuple(_tdm_rules(rules[:_MOST_RULES])))


def is_site_file(url: str) -> bool:
    """Whether this is the URL of a robots.txt or a tdmrep.json, which hold for all pages of a host."""
    try:
        return urlsplit(url).path in (_ROBOTS_PATH, TDMREP_PATH)
    except ValueError:
        return False


class SiteFiles:
    """What the robots.txt and tdmrep.json of many hosts say, as they are met one by one in an archive.

    Kept by scheme and host, and bounded: beyond `MOST_KEPT` rules and statements of all hosts together, the
    host whose file was read first is forgotten.
    """

    def __init__(self) -> None:
        self._said: dict[str, tuple[RobotsRights, TdmRights]] = {}
        self._kept = 0

    def add(self, url: str, body: bytes, agent: str) -> None:
        """Reads a file, in place of an earlier one of its host. agent: as for `read_robots_rights`."""
        home = _home(url)
        robots, tdmrep = self._forget(home)
        if urlsplit(url).path == TDMREP_PATH:
            tdmrep = read_tdm_rights(body)
        else:
            robots = read_robots_rights(body[:MAX_ROBOTS_BYTES], agent)
        self._said[home] = robots, tdmrep
        self._kept += _size(robots, tdmrep)
        while self._kept > MOST_KEPT and len(self._said) > 1:
            self._forget(next(iter(self._said)))

    def rights_of(self, url: str) -> tuple[RightsStatement, ...]:
        """The statements for one page by the files of its host that were read so far."""
        said = self._said.get(_home(url))
        return (*said[0].of(url), *said[1].of(url)) if said else ()

    def _forget(self, home: str) -> tuple[RobotsRights, TdmRights]:
        said = self._said.pop(home, None)
        if said is None:
            return RobotsRights(), TdmRights()
        self._kept -= _size(*said)
        return said


def _size(robots: RobotsRights, tdmrep: TdmRights) -> int:
    return 1 + len(robots.everywhere) + len(robots.rules) + len(tdmrep.rules)


def _home(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _tdm_rules(values: list[object]) -> Iterator[SiteRule]:
    for value in values:
        if not isinstance(value, dict):
            continue
        pattern, reservation = value.get("location"), value.get("tdm-reservation")
        if not isinstance(pattern, str) or len(pattern) > _LONGEST_PATTERN or isinstance(reservation, bool):
            continue
        said = [RightsStatement("tdm-reservation", str(reservation), "tdmrep.json")]
        if isinstance(policy := value.get("tdm-policy"), str):
            said.append(RightsStatement("tdm-policy", policy, "tdmrep.json"))
        statements = clean_rights(said)
        # Without a valid reservation a rule says nothing, and the next one that matches decides.
        if statements and statements[0].name == "tdm-reservation":
            yield SiteRule(pattern.strip() or "/", statements)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        # A License is an address, which may have a fragment.
        if name.strip().lower() == "license":
            value = line.partition(":")[2]
        if colon and len(value) <= MAX_ADDRESS + MAX_VALUE:
            yield name.strip().lower(), value.strip()


def _path(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "/"
    path = unquote(parts.path) or "/"
    return f"{path}?{unquote(parts.query)}" if parts.query else path


def is_covered(pattern: str, url: str) -> bool:
    """Whether a pattern of paths matches the path of a page; too long a pattern matches none."""
    return len(pattern) <= _LONGEST_PATTERN and _matches(pattern, _path(url))


def _matches(pattern: str, path: str) -> bool:
    """Whether a path begins as the pattern says (RFC 9309, 2.2.3)."""
    is_whole = pattern.endswith("$")
    pieces = unquote(pattern.removesuffix("$")).split("*")
    if not path.startswith(pieces[0]):
        return False
    at = len(pieces[0])
    for piece in pieces[1:-1] if is_whole else pieces[1:]:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    if not is_whole:
        return True
    last = pieces[-1] if len(pieces) > 1 else ""
    return path.endswith(last) and len(path) - len(last) >= at if len(pieces) > 1 else len(path) == at
