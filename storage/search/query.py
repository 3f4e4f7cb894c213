"""The query language of full-text search: parsed into a small tree, and written out for each database.

    words            all must occur, in any order, in the title or the text
    "quoted words"   next to each other, in this order
    -word  -"…"      must not occur (NOT before it means the same)
    one OR other     either; binds closer than the blank between words, so `a b OR c` is a and (b or c)
    begin*           any word that begins so; also the last word of a quotation
    AND              means the same as a blank

All other characters (brackets, colons, quotation marks without an end) separate words and mean nothing.
So every text is a query, and only one without a word to look for is an error. `pipeline.text.folded_words`
defines a word: a written word that is several (`4.25`, `don't`, a Chinese sentence) is searched as if it were
quoted.

Both written forms are bound as parameters, and hold only words, quotation marks and operators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile

from pipeline.errors import OperatorError
from pipeline.text import STOPS, FoldedWord, folded_words, query_words

# Most words of a query. Each word of a quotation and each character of a script without spaces counts.
MOST_WORDS = 200

# Most words of a snippet, where a character of a script without spaces counts as half a word; and characters.
SNIPPET_WORDS = 30
_SNIPPET_CHARACTERS = 500
# The largest part of a snippet that may stand before its first match.
_LEAD = 0.4

_TOKEN = re.compile(
    r"""(?P<minus>-?)(?:["“”„«»](?P<quoted>[^"“”„«»]*)["“”„«»]?(?P<star>\*?)|(?P<bare>[^\s"“”„«»]+))"""
)

_SENTENCE_END = re.compile(rf"[{STOPS}\n]")


class QueryError(OperatorError):
    """Raised for a query without words, or with too many. The message is one line with an example."""


@dataclass(frozen=True, slots=True)
class Term:
    """Consecutive words. begins: of the last one only the beginning is given."""

    words: tuple[str, ...]
    begins: bool


@dataclass(frozen=True, slots=True)
class Query:
    """One term of every clause must occur, and none of the excluded ones."""

    clauses: tuple[tuple[Term, ...], ...]
    excluded: tuple[Term, ...]

    @property
    def wanted(self) -> tuple[Term, ...]:
        """Every term that may occur, once, in the order of the query."""
        return tuple(dict.fromkeys(term for clause in self.clauses for term in clause))


@dataclass(frozen=True, slots=True)
class Snippet:
    """Part of a text, one line, with an ellipsis where it was cut.

    marks: the places of the matches in it, [start, end) each, in order and without overlap.
    """

    text: str
    marks: tuple[tuple[int, int], ...]

    def marked(self, before: str, after: str) -> str:
        """The text with something before and after each match."""
        parts, at = [], 0
        for start, end in self.marks:
            parts += [self.text[at:start], before, self.text[start:end], after]
            at = end
        return "".join([*parts, self.text[at:]])


def parse_query(query: str) -> Query:
    """Parses a query; raises QueryError if it has no word, or more than MOST_WORDS."""
    clauses: list[tuple[Term, ...]] = []
    excluded: list[Term] = []
    is_alternative = is_negated = False
    for token in _TOKEN.finditer(query):
        bare = token["bare"]
        if bare is not None and not token["minus"]:
            if bare == "AND":
                continue
            if bare == "NOT":
                is_negated = True
                continue
            if bare == "OR":
                is_alternative = bool(clauses)
                continue
        term = _term(token["quoted"] if bare is None else bare, bool(token["star"]))
        if term is None:
            continue
        if token["minus"] or is_negated:
            excluded.append(term)
        elif is_alternative:
            clauses[-1] = (*clauses[-1], term)
        else:
            clauses.append((term,))
        is_alternative = is_negated = False
    if not clauses:
        shown = " ".join(query.split())
        raise QueryError(
            f"nothing to look for in {shown[:60]!r}: write words that must occur,"
            ' as in ferry, "runs aground" or ferr* -strike'
        )
    once = dict.fromkeys(tuple(dict.fromkeys(clause)) for clause in clauses)
    found = Query(tuple(once), tuple(dict.fromkeys(excluded)))
    if sum(len(term.words) for clause in (*found.clauses, found.excluded) for term in clause) > MOST_WORDS:
        raise QueryError(f"more than {MOST_WORDS} words in one query: use fewer")
    return found


def _term(written: str, has_star: bool) -> Term | None:
    found, goes_on = query_words(written)
    if not found:
        return None
    # In a script without spaces any part of a run is found, so a star adds nothing.
    has_star = (has_star or written.endswith("*")) and not _ends_unspaced(written)
    return Term(found, goes_on or has_star)


def _ends_unspaced(written: str) -> bool:
    return [word.unspaced for word in folded_words(written)][-1]


def as_fts5(query: Query) -> str:
    """The query as SQLite's FTS5 takes it (https://sqlite.org/fts5.html#full_text_query_syntax)."""
    wanted = " AND ".join(f"({' OR '.join(map(_fts5_term, clause))})" for clause in query.clauses)
    if not query.excluded:
        return wanted
    return f"({wanted}) NOT ({' OR '.join(map(_fts5_term, query.excluded))})"


