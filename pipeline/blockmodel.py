"""Judges each block of a page by a trained model: how likely it belongs to the article.

What an extractor keeps is right for most blocks; the rest is told from the story by where it stands:
how much text and how many links its containers hold, what the neighbours are, what the template calls
it. Gradient-boosted trees weigh that evidence. `benchmarks/train_blocks.py` trains them; what runs here
is numpy over the exported trees, without the library that made them.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.blocks import Page, RawBlock, folded
from pipeline.document import BlockKind

Array = NDArray[np.float32]
Marks = NDArray[np.bool_]
Shares = Sequence[float] | Array

# Words of class and id tokens: letters only, so that "post-123" and "post-124" are one.
_TOKEN_WORD = re.compile(r"[a-z]{2,24}")
_SENTENCE_END = re.compile(r"[.!?…。!?।؟][\"'”’»)\]]*$")
_ELLIPSIS = re.compile(r"(\.\.\.|…|\[…\]|\[\.\.\.\])$")
_SEPARATORS = re.compile(r"[|·•»›→▶►/]")
_ADDRESS = re.compile(r"https?://|www\.|@|©")
_CLOCK = re.compile(r"\d{1,2}[:.]\d\d|\b(?:19|20)\d\d\b")
_QUOTES = re.compile(r"[\"“”„«»「」]")
_COMMAS = re.compile(r"[,،、,;]")
_STOPS = re.compile(r"[.!?。।]\s")
_BRACKETS = {("(", ")"), ("[", "]"), ("（", "）"), ("【", "】")}
_DIGITS = re.compile(r"\d")
_UPPER = re.compile(r"[A-ZÀ-ÞА-ЯЁ]")
_CAPITALISED = re.compile(r"\b[A-ZÀ-ÞА-ЯЁ]\w")

# Elements whose presence among a block's ancestors is evidence.
_LANDMARKS = (
    "nav", "footer", "aside", "header", "form", "figure", "blockquote", "article", "main", "section",
    "table", "ul", "ol", "li", "dl", "details", "button", "hidden",
)  # fmt: skip
_KINDS = (
    BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.QUOTE, BlockKind.CAPTION,
    BlockKind.TABLE_ROW,
)  # fmt: skip
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LEVELS = 5
# A verdict of at least this share of a block's words counts as "kept".
_KEPT = 0.5
_FAR = 30.0


def _shifted(values: Array, by: int, fill: float = -1.0) -> Array:
    """`values` of the block `by` places further down (negative: up); `fill` beyond the page."""
    out = np.full_like(values, fill)
    if abs(by) >= len(values):
        return out
    if by >= 0:
        out[: len(values) - by] = values[by:]
    else:
        out[-by:] = values[:by]
    return out


def _window(values: Array, reach: int) -> Array:
    """Sum over the block and `reach` blocks on either side."""
    total = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
    n = len(values)
    low = np.maximum(np.arange(n) - reach, 0)
    high = np.minimum(np.arange(n) + reach + 1, n)
    return (total[high] - total[low]).astype(np.float32)


def _since(marks: Marks) -> Array:
    """How many blocks up the last marked block stands (itself excluded); `_FAR` where there is none."""
    n = len(marks)
    places = np.where(marks, np.arange(n), -10_000)
    last = np.maximum.accumulate(np.concatenate(([-10_000], places[:-1])))
    return np.minimum(np.arange(n) - last, _FAR).astype(np.float32)


def _until(marks: Marks) -> Array:
    return _since(marks[::-1])[::-1]


@dataclass(slots=True)
class _Sheet:
    """Columns of the feature matrix as they are made, with their names."""

    names: list[str]
    columns: list[Array]

    def add(self, name: str, values: Sequence[float] | NDArray[np.generic]) -> Array:
        column = np.asarray(values, dtype=np.float32)
        self.names.append(name)
        self.columns.append(column)
        return column


def _text_row(block: RawBlock) -> tuple[float, ...]:
    text = block.text
    chars = len(text)
    words = len(block.words)
    first, last = text[0], text[-1]
    return (
        words,
        chars,
        chars / words,
        block.link_density,
        block.links,
        block.links / words,
        _SENTENCE_END.search(text) is not None,
        _ELLIPSIS.search(text) is not None,
        last == ":",
        first.islower(),
        first.isupper(),
        first.isdigit(),
        not first.isalnum(),
        len(_DIGITS.findall(text)) / chars,
        len(_UPPER.findall(text)) / chars,
        len(_CAPITALISED.findall(text)) / words,
        len(_COMMAS.findall(text)) / words,
        len(_STOPS.findall(text)),
        len(_QUOTES.findall(text)),
        len(_SEPARATORS.findall(text)) / words,
        _ADDRESS.search(text) is not None,
        _CLOCK.search(text) is not None,
        (first, last) in _BRACKETS,
        last == "?",
        "hidden" in block.inline_tokens,
        len(block.inline_tokens),
    )


# fmt: off
_TEXT_NAMES = (
    "words", "chars", "word_length", "link_density", "links", "links_per_word", "sentence_end", "ellipsis",
    "colon", "lower_start", "upper_start", "digit_start", "mark_start", "digits", "upper", "capitalised",
    "commas", "stops", "quotes", "separators", "address", "clock", "bracketed", "question", "hidden",
    "inline_tokens",
)
# fmt: on


def page_features(
    page: Page,
    verdict: Shares,
    ruled: Shares,
    titles: Sequence[str] = (),
    descriptions: Sequence[str] = (),
) -> tuple[Array, list[str]]:
    """Everything but the tokens: matrix (blocks, features) float32, and the features' names.

    verdict: the share of each block's text that the extractor takes for the article, 0 to 1.
    ruled: the same, after the rules of structure have spoken.
    titles, descriptions: what the page calls itself and its summary, in any form.
    """
    blocks = page.blocks
    n = len(blocks)
    sheet = _Sheet([], [])
    own = np.array([_text_row(block) for block in blocks], dtype=np.float32).reshape(n, len(_TEXT_NAMES))
    for number, name in enumerate(_TEXT_NAMES):
        sheet.add(name, own[:, number])
    words, chars, links = own[:, 0], own[:, 1], own[:, 3]
    ends = own[:, 6]
    share = np.minimum(np.asarray(verdict, dtype=np.float32), 1.0)
    kept = share >= _KEPT
    kept_words = words * share

    kind = np.array([_KINDS.index(block.kind) for block in blocks])
    for number, name in enumerate(_KINDS):
        sheet.add(f"kind.{name}", kind == number)
    heading = kind == 0
    tags = [block.tag for block in blocks]
    for tag in ("p", "div", "li", "span", "td", "section", "article", "body"):
        sheet.add(f"tag.{tag}", [t == tag for t in tags])
    sheet.add("heading_level", [int(t[1]) if t in _HEADINGS else 0 for t in tags])

    _add_repetition(sheet, page, share, titles, descriptions)
    prose = (words >= 15) & (links < 0.5)
    _add_verdict(sheet, share, kept, words, prose)
    _add_neighbours(sheet, words, links, share, ends, heading, kind, prose)
    _add_containers(sheet, page, share, words, chars, links)
    _add_sections(sheet, heading, share, words, links)
    _add_ruled(sheet, page, np.minimum(np.asarray(ruled, dtype=np.float32), 1.0), share, words, chars)

    total_words = max(1.0, float(words.sum()))
    whole = (
        ("page.blocks", float(n)),
        ("page.words", total_words),
        ("page.link_density", float((chars * links).sum() / max(1.0, chars.sum()))),
        ("page.kept_words", float(kept_words.sum())),
        ("page.kept_share", float(kept_words.sum()) / total_words),
        ("page.prose_kept", float((words * prose * share).sum() / max(1.0, (words * prose).sum()))),
        ("page.list_share", float((words * (kind == 2)).sum() / total_words)),
    )
    for label, value in whole:
        sheet.add(label, np.full(n, value, dtype=np.float32))
    return np.stack(sheet.columns, axis=1), sheet.names


def _add_repetition(
    sheet: _Sheet, page: Page, share: Array, titles: Sequence[str], descriptions: Sequence[str]
) -> None:
    blocks = page.blocks
    count = Counter(block.words for block in blocks)
    seen: Counter[tuple[str, ...]] = Counter()
    order = []
    for block in blocks:
        order.append(seen[block.words])
        seen[block.words] += 1
    sheet.add("same", [min(count[block.words], 9) for block in blocks])
    sheet.add("same_before", [min(before, 9) for before in order])
    kept_same: Counter[tuple[str, ...]] = Counter()
    for block, kept in zip(blocks, share, strict=True):
        kept_same[block.words] += float(kept) >= _KEPT
    sheet.add("same_kept", [min(kept_same[block.words], 9) for block in blocks])
    alts = page.alt_texts
    sheet.add("alt", [" ".join(block.words) in alts if len(block.words) >= 3 else False for block in blocks])
    names = [frozenset(folded(title).split()) for title in titles if folded(title)]
    likeness = []
    for block in blocks:
        best = 0.0
        if len(block.words) < 60:
            mine = frozenset(block.words)
            for name in names:
                both = len(mine & name)
                best = max(best, both / (len(mine) + len(name) - both))
        likeness.append(best)
    sheet.add("like_title", likeness)
    summaries = [set(_triples(folded(text).split())) for text in descriptions]
    summaries = [triples for triples in summaries if len(triples) >= 4]
    similar = []
    for block in blocks:
        best = 0.0
        if summaries and 4 <= len(block.words) < 120:
            triples = set(_triples(block.words))
            best = max(len(triples & summary) / len(triples) for summary in summaries)
        similar.append(best)
    sheet.add("like_description", similar)


def _triples(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + 3]) for i in range(len(words) - 2)]


def _add_verdict(sheet: _Sheet, share: Array, kept: Marks, words: Array, prose: Marks) -> None:
    n = len(share)
    sheet.add("kept", share)
    where = np.flatnonzero(kept & (words >= 8))
    first, last = (int(where[0]), int(where[-1])) if len(where) else (n, -1)
    place = np.arange(n)
    sheet.add("from_first", np.clip(place - first, -_FAR, 3 * _FAR))
    sheet.add("from_last", np.clip(place - last, -3 * _FAR, _FAR))
    sheet.add("position", place / max(1, n - 1))
    total = max(1.0, float((words * share).sum()))
    before = np.cumsum(words * share) - words * share
    sheet.add("kept_before", before / total)
    sheet.add("kept_after", (total - before - words * share) / total)
    sheet.add("words_of_kept", words / total)
    sheet.add("since_kept", _since(kept))
    sheet.add("until_kept", _until(kept))
    solid = kept & prose
    sheet.add("since_prose", _since(solid))
    sheet.add("until_prose", _until(solid))
    sheet.add("since_any_prose", _since(prose))
    sheet.add("until_any_prose", _until(prose))
    # how long the run of blocks of one verdict is that this block stands in, in words
    change = np.flatnonzero(np.diff(kept.astype(np.int8))) + 1
    bounds = np.concatenate(([0], change, [n]))
    lengths = np.zeros(n, dtype=np.float32)
    run_blocks = np.zeros(n, dtype=np.float32)
    for low, high in itertools.pairwise(bounds.tolist()):
        lengths[low:high] = words[low:high].sum()
        run_blocks[low:high] = high - low
    sheet.add("run_words", lengths)
    sheet.add("run_blocks", run_blocks)


def _add_neighbours(
    sheet: _Sheet,
    words: Array,
    links: Array,
    share: Array,
    ends: Array,
    heading: Marks,
    kind: NDArray[np.int64],
    prose: Marks,
) -> None:
    heads = heading.astype(np.float32)
    for by in (-3, -2, -1, 1, 2, 3):
        sheet.add(f"words{by:+}", _shifted(words, by))
        sheet.add(f"link_density{by:+}", _shifted(links, by))
        sheet.add(f"kept{by:+}", _shifted(share, by))
        if abs(by) < 3:
            sheet.add(f"sentence_end{by:+}", _shifted(ends, by))
            sheet.add(f"kind{by:+}", _shifted(kind.astype(np.float32), by))
    for reach in (4, 10):
        mass = _window(words, reach)
        sheet.add(f"window{reach}.words", mass)
        sheet.add(f"window{reach}.links", _window(words * links, reach) / mass)
        sheet.add(f"window{reach}.kept", _window(words * share, reach) / mass)
        sheet.add(f"window{reach}.kept_blocks", _window(share, reach))
        sheet.add(f"window{reach}.prose", _window(prose.astype(np.float32), reach))
    sheet.add("window4.headings", _window(heads, 4))
    sheet.add("window4.ends", _window(ends, 4))


def _add_containers(
    sheet: _Sheet, page: Page, share: Array, words: Array, chars: Array, links: Array
) -> None:
    containers = page.containers
    blocks = page.blocks
    size = len(containers)
    holder = np.array([block.container for block in blocks])
    parent = np.array([c.parent for c in containers])
    kept_chars = np.bincount(holder, weights=chars * share, minlength=size)
    kept_blocks = np.bincount(holder, weights=(share >= _KEPT), minlength=size)
    first_block = np.full(size, len(blocks))
    last_block = np.full(size, -1)
    np.minimum.at(first_block, holder, np.arange(len(blocks)))
    np.maximum.at(last_block, holder, np.arange(len(blocks)))
    kept_list, count_list = kept_chars.tolist(), kept_blocks.tolist()
    first_list, last_list, up_list = first_block.tolist(), last_block.tolist(), parent.tolist()
    for number in range(size - 1, 0, -1):
        up = up_list[number]
        kept_list[up] += kept_list[number]
        count_list[up] += count_list[number]
        if first_list[number] < first_list[up]:
            first_list[up] = first_list[number]
        if last_list[number] > last_list[up]:
            last_list[up] = last_list[number]
    kept_chars, kept_blocks = np.array(kept_list), np.array(count_list)
    all_chars = np.array([c.chars for c in containers], dtype=np.float64)
    link_chars = np.array([c.link_chars for c in containers], dtype=np.float64)
    inside = np.array([c.blocks for c in containers], dtype=np.float64)
    prose = np.array([c.paragraphs for c in containers], dtype=np.float64)
    depth = np.array([c.depth for c in containers], dtype=np.int_)
    page_kept = max(1.0, float(kept_chars[0]))
    page_chars = max(1.0, float(all_chars[0]))
    top = main_container(kept_chars.astype(np.float64), depth)

    def measures(name: str, at: NDArray[np.int64]) -> None:
        mass = np.maximum(1.0, all_chars[at])
        sheet.add(f"{name}.chars", mass)
        sheet.add(f"{name}.links", link_chars[at] / mass)
        sheet.add(f"{name}.blocks", inside[at])
        sheet.add(f"{name}.prose", prose[at])
        sheet.add(f"{name}.kept", kept_chars[at] / mass)
        sheet.add(f"{name}.kept_blocks", kept_blocks[at] / np.maximum(1.0, inside[at]))
        sheet.add(f"{name}.of_kept", kept_chars[at] / page_kept)

    at = holder
    for level in range(_LEVELS):
        measures(f"up{level}", at)
        at = parent[at]
    # the first container around a block that holds more than the block; and the one around that
    group = holder.copy()
    for _ in range(6):
        alone = (inside[group] <= 1) & (group != 0)
        group = np.where(alone, parent[group], group)
    measures("group", group)
    outer = parent[group]
    for _ in range(6):
        same = (inside[outer] <= inside[group]) & (outer != 0)
        outer = np.where(same, parent[outer], outer)
    measures("outer", outer)
    sheet.add("group.share_of_page", all_chars[group] / page_chars)
    low = np.array(first_list)[group]
    high = np.array(last_list)[group]
    place = np.arange(len(blocks))
    sheet.add("group.place", (place - low) / np.maximum(1, high - low))
    sheet.add("group.first", place == low)
    sheet.add("group.last", place == high)

    # relation to the container that holds most of what is kept
    on_top = np.zeros(size, dtype=bool)
    number = top
    while True:
        on_top[number] = True
        if up_list[number] == number:
            break
        number = up_list[number]
    below = np.zeros(size, dtype=np.int64)  # levels down from the nearest container of the top's own path
    branch = np.zeros(size, dtype=np.int64)  # the child of that container that leads to the block
    meets = np.zeros(size, dtype=np.int64)  # depth at which the paths part
    under = [False] * size
    below_list, branch_list, meet_list = below.tolist(), branch.tolist(), meets.tolist()
    on_list, depth_list = on_top.tolist(), depth.tolist()
    landmarks = [0] * size
    for number, container in enumerate(containers):
        up = up_list[number]
        under[number] = number == top or (number != up and under[up])
        if on_list[number]:
            branch_list[number] = number
            meet_list[number] = depth_list[number]
        else:
            below_list[number] = below_list[up] + 1
            branch_list[number] = number if on_list[up] else branch_list[up]
            meet_list[number] = meet_list[up]
        mask = landmarks[up] if number else 0
        if container.tag in _LANDMARK_BITS:
            mask |= _LANDMARK_BITS[container.tag]
        if "hidden" in container.tokens:
            mask |= _LANDMARK_BITS["hidden"]
        landmarks[number] = mask
    sheet.add("in_top", np.array(under)[holder])
    sheet.add("below_top", np.array(below_list)[holder])
    sheet.add("parts_above_top", depth[top] - np.array(meet_list)[holder])
    measures("branch", np.array(branch_list)[holder])
    sheet.add("depth", depth[holder])
    sheet.add("top.depth", np.full(len(blocks), depth[top]))
    top_marks = landmarks[top]
    marks = np.array(landmarks)[holder]
    for number, tag in enumerate(_LANDMARKS):
        sheet.add(f"in.{tag}", (marks >> number) & 1)
        if tag in ("article", "main", "section", "aside", "ul", "table", "figure", "header", "footer"):
            sheet.add(f"in.{tag}.below", ((marks & ~top_marks) >> number) & 1)

    # blocks that the template makes alike: same element, same names, same container around
    looks: dict[tuple[object, ...], int] = {}
    for suffix, key in (
        ("like", lambda b, c, u: (b.tag, c.tag, c.tokens, b.inline_tokens, u.tag, u.tokens)),
        ("alike", lambda b, c, u: (b.tag, c.tag, c.tokens)),
    ):
        looks = {}
        look = np.array(
            [
                looks.setdefault(
                    key(block, containers[block.container], containers[up_list[block.container]]), len(looks)
                )
                for block in blocks
            ]
        )
        number_of = np.bincount(look)
        look_words = np.bincount(look, weights=words)
        sheet.add(f"{suffix}.blocks", number_of[look])
        sheet.add(f"{suffix}.words", (look_words / number_of)[look])
        sheet.add(f"{suffix}.share", look_words[look] / max(1.0, float(words.sum())))
        sheet.add(f"{suffix}.links", (np.bincount(look, weights=words * links) / look_words)[look])
        sheet.add(f"{suffix}.kept", (np.bincount(look, weights=words * share) / look_words)[look])
        sheet.add(f"{suffix}.kept_blocks", (np.bincount(look, weights=share) / number_of)[look])


def main_container(kept_chars: NDArray[np.float64], depth: NDArray[np.int_], share: float = 0.8) -> int:
    """The deepest container that holds at least `share` of the kept text."""
    enough = kept_chars >= max(1.0, share * float(kept_chars[0]))
    return int(np.where(enough, depth, -1).argmax()) if enough.any() else 0


def _add_sections(
    sheet: _Sheet,
    heading: Marks,
    share: Array,
    words: Array,
    links: Array,
) -> None:
    n = len(share)
    section = np.cumsum(heading)
    mass = np.bincount(section, weights=words, minlength=n + 1)
    kept_mass = np.bincount(section, weights=words * share * ~heading, minlength=n + 1)
    body_mass = np.bincount(section, weights=words * ~heading, minlength=n + 1)
    link_mass = np.bincount(section, weights=words * links, minlength=n + 1)
    count = np.bincount(section, minlength=n + 1)
    sheet.add("section.words", mass[section])
    sheet.add("section.blocks", count[section])
    sheet.add("section.kept", (kept_mass / np.maximum(1, body_mass))[section])
    sheet.add("section.links", (link_mass / np.maximum(1, mass))[section])
    sheet.add("section.since_heading", _since(heading))
    starts = np.flatnonzero(heading)
    head_kept = np.zeros(n + 1, dtype=np.float32)
    head_words = np.zeros(n + 1, dtype=np.float32)
    head_kept[1 : len(starts) + 1] = share[starts]
    head_words[1 : len(starts) + 1] = words[starts]
    sheet.add("section.heading_kept", head_kept[section])
    sheet.add("section.heading_words", head_words[section])
    sheet.add("section.until_heading", _until(heading))


def _add_ruled(sheet: _Sheet, page: Page, ruled: Array, share: Array, words: Array, chars: Array) -> None:
    sheet.add("ruled", ruled)
    for by in (-2, -1, 1, 2):
        sheet.add(f"ruled{by:+}", _shifted(ruled, by))
    for reach in (4, 10):
        sheet.add(f"window{reach}.ruled", _window(words * ruled, reach) / _window(words, reach))
    lost = np.maximum(share - ruled, 0.0)
    holder = np.array([block.container for block in page.blocks])
    kept_chars = np.bincount(holder, weights=chars * ruled, minlength=len(page.containers))
    parent = [c.parent for c in page.containers]
    sums = kept_chars.tolist()
    for number in range(len(sums) - 1, 0, -1):
        sums[parent[number]] += sums[number]
    total = np.array(sums)
    mass = np.maximum(1.0, np.array([c.chars for c in page.containers], dtype=np.float64))
    at = holder
    for level in range(4):
        sheet.add(f"up{level}.ruled", total[at] / mass[at])
        at = np.array(parent)[at]
    sheet.add("window4.lost", _window(words * lost, 4))
    sheet.add("page.lost", np.full(len(words), float((words * lost).sum() / max(1.0, (words * share).sum()))))
    sheet.add("since_ruled", _since(ruled >= _KEPT))
    sheet.add("until_ruled", _until(ruled >= _KEPT))


_LANDMARK_BITS = {tag: 1 << number for number, tag in enumerate(_LANDMARKS)}


# --- tokens ----------------------------------------------------------------------------------------


# bounded, because a crawl meets ever new names
@lru_cache(maxsize=50_000)
def token_words(token: str) -> tuple[str, ...]:
    return tuple(_TOKEN_WORD.findall(token))


def container_words(tokens: frozenset[str]) -> frozenset[str]:
    """The words that the names of one element are made of."""
    return frozenset(word for token in tokens for word in token_words(token))


def token_features(
    page: Page, verdict: Shares, odds: Mapping[str, tuple[float, float]]
) -> tuple[Array, list[str]]:
    """What the names of a block's element and of the containers around it have meant elsewhere.

    odds: word of a token -> log odds of "belongs to the article", relative to all blocks, among the
    blocks that the extractor keeps and among those that it does not.
    """
    containers = page.containers
    blocks = page.blocks
    size = len(containers)
    chars = np.array([len(block.text) for block in blocks], dtype=np.float64)
    share = np.minimum(np.asarray(verdict, dtype=np.float64), 1.0)
    kept = np.bincount([b.container for b in blocks], weights=chars * share, minlength=size).tolist()
    up_list = [c.parent for c in containers]
    for number in range(size - 1, 0, -1):
        kept[up_list[number]] += kept[number]
    top = main_container(np.array(kept), np.array([c.depth for c in containers]))
    on_top = set(page.path(top))
    known: dict[frozenset[str], tuple[float, ...]] = {}
    # per container, lowest and highest odds in both tables: its own, and along the path down from the
    # article's own container
    own: list[tuple[float, ...]] = []
    path: list[tuple[float, ...]] = []
    none = (0.0, 0.0, 0.0, 0.0)
    for number, container in enumerate(containers):
        mine = known.get(container.tokens)
        if mine is None:
            mine = known[container.tokens] = _scores(container.tokens, odds)
        own.append(mine)
        if number in on_top:
            path.append(none)
        else:
            above = path[up_list[number]]
            path.append(
                (
                    min(above[0], mine[0]),
                    max(above[1], mine[1]),
                    min(above[2], mine[2]),
                    max(above[3], mine[3]),
                )
            )
    rows = []
    for block in blocks:
        inline = _scores(block.inline_tokens, odds) if block.inline_tokens else none
        at = block.container
        up = up_list[at]
        upper = up_list[up]
        p = path[at]
        rows.append(
            (
                *own[at],
                *own[up],
                own[upper][0],
                own[upper][2],
                min(p[0], inline[0]),
                max(p[1], inline[1]),
                min(p[2], inline[2]),
                max(p[3], inline[3]),
                *inline,
            )
        )
    matrix = np.array(rows, dtype=np.float32).reshape(len(blocks), 18)
    low = matrix[:, 10]
    sides = [_shifted(low, by, 0.0) for by in (-2, -1, 1, 2)]
    names = [
        *(f"token.own.{n}" for n in range(4)),
        *(f"token.up.{n}" for n in range(4)),
        "token.upper.0",
        "token.upper.2",
        *(f"token.path.{n}" for n in range(4)),
        *(f"token.inline.{n}" for n in range(4)),
        *(f"token.path{by:+}" for by in (-2, -1, 1, 2)),
    ]
    return np.concatenate([matrix, np.stack(sides, axis=1)], axis=1), names


def _scores(tokens: frozenset[str], odds: Mapping[str, tuple[float, float]]) -> tuple[float, ...]:
    found = [odds[word] for word in container_words(tokens) if word in odds]
    if not found:
        return (0.0, 0.0, 0.0, 0.0)
    first = [a for a, _ in found]
    second = [b for _, b in found]
    return (min(0.0, *first), max(0.0, *first), min(0.0, *second), max(0.0, *second))


# --- the model -------------------------------------------------------------------------------------

# A block stays where it more likely than not raises the F1 of the text. Of sets chosen by probability,
# the best in expected F1 holds what lies above half of the F1 that it reaches (Lipton, Elkan and
# Naryanaswamy 2014, Optimal Thresholding of Classifiers to Maximize F1 Measure, theorem 1): on a page that
# is hard to judge, less certain blocks are worth keeping. A little under one half, because probabilities
# are not quite calibrated there; a little more for what the extractor passed over. Cross-validated by site
# (mean F1 of wcxb-dev, multi-dev, fundus-dev): .9641, with fixed thresholds of .4 and .6 .9628, with
# exactly one half and nothing more .9638.
# What a rule drops is never brought back: that gained nothing at any threshold (within .0002).
KEEP = 0.45
ADD = 0.05
# A text of fewer words than this is no article: the model has emptied the page, and is not believed.
_EMPTY_WORDS = 20
# Blocks are judged this many at a time, which bounds the memory that a huge page takes.
_CHUNK = 512
# Position of the lowest bit that is not set, for every 16-bit number.
_LOWEST_ZERO = np.array([(~n & (n + 1)).bit_length() - 1 for n in range(1 << 16)], dtype=np.intp)


@dataclass(frozen=True, slots=True)
class BlockModel:
    """A trained ensemble of trees of at most 16 leaves, laid out for numpy.

    odds: see `token_features`. columns: names of the features that the trees read, in their order.
    feature, threshold: the split of node k of tree t, (trees, 15); a block goes right where its value is
        greater. Unused nodes never send a block right.
    removed: which leaves of the tree going right at the node rules out, one bit a leaf, (trees, 15);
        leaves are numbered left to right, so the exit is the lowest leaf that no node rules out
        (Lucchese et al. 2015, QuickScorer, section 3).
    leaves: log odds that each leaf adds, (trees, 16).
    """

    odds: Mapping[str, tuple[float, float]]
    columns: tuple[str, ...]
    feature: NDArray[np.intp]
    threshold: Array
    removed: NDArray[np.uint16]
    leaves: Array

    def probabilities(self, matrix: Array) -> Array:
        """Of belonging to the article, (blocks,); matrix: (blocks, columns) float32."""
        out = np.empty(len(matrix), dtype=np.float32)
        trees = np.arange(len(self.leaves))[:, None]
        for start in range(0, len(matrix), _CHUNK):
            values = np.ascontiguousarray(matrix[start : start + _CHUNK].T)
            goes_right = values[self.feature] > self.threshold[:, :, None]
            ruled_out = np.bitwise_or.reduce(
                np.multiply(goes_right, self.removed[:, :, None], dtype=np.uint16), axis=1
            )
            odds = self.leaves[trees, _LOWEST_ZERO[ruled_out]].sum(axis=0)
            out[start : start + _CHUNK] = 1.0 / (1.0 + np.exp(-odds))
        return out


@cache
def load_model(path: Path | None = None) -> BlockModel:
    """The model in that file, or the one that comes with the package; each is read once a process."""
    source = path or resources.files("pipeline").joinpath("blockmodel.npz")
    with source.open("rb") as stream, np.load(stream) as data:
        return BlockModel(
            odds={
                str(word): (float(first), float(second))
                for word, (first, second) in zip(data["words"], data["odds"], strict=True)
            },
            columns=tuple(str(name) for name in data["columns"]),
            feature=data["feature"].astype(np.intp),
            threshold=data["threshold"],
            removed=data["removed"],
            leaves=data["leaves"].astype(np.float32),
        )


def shares(page: Page, pieces: Iterable[tuple[int | None, str]]) -> Array:
    """Of every block, the share of its text that stands in the pieces (block's index, text); 0 to 1."""
    found = np.zeros(len(page.blocks), dtype=np.float32)
    for index, text in pieces:
        if index is not None:
            found[index] += len(text) / len(page.blocks[index].text)
    return np.minimum(found, 1.0)


def keep_probabilities(
    page: Page,
    verdict: Shares,
    ruled: Shares,
    titles: Sequence[str] = (),
    descriptions: Sequence[str] = (),
    model: BlockModel | None = None,
) -> Array:
    """How likely each block of the page belongs to the article, float32 (blocks,).

    verdict: of every block, the share that the extractor takes for the article (`shares`).
    ruled: the same, after the rules have spoken. titles, descriptions: what the page says of itself.
    """
    if not page.blocks:
        return np.zeros(0, dtype=np.float32)
    model = model or load_model()
    rest, names = page_features(page, verdict, ruled, titles, descriptions)
    tokens, token_names = token_features(page, verdict, model.odds)
    place = {name: number for number, name in enumerate([*names, *token_names])}
    matrix = np.concatenate([rest, tokens], axis=1)
    return model.probabilities(matrix[:, [place[name] for name in model.columns]])


@dataclass(frozen=True, slots=True)
class Decision:
    """Which blocks to keep, and how likely each belongs to the article.

    keep: bool (blocks,). believed: False where the model would empty the page; then `keep` is what the
    rules keep, and the rules' own lines should be taken as they are.
    """

    keep: Marks
    probability: Array
    believed: bool


def decide(
    page: Page,
    verdict: Shares,
    ruled: Shares,
    titles: Sequence[str] = (),
    descriptions: Sequence[str] = (),
    model: BlockModel | None = None,
) -> Decision:
    """Keeps the blocks that make the best text, as far as can be told; arguments as `keep_probabilities`."""
    likely = keep_probabilities(page, verdict, ruled, titles, descriptions, model)
    return decided(page, likely, verdict, ruled)


def decided(page: Page, probability: Array, verdict: Shares, ruled: Shares) -> Decision:
    """What the probabilities come to: blocks that the rules keep may go, blocks passed over may come in."""
    by_rules = np.asarray(ruled, dtype=np.float32) >= _KEPT
    dropped = (np.asarray(verdict, dtype=np.float32) >= _KEPT) & ~by_rules
    words = np.array([len(block.words) for block in page.blocks], dtype=np.float64)
    likely = np.where(dropped, 0.0, probability)
    limit = KEEP * expected_f1(likely, words)
    keep = (likely >= np.where(by_rules, limit, limit + ADD)) & ~dropped
    if words[keep].sum() >= _EMPTY_WORDS:
        return Decision(keep, probability, True)
    return Decision(by_rules, probability, False)


def expected_f1(probability: NDArray[np.floating], words: NDArray[np.float64]) -> float:
    """The F1 to be expected, in words, of the best text that can be made of these blocks; 0 to 1."""
    order = np.argsort(-probability, kind="stable")
    right = np.cumsum((probability * words)[order])
    kept = np.cumsum(words[order])
    return float((2 * right / np.maximum(1.0, kept + right[-1])).max()) if len(words) else 0.0
