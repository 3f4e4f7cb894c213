"""Decides which watchlists an article matches, for many watchlists at once, without a query to the database.

An article is matched by the words that full-text search indexes of it, with the parsed query that search
writes out for the database. So a watchlist matches what `storage.reader.search` finds; a test holds it.

An inverted index leads from what an article must have to the watchlists that require it. Of each watchlist
one requirement is in the index: one clause of its query, of which every alternative gives a word, the
beginning of a word, or else a site, agency or language. Few watchlists are left for an article, and only
these are evaluated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pipeline.document import SearchWords
from pipeline.text import make_search_words
from storage.search import Query, Term, parse_query
from storage.watching.watchlists import Rule

# What a watchlist requires that is no word: words have no such character.
_SITE, _AGENCY, _LANGUAGE = "\0site ", "\0agency ", "\0language "
# How much more selective than a letter of a word a whole word is than the beginning of one.
_WHOLE_WORD = 4


@dataclass(frozen=True, slots=True)
class WatchedText:
    """What a watchlist looks at in an article. site_key: of its site in the sites file."""

    site: str
    site_key: str | None
    language: str | None
    agency: str | None
    words: SearchWords

    @classmethod
    def of(
        cls, title: str, text: str, site: str, site_key: str | None, language: str | None, agency: str | None
    ) -> WatchedText:
        return cls(site, site_key, language, agency, make_search_words(title, text))


class Matcher:
    """Watchlists by numbers of the caller's, ready to be asked which of them an article matches."""

    def __init__(self, rules: Iterable[tuple[int, Rule]]) -> None:
        self._tests: dict[int, _Test] = {}
        self._requiring: defaultdict[str, list[int]] = defaultdict(list)
        # By the length of the beginning.
        self._beginning: defaultdict[int, defaultdict[str, list[int]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._of_any: list[int] = []
        for number, rule in rules:
            query = parse_query(rule.query) if rule.query else None
            self._tests[number] = _Test(rule, query)
            self._enter(number, rule, query)

    def _enter(self, number: int, rule: Rule, query: Query | None) -> None:
        if query is not None:
            for required in max(map(_requirements, query.clauses), key=_selectivity):
                if required.begins:
                    self._beginning[len(required.word)][required.word].append(number)
                else:
                    self._requiring[required.word].append(number)
        elif rule.site is not None:
            self._requiring[_SITE + rule.site].append(number)
        elif rule.agency is not None:
            self._requiring[_AGENCY + rule.agency].append(number)
        elif rule.language is not None:
            self._requiring[_LANGUAGE + rule.language].append(number)
        else:
            self._of_any.append(number)

    def matches(self, text: WatchedText) -> list[int]:
        """The numbers of the watchlists that the article matches, in ascending order."""
        words = _Words(text.words)
        return sorted(
            number for number in self._candidates(text, words) if self._tests[number].holds(text, words)
        )

    def _candidates(self, text: WatchedText, words: _Words) -> set[int]:
        found = set(self._of_any)
        for word in self._requiring.keys() & words.all:
            found.update(self._requiring[word])
        for name in _names(text):
            found.update(self._requiring.get(name, ()))
        for length, beginnings in self._beginning.items():
            for beginning in beginnings.keys() & {word[:length] for word in words.all}:
                found.update(beginnings[beginning])
        return found


def _names(text: WatchedText) -> Iterator[str]:
    yield _SITE + text.site
    if text.site_key is not None:
        yield _SITE + text.site_key
    if text.agency is not None:
        yield _AGENCY + text.agency
    if text.language is not None:
        yield _LANGUAGE + text.language


@dataclass(frozen=True, slots=True)
class _Required:
    """A word that an article must have, or the beginning of one."""

    word: str
    begins: bool


def _requirements(clause: tuple[Term, ...]) -> list[_Required]:
    """One word of every alternative of a clause: the longest that is given whole, if one is."""
    found = []
    for term in clause:
        whole = _whole_words(term)
        found.append(_Required(max(whole, key=len), False) if whole else _Required(term.words[-1], True))
    return found


def _selectivity(required: list[_Required]) -> int:
    """Long words are rare; a clause is as selective as its most frequent alternative."""
    return min(len(one.word) + (0 if one.begins else _WHOLE_WORD) for one in required)


class _Words:
    """The words of an article, for the tests of terms. A phrase is within the title or within the text."""

    __slots__ = ("_text", "_title", "all")

    def __init__(self, given: SearchWords) -> None:
        self._title, self._text = f" {given.title} ", f" {given.text} "
        self.all = frozenset((self._title + self._text).split())

    def have(self, needle: str) -> bool:
        """needle: words in a row with a blank before each, and after the last one if it is whole."""
        return needle in self._text or needle in self._title


def _whole_words(term: Term) -> tuple[str, ...]:
    """The words of a term that are given whole."""
    return term.words[:-1] if term.begins else term.words


def _test_of(term: Term) -> Callable[[_Words], bool]:
    word = term.words[0]
    if len(term.words) > 1 or term.begins:
        needle = "".join(f" {one}" for one in term.words) + ("" if term.begins else " ")
        return lambda words: words.have(needle)
    return lambda words: word in words.all


class _Test:
    """The conditions of one watchlist.

    The words that an article must have whatever alternatives there are, are looked up first and all at once:
    that settles most candidates.
    """

    __slots__ = ("_clauses", "_excluded", "_needed", "_rule")

    def __init__(self, rule: Rule, query: Query | None) -> None:
        self._rule = rule
        clauses = query.clauses if query else ()
        only = [clause[0] for clause in clauses if len(clause) == 1]
        self._needed = frozenset(word for term in only for word in _whole_words(term))
        # What `_needed` does not say already.
        left = [
            clause for clause in clauses if len(clause) > 1 or clause[0].begins or len(clause[0].words) > 1
        ]
        self._clauses = [[_test_of(term) for term in clause] for clause in left]
        self._excluded = [_test_of(term) for term in query.excluded] if query else []

    def holds(self, text: WatchedText, words: _Words) -> bool:
        rule = self._rule
        return (
            self._needed <= words.all
            and (rule.site is None or rule.site in (text.site, text.site_key))
            and (rule.language is None or rule.language == text.language)
            and (rule.agency is None or rule.agency == text.agency)
            and all(any(test(words) for test in clause) for clause in self._clauses)
            and not any(test(words) for test in self._excluded)
        )