def _fts5_term(term: Term) -> str:
    return f'"{" ".join(term.words)}"' + (" *" if term.begins else "")


def as_tsquery(query: Query) -> str:
    """The query as a tsquery of PostgreSQL. None of it goes through PostgreSQL's text search parser."""
    wanted = " & ".join(f"({' | '.join(map(_tsquery_term, clause))})" for clause in query.clauses)
    return wanted + "".join(f" & !({_tsquery_term(term)})" for term in query.excluded)


def _tsquery_term(term: Term) -> str:
    return " <-> ".join(f"'{word}'" for word in term.words) + (":*" if term.begins else "")


@dataclass(frozen=True, slots=True)
class _Match:
    """An occurrence of a term. first, last: numbers of its words in the text; start, end: its characters."""

    term: int
    first: int
    last: int
    start: int
    end: int


def make_snippet(text: str, query: Query) -> Snippet:
    """The part of the text, about 30 words, with the most terms of the query, and of equals the most matches.

    The beginning of the text if there is no match, because then the title has them. Cut between words.
    """
    found = list(folded_words(text))
    if not found:
        return Snippet("", ())
    matches = list(_matches(found, query.wanted))
    first, last = _window(text, found, matches)
    start, end = found[first].start, found[last].end
    while first == 0 and start > 0 and not text[start - 1].isspace():
        start -= 1
    while (
        end < len(text)
        and not text[end].isspace()
        and (last + 1 == len(found) or end < found[last + 1].start)
    ):
        end += 1
    before, after = "…" if first > 0 else "", "…" if last + 1 < len(found) else ""
    shift = len(before) - start
    marks = _merged((m.start + shift, m.end + shift) for m in matches if start <= m.start and m.end <= end)
    return _clipped(before + re.sub(r"\s", " ", text[start:end]) + after, marks)


def _matches(found: Sequence[FoldedWord], terms: Sequence[Term]) -> Iterator[_Match]:
    """The occurrences of the terms, in the order of the text."""
    by_first: dict[str, list[int]] = {}
    beginnings: list[int] = []
    for number, term in enumerate(terms):
        if term.begins and len(term.words) == 1:
            beginnings.append(number)
        else:
            by_first.setdefault(term.words[0], []).append(number)
    for at, word in enumerate(found):
        for number in (*by_first.get(word.text, ()), *beginnings):
            term = terms[number]
            last = at + len(term.words) - 1
            if last < len(found) and _occurs_at(found, at, term):
                end = found[last].end
                if term.begins and found[last].unspaced:
                    end = min(end, found[last].start + len(term.words[-1]))
                yield _Match(number, at, last, word.start, end)


def _occurs_at(found: Sequence[FoldedWord], at: int, term: Term) -> bool:
    *whole, last = term.words
    here = found[at + len(whole)].text
    return (here.startswith(last) if term.begins else here == last) and all(
        found[at + n].text == word for n, word in enumerate(whole)
    )


def _window(text: str, found: Sequence[FoldedWord], matches: Sequence[_Match]) -> tuple[int, int]:
    """The first and the last word of the part to show."""
    up_to = list(accumulate((0.5 if word.unspaced else 1.0 for word in found), initial=0.0))

    def length(first: int, last: int) -> float:
        return up_to[last + 1] - up_to[first]

    first, last, best = 0, 0, (0, 0)
    for n, match in enumerate(matches):
        within = list(
            takewhile(lambda m, match=match: length(match.first, m.last) <= SNIPPET_WORDS, matches[n:])  # type: ignore[misc]
        )
        score = (len({m.term for m in within}), len(within))
        if score > best:
            best, first, last = score, match.first, max(m.last for m in within)
    room = min(SNIPPET_WORDS * _LEAD, SNIPPET_WORDS - length(first, last))
    begun = first
    while first > 0 and length(first - 1, begun) - length(begun, begun) <= room:
        if _SENTENCE_END.search(text, found[first - 1].end, found[first].start):
            break
        first -= 1
    while last + 1 < len(found) and length(first, last + 1) <= SNIPPET_WORDS:
        last += 1
    while first > 0 and length(first - 1, last) <= SNIPPET_WORDS:
        first -= 1
    return first, last


def _merged(marks: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The marks in order; those that touch or overlap are joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _clipped(text: str, marks: tuple[tuple[int, int], ...]) -> Snippet:
    """At most 500 characters of it, around the first mark: a word may have thousands."""
    if len(text) <= _SNIPPET_CHARACTERS:
        return Snippet(text, marks)
    start = max(0, marks[0][0] - 100) if marks else 0
    end = start + _SNIPPET_CHARACTERS
    kept = ((max(a, start) - start, min(b, end) - start) for a, b in marks if a < end and b > start)
    return Snippet(text[start:end], tuple(kept))
