"""Rules of single sites, and the versions that name them in stored rows.

General rules describe clutter that any site may have. The name of one outlet's newsletter, or the class of
its promotion boxes, is known only to somebody who reads that outlet. Such rules are data in the settings.

A page is processed with the rules of the site that its article's own URL is on. The stored version names
them after the general rules: `2-a43f515f+gazette-1f2e3d4c` means the general rules `2-a43f515f` and the rules
of the site `gazette` with their digest. So a change of one site's rules makes only the pages of that site
outdated. The same holds for lines that were learned of a site (`pipeline.sites.learned_lines`), whose digest
comes last: `2-a43f515f~5e6f7a8b`, `2-a43f515f+gazette-1f2e3d4c~5e6f7a8b`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from pipeline.sites.learned_lines import LearnedLines
from pipeline.text import words_key

# Raised by hand when code changes the text that the same rules of a site give.
SITE_RULES_REVISION = 1

# The part of a line or text that a phrase must match. clutter.toml explains them.
SCOPES = ("line", "tail", "head", "section", "comments")

# The extractors that find the article of a page (`pipeline.extract.extractors`), the default first.
EXTRACTORS = ("copydesk", "trafilatura")
# Suffixes of a version: Trafilatura could not read the page; and the site's `take` rules were ignored,
# because they selected too little text.
WITHOUT_TRAFILATURA = "!trafilatura"
_UNTAKEN = "!take"
# Separates the digest of the site's learned lines.
_LEARNED = "~"
_MAX_PHRASE = 300
_MAX_GAPS = 8
_MAX_RULES = 200
# Shorter phrases match too much, such as "a*". (In Chinese two characters are a word.)
_MIN_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Phrase:
    """A line, or the end or start of one, that is clutter on one site.

    text: as printed on the page, in any case; `*` matches any characters, also none.
    scope: one of SCOPES.
    A line of more than `clean.SITE_MAX_CHARS` characters is never removed.
    Raises ValueError, with what to write instead, for a phrase that would match everywhere.
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
    """One site's hosts and rules. A site may have no rules.

    key: name of the site in the sites file. hosts: lower-case; they include their subdomains.
    clutter: phrases to remove.
    drop: selectors of elements that are removed before the article is searched for.
    take: selectors of the elements in which the article is searched for; nothing outside them is used.
    keep: lines that are kept although they were learned of the site; `*` as in a `Phrase`.
    extractor: one of `EXTRACTORS`, which finds the article on the site's pages; "" for that of the settings.
    Raises ValueError, with what to write instead, for an invalid selector or extractor.
    """

    key: str
    hosts: tuple[str, ...]
    clutter: tuple[Phrase, ...] = ()
    drop: tuple[str, ...] = ()
    take: tuple[str, ...] = ()
    keep: tuple[Phrase, ...] = ()
    extractor: str = ""

    def __post_init__(self) -> None:
        check_extractor(self.extractor)
        check_rule_count(self.clutter)
        check_rule_count(self.keep)
        check_selectors(self.drop)
        check_selectors(self.take)

    @property
    def selects(self) -> bool:
        """Whether they have selectors, which change where the article is searched for."""
        return bool(self.drop or self.take)

    @property
    def version(self) -> str:
        """Names the site and its rules, e.g. `gazette-1f2e3d4c`; "" if it has no rules."""
        if not (self.clutter or self.drop or self.take or self.keep or self.extractor):
            return ""
        phrases = [(phrase.text, phrase.scope) for phrase in self.clutter]
        kept = [[phrase.text for phrase in self.keep]] if self.keep else []
        extractor = [{"extractor": self.extractor}] if self.extractor else []
        data = json.dumps([SITE_RULES_REVISION, phrases, self.drop, self.take, *kept, *extractor])
        return f"{self.key}-{hashlib.sha256(data.encode()).hexdigest()[:8]}"

    def rule_id(self, what: str, which: str) -> str:
        """The name of one of the rules in `removed_text`, e.g. `site.gazette.drop aside.related`."""
        return f"site.{self.key}.{what} {which}"

    def keeps(self, fold: str) -> bool:
        """Whether a line, as `words_key` gives it, is kept although it was learned."""
        return any(
            fnmatchcase(fold, "*".join(words_key(part) for part in phrase.text.split("*")))
            for phrase in self.keep
        )


def check_extractor(name: str) -> None:
    """Raises ValueError for a name that is neither empty nor one of `EXTRACTORS`."""
    if name and name not in EXTRACTORS:
        raise ValueError(f"{name!r} is no extractor; write one of {', '.join(EXTRACTORS)}")


def check_rule_count(rules: Sequence[object]) -> None:
    """Raises ValueError for more rules of one kind than a site may have."""
    if len(rules) > _MAX_RULES:
        raise ValueError(f"{len(rules)} are more than {_MAX_RULES}; join some, with '*' or with commas")


