"""Renews transcripts on the pages of the documentation: `make transcripts`.

A transcript is not replaced by what its command prints: its omissions, `[…]` and `word…`, and its layout
stay. Words are aligned, and those that differ are replaced, taken out or put in.
"""

from __future__ import annotations

import os
import re

# Set by `make transcripts`.
IS_WANTED = os.environ.get("TRANSCRIPTS") == "renew"

_GAP = "[…]"


def renewed(said: str, printed: str) -> str:
    """The transcript `said` with the words that its command prints now."""
    parts = re.findall(r"(\s*)(\S+)", said)
    words = [(word, line) for line, text in enumerate(printed.splitlines()) for word in text.split()]
    out: list[str] = []
    i = j = 0
    costs = _costs([word for _, word in parts], words)
    while i < len(parts) or j < len(words):
        blank, word = parts[i] if i < len(parts) else ("", "")
        cost = costs[i][j]
        if i < len(parts) and word == _GAP:
            if cost == costs[i + 1][j]:
                out += [blank, word]
                i += 1
            else:
                j += 1
        elif (
            i < len(parts)
            and j < len(words)
            and cost == _cost(word, words[j][0]) + costs[i + 1][_after(word, words, j)]
        ):
            new = word if _cost(word, words[j][0]) == 0 else words[j][0] + ("…" if _is_cut(word) else "")
            out += [_fitted(blank, out), new]
            if i + 1 < len(parts) and "\n" not in parts[i + 1][0] and len(parts[i + 1][0]) > 1:
                width = len(parts[i + 1][0]) + len(word) - len(new)
                parts[i + 1] = (" " * max(width, 2), parts[i + 1][1])
            i, j = i + 1, _after(word, words, j)
        elif i < len(parts) and cost == 1 + costs[i + 1][j]:
            i += 1
        else:
            is_new_line = j > 0 and words[j][1] != words[j - 1][1]
            out += ["\n" if is_new_line and out else " " if out else "", words[j][0]]
            j += 1
    return "".join(out) + ("\n" if said.endswith("\n") else "")


def _fitted(blank: str, out: list[str]) -> str:
    """At least a blank between two words."""
    return blank or (" " if out else "")


def _is_cut(word: str) -> bool:
    return word.endswith("…") and len(word) > 1


def _cost(said: str, printed: str) -> int:
    if _is_cut(said):
        return int(not printed.startswith(said[:-1]))
    is_version = re.compile(r"\d+-[0-9a-f]{8}").fullmatch
    return int(said != printed and not (is_version(said) and is_version(printed)))


def _after(word: str, words: list[tuple[str, int]], j: int) -> int:
    """The printed word behind the one at j, which `word` is; a cut word takes the rest of its line."""
    if not _is_cut(word):
        return j + 1
    line = words[j][1]
    return next((k for k in range(j + 1, len(words)) if words[k][1] != line), len(words))


def _costs(said: list[str], words: list[tuple[str, int]]) -> list[list[int]]:
    """costs[i][j]: how many words differ at least between said[i:] and words[j:]."""
    last = len(words)
    costs = [[0] * (last + 1) for _ in range(len(said) + 1)]
    costs[-1] = [last - j for j in range(last + 1)]
    for i in range(len(said) - 1, -1, -1):
        is_gap = said[i] == _GAP
        for j in range(last, -1, -1):
            best = costs[i + 1][j] + (not is_gap)
            if j < last:
                best = min(best, costs[i][j + 1] + (not is_gap))
                if not is_gap:
                    best = min(best, _cost(said[i], words[j][0]) + costs[i + 1][_after(said[i], words, j)])
            costs[i][j] = best
    return costs
