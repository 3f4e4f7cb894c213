"""The rules of its own that a site has, and which pages they are for.

General rules say what is clutter on any site. What one outlet calls its newsletter, and which of its boxes is
a promotion, only somebody who reads that outlet can say; these rules are data that come with the settings.

A page is processed by the rules of the site that its article's own URL is on, and what is stored of it names
them beside the general rules: `2-a43f515f+gazette-1f2e3d4c` was made by the general rules `2-a43f515f` and
those of the site `gazette`, whose digest follows. So other rules of one site outdate the pages of that site,
and of no other one. The same holds for lines that were learned of a site (`pipeline.sites.learned_lines`),
whose digest comes last: `2-a43f515f~5e6f7a8b`, `2-a43f515f+gazette-1f2e3d4c~5e6f7a8b`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from pipeline.sites.learned_lines import LearnedLines
from pipeline.text import words_key

# Raised by hand when code changes what the same rules of a site make of a page.
SITE_RULES_REVISION = 1

# What of a line a phrase is looked for in; clutter.toml says what each means.
SCOPES = ("line", "tail", "head", "section", "comments")

# At the end of a version: what the site's rules take held too little text on this page, and was not followed.
_UNTAKEN = "!take"
# Before the digest of what was learned of the site.
_LEARNED = "~"
_MAX_PHRASE = 300
_MAX_GAPS = 8
_MAX_RULES = 200
# Shorter phrases say nothing: "a*" would take a third of a story out. (In Chinese two characters are a word.)
_MIN_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Phrase:
    """A line, or the end or start of one, that is clutter on one site.

    text: as it stands on the page, in any case; `*` stands for any characters, none included. scope: one of
    SCOPES. A line of more than `clean.SITE_MAX_CHARS` is left alone.
    Raises ValueError, with what to write instead, for a phrase that would be found everywhere.
    """

    text: str
    scope: str = "line"

    def __post_init__(self) -> None:
        text = self.text
        if not text.isprintable() or len(text) > _MAX_PHRASE:
            raise ValueError(
                f"{text[:60]!r} is no line of at most {_MAX_PHRASE} printable characters;"
                " write its beginning and '*'"
            )
        if max(sum(map(str.isalnum, part)) for part in text.split("*")) < _MIN_LETTERS:
            raise ValueError(f"{text!r} would be found in any line, or in none; write the words of the line")
        if text.count("*") > _MAX_GAPS:
            raise ValueError(f"{text!r} has more than {_MAX_GAPS} '*'; write more of the line's words")
        if self.scope not in SCOPES:
            raise ValueError(f"{self.scope!r} is no scope; write one of {', '.join(SCOPES)}")
        if self.scope == "tail" and text.lstrip().startswith("*"):
            raise ValueError(
                f"{text!r} begins with '*'; write the words that the tail of a paragraph begins with"
            )
        if self.scope == "head" and text.rstrip().endswith("*"):
            raise ValueError(
                f"{text!r} ends with '*'; write the words that the head of a paragraph ends with"
            )


@dataclass(frozen=True, slots=True)
class SiteRules:
    """One site's rules; a site that has none is known by its hosts all the same.

    key: the site, as the sites file calls it. hosts: lower-case, subdomains included.
    clutter: phrases that go. drop: selectors of elements that go, before the article is looked for.
    take: selectors of the elements in which alone it is looked for. keep: lines that stay though they were
    learned of the site; `*` as in a `Phrase`.
    Raises ValueError, with what to write instead, for a selector that is none.
    """

    key: str
    hosts: tuple[str, ...]
    clutter: tuple[Phrase, ...] = ()
    drop: tuple[str, ...] = ()
    take: tuple[str, ...] = ()
    keep: tuple[Phrase, ...] = ()

    def __post_init__(self) -> None:
        check_rule_count(self.clutter)
        check_rule_count(self.keep)
        check_selectors(self.drop)
        check_selectors(self.take)

    @property
    def selects(self) -> bool:
        """Whether they say in which elements the article is looked for."""
        return bool(self.drop or self.take)

    @property
    def version(self) -> str:
        """Names the site and its rules, e.g. `gazette-1f2e3d4c`; "" where it has none."""
        if not (self.clutter or self.drop or self.take or self.keep):
            return ""
        phrases = [(phrase.text, phrase.scope) for phrase in self.clutter]
        kept = [[phrase.text for phrase in self.keep]] if self.keep else []
        said = json.dumps([SITE_RULES_REVISION, phrases, self.drop, self.take, *kept])
        return f"{self.key}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"

    def rule_id(self, what: str, which: str) -> str:
        """How `removed_text` names one of the rules, e.g. `site.gazette.drop aside.related`."""
        return f"site.{self.key}.{what} {which}"

    def keeps(self, fold: str) -> bool:
        """Whether a line, as `words_key` gives it, is to stay though it was learned."""
        return any(
            fnmatchcase(fold, "*".join(words_key(part) for part in phrase.text.split("*")))
            for phrase in self.keep
        )


def check_rule_count(rules: Sequence[object]) -> None:
    """Raises ValueError where these are more rules of one kind than a site may have."""
    if len(rules) > _MAX_RULES:
        raise ValueError(f"{len(rules)} are more than {_MAX_RULES}; join some, with '*' or with commas")


def check_selectors(selectors: Sequence[str]) -> None:
    """Raises ValueError with what is wrong with the first bad selector, and what to write instead."""
    check_rule_count(selectors)
    if not selectors:
        return
    from pipeline.page import check_selector

    for selector in selectors:
        check_selector(selector)


@dataclass(frozen=True, slots=True)
class SiteRulebook:
    """The sites of a sites file with their rules. True where any site has some.

    learned: lines that were learned of sites, whether they stand in a sites file or not.
    Raises ValueError where two sites have rules for one host.
    """

    sites: tuple[SiteRules, ...] = ()
    learned: tuple[LearnedLines, ...] = ()
    _by_host: dict[str, SiteRules] = field(default_factory=dict, init=False, repr=False, compare=False)
    _by_key: dict[str, SiteRules] = field(default_factory=dict, init=False, repr=False, compare=False)
    _learned_of: dict[str, LearnedLines] = field(default_factory=dict, init=False, repr=False, compare=False)
    _has_rules: bool = field(default=False, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for site in self.sites:
            self._by_key[site.key] = site
            for host in site.hosts:
                other = self._by_host.get(host)
                if other is not None and other.version and site.version:
                    raise ValueError(
                        f"site {site.key}: rules: site {other.key} has rules for {host} already;"
                        " put all of them there"
                    )
                if other is None or site.version:
                    self._by_host[host] = site
        self._learned_of.update((lines.site, lines) for lines in self.learned)
        object.__setattr__(self, "_has_rules", any(site.version for site in self.sites))

    def __bool__(self) -> bool:
        return self._has_rules

    def of_host(self, host: str) -> SiteRules | None:
        """The site that a host belongs to: of those with the host or a domain above it, the closest."""
        if not self._by_host:
            return None
        return next((self._by_host[name] for name in _domains(host) if name in self._by_host), None)

    def learned_of(self, site: str) -> LearnedLines | None:
        """What was learned of a site, `Article.site`; of that very host, since each prints its own lines."""
        return self._learned_of.get(site)

    @property
    def depends_on_site(self) -> bool:
        """Whether a version can be outdated on one site and not on another."""
        return bool(self.sites or self.learned)

    def version(self, general: str, host: str) -> str:
        """The version that an article on the host has when it is made by today's rules.

        general: `Settings.rules_version`.
        """
        return combined_version(general, self.of_host(host), self.learned_of(host))

    def is_outdated(self, version: str, general: str, host: str) -> bool:
        """Whether other rules than today's made an article on the host, or other lines were learned of its
        site then; False where `is_foreign`.
        """
        if version == general and not self and not self.learned:
            return False
        return not self.is_foreign(version, host) and _bare(version) != self.version(general, host)

    def is_outdated_but_for_learning(self, version: str, general: str, host: str) -> bool:
        """As `is_outdated`, whatever was learned of the site: so that a document which comes again is not
        done again after every lesson. What is learned applies to what is new, and to all by reprocessing.
        """
        version = _unlearned(version)
        if version == general and not self:  # nearly always, and of every document that comes again
            return False
        own = combined_version(general, self.of_host(host))
        return not self.is_foreign(version, host) and _bare(version) != own

    def is_outdated_rejection(self, version: str, general: str, host: str) -> bool:
        """Whether other rules than today's turned a document away; False where `is_foreign`.

        host: of the document's URL, which is not always the site's: a saved page names its site by its
        canonical link. So the site by whose rules it was turned away is asked first.
        """
        made_by = self._by_key.get(_key(version))
        if made_by is not None and made_by.version:
            return _bare(version) != combined_version(general, made_by)
        return self.is_outdated_but_for_learning(version, general, host)  # nothing is turned away by lines

    def is_foreign(self, version: str, host: str) -> bool:
        """Whether it was made by rules of a site that is not among these: of these rules it cannot be said
        whether they would make something else of it, so it is left as it is.
        """
        key = _key(version)
        return bool(key) and key not in self._by_key and self.of_host(host) is None


NO_SITE_RULES = SiteRulebook()


def combined_version(
    general: str,
    rules: SiteRules | None,
    learned: LearnedLines | None = None,
    *,
    is_take_ignored: bool = False,
) -> str:
    """The version of what the general rules, those of a site, and what was learned of it made."""
    own = rules.version if rules is not None else ""
    made = f"{general}+{own}" if own else general
    if learned is not None:
        made += f"{_LEARNED}{learned.version}"
    return f"{made}{_UNTAKEN}" if own and is_take_ignored else made


def site_of_version(version: str) -> tuple[str, bool]:
    """The site whose rules made what has this version ("" for none), and whether its `take` was ignored."""
    return _key(version), version.endswith(_UNTAKEN)


def _bare(version: str) -> str:
    return version.removesuffix(_UNTAKEN)


def _unlearned(version: str) -> str:
    return version.partition(_LEARNED)[0]


def _key(version: str) -> str:
    return _unlearned(version).partition("+")[2].rpartition("-")[0]


def _domains(host: str) -> Iterator[str]:
    """The host, and every domain above it, closest first."""
    while host:
        yield host
        host = host.partition(".")[2]
