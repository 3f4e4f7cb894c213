"""Texts that every match of a regular expression contains, read off the parsed expression.

`literal in line` is many times quicker than a pattern that begins with any text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from re import _parser  # type: ignore[attr-defined]
from typing import Any

# A parsed pattern: pairs of operation and argument, as the standard library's parser gives them.
_Parsed = Sequence[tuple[Any, Any]]
# Sets of texts: a match has at least one text of each set.
Required = Sequence[Sequence[str]]
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


def required_literals(expression: str) -> Required:
    """Sets of texts, the most selective first: every match has at least one text of every set.

    Empty if there are no such texts, or only punctuation and blanks.
    """
    found = {literals for literals in _required(_parser.parse(expression)) if _selectivity(literals)[0]}
    ordered = sorted(found, key=lambda literals: (_selectivity(literals), sorted(literals)), reverse=True)
    return tuple(tuple(sorted(literals)) for literals in ordered)


def narrowed(required: Required, text: str) -> Required:
    """The literals of each set that the text has; nothing if it has none of a set, and so no match."""
    found: list[Sequence[str]] = []
    for literals in required:
        here = [literal for literal in literals if literal in text]
        if not here:
            return ()
        found.append(here)
    return found


def begins_with_any_text(expression: str) -> bool:
    """Whether a match may begin with a run of characters of many kinds, as with `.{0,200}`."""
    return _begins_with_any_text(_parser.parse(expression))


def _required(parsed: _Parsed) -> list[frozenset[str]]:
    """Sets of texts of each of which a match of this sequence has one."""
    found: list[frozenset[str]] = []
    run = ""
    for operation, argument in parsed:
        name = str(operation)
        if name == "LITERAL":
            run += chr(argument)
            continue
        found.append(frozenset({run}))
        run = ""
        if name == "SUBPATTERN":
            found += _required(argument[-1])
        elif name == "ATOMIC_GROUP":
            found += _required(argument)
        elif name == "BRANCH":
            best = [max(_required(branch), key=_selectivity) for branch in argument[1]]
            found.append(frozenset().union(*best))
        elif name in _REPEATS and argument[0] > 0:
            found += _required(argument[2])
    return [*found, frozenset({run})]


def _selectivity(literals: Iterable[str]) -> tuple[int, int]:
    """Long texts are rarer, and few are tested quickly. 0 comes first for a set that says nothing."""
    lengths = [len(literal.strip(" .,:;-'(")) for literal in literals]
    return min(lengths), -len(lengths)


def _begins_with_any_text(parsed: _Parsed) -> bool:
    for operation, argument in parsed:
        name = str(operation)
        if name == "SUBPATTERN":
            return _begins_with_any_text(argument[-1])
        if name == "BRANCH":
            return any(_begins_with_any_text(branch) for branch in argument[1])
        if name in _REPEATS:
            least, _, repeated = argument
            if _is_any(*repeated[0]) or _begins_with_any_text(repeated):
                return True
            if least > 0:
                return False
        elif name not in ("AT", "ASSERT", "ASSERT_NOT"):
            return False
    return False


def _is_any(operation: Any, argument: Any) -> bool:
    """Whether a part matches one of many characters: `.`, `[^.]` or `[\\w-]`, not `[0-9]`."""
    if str(operation) != "IN":
        return str(operation) in ("ANY", "NOT_LITERAL")
    return any(str(kind) == "NEGATE" or str(value) == "CATEGORY_WORD" for kind, value in argument)