def check_selectors(selectors: Sequence[str]) -> None:
    """Raises ValueError for the first invalid selector, with the error and what to write instead."""
    check_rule_count(selectors)
    if not selectors:
        return
    from pipeline.page import check_selector

    for selector in selectors:
        check_selector(selector)


@dataclass(frozen=True, slots=True)
class SiteRulebook:
    """The sites of a sites file with their rules. True if any site has rules.

    learned: learned lines of sites, which need not be in a sites file. keys: by host, the keys of sites whose
    rules are not applied.
    Raises ValueError if two sites have rules for one host.
    """

    sites: tuple[SiteRules, ...] = ()
    learned: tuple[LearnedLines, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict, compare=False)
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
        """The site of a host: the one that lists the host or, if none does, the closest domain above it."""
        if not self._by_host:
            return None
        return next((self._by_host[name] for name in _domains(host) if name in self._by_host), None)

    def key_of(self, host: str) -> str | None:
        """The key in the sites file of a host's site; None if the sites file has no such site."""
        site = self.of_host(host)
        if site is not None:
            return site.key
        return next((self.keys[name] for name in _domains(host) if name in self.keys), None)

    def learned_of(self, site: str) -> LearnedLines | None:
        """The learned lines of a site (`Article.site`), without those of domains above it."""
        return self._learned_of.get(site)

    @property
    def depends_on_site(self) -> bool:
        """Whether a version can be outdated on one site and current on a different one."""
        return bool(self.sites or self.learned)

    def version(self, general: str, host: str) -> str:
        """The version of an article on the host if it is made with the current rules.

        general: `Settings.rules_version`.
        """
        return combined_version(general, self.of_host(host), self.learned_of(host))

    def is_outdated(self, version: str, general: str, host: str) -> bool:
        """Whether an article on the host was made with rules or learned lines that are not the current ones.

        False if `is_foreign`.
        """
        if version == general and not self and not self.learned:
            return False
        return not self.is_foreign(version, host) and _bare(version) != self.version(general, host)

    def is_outdated_but_for_learning(self, version: str, general: str, host: str) -> bool:
        """As `is_outdated`, but ignores learned lines.

        Used for documents that are fetched again, which are not processed again each time a line is learned.
        Learned lines apply to new documents, and to stored ones when these are reprocessed.
        """
        version = _unlearned(version)
        if version == general and not self:  # the usual case for documents that are fetched again
            return False
        own = combined_version(general, self.of_host(host))
        return not self.is_foreign(version, host) and _bare(version) != own

    def is_outdated_rejection(self, version: str, general: str, host: str) -> bool:
        """Whether a document was rejected with different rules than the current ones; False if `is_foreign`.

        host: host of the document's URL. It may differ from the site's, because the site of a saved page is
        known from its canonical link. So the site whose rules rejected the document is checked first.
        """
        made_by = self._by_key.get(_key(version))
        if made_by is not None and made_by.version:
            return _bare(version) != combined_version(general, made_by)
        return self.is_outdated_but_for_learning(version, general, host)  # learned lines reject nothing

    def is_foreign(self, version: str, host: str) -> bool:
        """Whether the version names a site that is not in this rulebook.

        It is then unknown whether the result would change, so such a row is left unchanged.
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
    is_without_trafilatura: bool = False,
) -> str:
    """The version for the general rules, the rules of a site, and its learned lines.

    What went wrong on a page comes last: `2-a43f515f!trafilatura`.
    """
    own = rules.version if rules is not None else ""
    made = f"{general}+{own}" if own else general
    if learned is not None:
        made += f"{_LEARNED}{learned.version}"
    if is_without_trafilatura:
        made += WITHOUT_TRAFILATURA
    return f"{made}{_UNTAKEN}" if own and is_take_ignored else made


def site_of_version(version: str) -> tuple[str, bool]:
    """The site whose rules a version names ("" for none), and whether its `take` rules were ignored."""
    return _key(version), version.endswith(_UNTAKEN)


def is_without_trafilatura(version: str) -> bool:
    """Whether a version says that Trafilatura could not read the page."""
    return version.removesuffix(_UNTAKEN).endswith(WITHOUT_TRAFILATURA)


def _bare(version: str) -> str:
    return version.removesuffix(_UNTAKEN).removesuffix(WITHOUT_TRAFILATURA)


def _unlearned(version: str) -> str:
    return version.partition(_LEARNED)[0]


def _key(version: str) -> str:
    return _unlearned(version).partition("+")[2].rpartition("-")[0]


def _domains(host: str) -> Iterator[str]:
    """The host and every domain above it, closest first."""
    while host:
        yield host
        host = host.partition(".")[2]
