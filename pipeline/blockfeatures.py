"""What a page says about each of its blocks, as numbers: the evidence that the block model weighs.

How much text and how many links the containers around a block hold, what its neighbours are, what the
template calls it, what was taken for the article at first sight and what the rules say of that. All is
computed for a whole page at once; `Columns` holds what several of these computations need.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.blocks import Page, folded
from pipeline.document import BlockKind
from pipeline.structure import is_teaser, linked_by_container

Array = NDArray[np.float32]
Marks = NDArray[np.bool_]
Places = NDArray[np.intp]
Shares = Sequence[float] | Array

# Elements whose presence among a block's ancestors is evidence; those with `below` also as ancestors that
# stand below the container of what is kept.
_LANDMARKS = ("article", "main", "section", "aside", "footer", "figure", "table", "ul", "li", "hidden")
_BELOW = ("article", "main", "section", "aside", "footer", "figure")
_LANDMARK_BITS = {tag: 1 << number for number, tag in enumerate(_LANDMARKS)}
_KINDS = {
    BlockKind.HEADING: 0,
    BlockKind.PARAGRAPH: 1,
    BlockKind.LIST_ITEM: 2,
    BlockKind.QUOTE: 3,
    BlockKind.CAPTION: 4,
    BlockKind.TABLE_ROW: 5,
}
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
# Containers that hold no prose of the story, whatever they are called.
_APART = frozenset(("nav", "footer", "aside", "form", "figcaption"))
_LEVELS = 5
# A verdict of at least this share of a block's words counts as "kept".
KEPT = 0.5
_FAR = 30.0
# Prose: a block of so many words, of which fewer than half are linked.
_PROSE_WORDS = 15


@dataclass(frozen=True, slots=True)
class Columns:
    """The blocks and containers of a page as arrays: n blocks, m containers.

    words, chars, links: of each block, how many words and characters, and the share that is linked, (n,).
    kind: number of its kind, (n,). holder: its container, (n,). parent, depth: of each container, (m,).
    """

    page: Page
    words: Array
    chars: Array
    links: Array
    kind: Places
    holder: Places
    parent: Places
    depth: Places

    def inside(self, of_blocks: NDArray[np.floating]) -> NDArray[np.float64]:
        """Per container, the sum over all blocks in it, however deep; of_blocks: (n,)."""
        sums = np.bincount(self.holder, weights=of_blocks, minlength=len(self.parent)).tolist()
        parent = self.parent.tolist()
        # children come after their parents
        for number in range(len(sums) - 1, 0, -1):
            sums[parent[number]] += sums[number]
        return np.array(sums)


def columns_of(page: Page) -> Columns:
    blocks, containers = page.blocks, page.containers
    chars = np.array([len(block.text) for block in blocks], dtype=np.float32)
    linked = np.array([block.link_chars for block in blocks], dtype=np.float32)
    return Columns(
        page=page,
        words=np.array([len(block.words) for block in blocks], dtype=np.float32),
        chars=chars,
        links=np.minimum(1.0, linked / np.maximum(1.0, chars)),
        kind=np.array([_KINDS[block.kind] for block in blocks], dtype=np.intp),
        holder=np.array([block.container for block in blocks], dtype=np.intp),
        parent=np.array([container.parent for container in containers], dtype=np.intp),
        depth=np.array([container.depth for container in containers], dtype=np.intp),
    )


def main_container(kept: NDArray[np.float64], depth: Places, share: float = 0.8) -> int:
    """The deepest container that holds at least `share` of what is kept; kept: per container, all inside."""
    enough = kept >= max(1.0, share * float(kept[0]))
    return int(np.where(enough, depth, -1).argmax()) if enough.any() else 0


# The innermost container with this share of a page's prose holds the article, at first sight. Of the model
# that follows, cross-validated by site, mean F1 of wcxb-dev, multi-dev and fundus-dev with .45, .6 and .8:
# .9631, .9656, .9596. Counting teasers as prose costs .0023.
_MAIN_SHARE = 0.6
# Words of one block that count: a comment without end must not outweigh a story of many paragraphs.
_COUNTED_WORDS = 120.0
# Fewer words are taken for the article by the model only: "Share", "Photo: AP".
_FREE_WORDS = 4


def first_sight(columns: Columns) -> Array:
    """Which blocks stand where most of the page's prose stands, 0 or 1, (n,).

    No more than a point to start from: about .95 of the words of a news page are judged rightly by it.
    """
    containers = columns.page.containers
    apart = np.zeros(len(containers), dtype=np.bool_)
    parent = columns.parent
    for number, container in enumerate(containers):
        apart[number] = container.tag in _APART or (number > 0 and apart[parent[number]])
    out = apart[columns.holder]
    leads = linked_by_container(columns.page)
    teasers = np.array(
        [is_teaser(columns.page, block, leads) for block in columns.page.blocks], dtype=np.bool_
    )
    prose = (columns.words >= _PROSE_WORDS) & (columns.links < 0.35) & ~out & ~teasers
    mass = columns.inside(np.where(prose, np.minimum(columns.words, _COUNTED_WORDS), 0.0))
    under = _under(columns, main_container(mass, columns.depth, _MAIN_SHARE))
    taken = under[columns.holder] & ~out & (columns.links < 0.5) & (columns.words >= _FREE_WORDS)
    return taken.astype(np.float32)


def _under(columns: Columns, top: int) -> Marks:
    """Which containers are `top` or stand in it."""
    parent = columns.parent.tolist()
    under = [False] * len(parent)
    under[top] = True
    for number in range(top + 1, len(parent)):
        under[number] = under[parent[number]]
    return np.array(under)


# --- the text of a block ----------------------------------------------------------------------------

# Classes of characters, one bit each; a character may be of several.
_UPPER, _DIGIT, _LETTER, _COMMA, _STOP, _QUOTE, _SEPARATOR, _SIGN, _BLANK = (1 << n for n in range(9))
_OTHER_CHARS = 0x10000


@lru_cache(maxsize=1)
def _char_classes() -> NDArray[np.uint16]:
    """Of every character of the Basic Multilingual Plane, its classes."""
    table = np.zeros(_OTHER_CHARS + 1, dtype=np.uint16)
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, _OTHER_CHARS)]))
    for bit, chars in (
        (_UPPER, "[A-ZÀ-ÞА-ЯЁ]"),
        (_DIGIT, r"\d"),
        (_LETTER, r"\w"),
        (_COMMA, "[,،、;]"),
        (_STOP, "[.!?。।]"),
        (_QUOTE, '["“”„«»「」]'),
        (_SEPARATOR, "[|·•»›→▶►/]"),
        (_SIGN, "[@©]"),
        (_BLANK, r"\s"),
    ):
        for match in re.finditer(f"{chars}+", every):
            codes = [ord(char) for char in match[0]]
            table[codes] |= bit
    return table


_SENTENCE_END = re.compile(r"[.!?…。।؟][\"'”’»)\]]*$")
_TEXT_NAMES = (
    "words", "chars", "word_length", "links_per_word", "sentence_end", "lower_start", "upper_start",
    "mark_start", "upper", "capitalised", "commas", "stops", "quotes", "separators", "address", "clock",
)  # fmt: skip


def _text_features(columns: Columns) -> Array:
    """Counts of kinds of characters and the like, (n, len(_TEXT_NAMES)), from all texts in one go."""
    blocks = columns.page.blocks
    texts = [block.text for block in blocks]
    # parted by a character of no class, and padded so that what follows a character can be looked at
    joined = "\0".join(texts) + "\0\0\0"
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    classes = _char_classes()[np.minimum(codes, _OTHER_CHARS)]
    lengths = columns.chars.astype(np.intp)
    ends = np.cumsum(lengths + 1) - 1  # where the character after each text stands
    starts = ends - lengths

    def count(marks: NDArray[np.generic]) -> Array:
        total = np.concatenate(([0], np.cumsum(marks)))
        counts: Array = (total[ends] - total[starts]).astype(np.float32)
        return counts

    upper, letter, digit = ((classes & bit) > 0 for bit in (_UPPER, _LETTER, _DIGIT))
    after = np.roll(letter, 1)
    two = digit[2:] & np.roll(digit, -1)[2:]
    dotted = (codes[1:-1] == ord(":")) | (codes[1:-1] == ord("."))
    clock = digit[:-2] & dotted & two
    century = codes[:-1].astype(np.uint64) * 0x10000 + codes[1:]
    of_years = np.isin(century, (ord("1") * 0x10000 + ord("9"), ord("2") * 0x10000 + ord("0")))
    year = of_years[:-1] & two & ~after[:-2] & ~np.roll(letter, -4)[:-2]
    address = ((classes & _SIGN) > 0)[:-2] | (
        (codes[:-2] == ord(":")) & (codes[1:-1] == ord("/")) & (codes[2:] == ord("/"))
    )
    words, chars = columns.words, columns.chars
    first = classes[starts]
    rows = (
        words,
        chars,
        chars / words,
        np.array([block.links for block in blocks], dtype=np.float32) / words,
        np.array([_SENTENCE_END.search(text[-4:]) is not None for text in texts]),
        np.array([text[0].islower() for text in texts]),
        (first & _UPPER) > 0,
        (first & _LETTER) == 0,
        count(upper) / chars,
        count(upper & ~after & np.roll(letter, -1)) / words,
        count(classes & _COMMA > 0) / words,
        count(((classes & _STOP) > 0)[:-1] & ((classes & _BLANK) > 0)[1:]),
        count(classes & _QUOTE > 0),
        count(classes & _SEPARATOR > 0) / words,
        count(address) > 0,
        count(clock) + count(year) > 0,
    )
    return np.stack([np.asarray(row, dtype=np.float32) for row in rows], axis=1)


# --- its place in the page ----------------------------------------------------------------------------


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


def _window(values: NDArray[np.generic], reach: int) -> Array:
    """Sum over the block and `reach` blocks on either side."""
    total = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
    place = np.arange(len(values))
    low = np.maximum(place - reach, 0)
    high = np.minimum(place + reach + 1, len(values))
    return (total[high] - total[low]).astype(np.float32)


def _since(marks: Marks) -> Array:
    """How many blocks up the last marked block stands (itself excluded); `_FAR` where there is none."""
    n = len(marks)
    places = np.where(marks, np.arange(n), -10_000)
    last = np.maximum.accumulate(np.concatenate(([-10_000], places[:-1])))
    return np.minimum(np.arange(n) - last, _FAR).astype(np.float32)


def _until(marks: Marks) -> Array:
    return _since(marks[::-1])[::-1]


class _Sheet:
    """Columns of the feature matrix as they are made, with their names."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.columns: list[NDArray[np.generic]] = []

    def add(self, name: str, values: NDArray[np.generic]) -> None:
        self.names.append(name)
        self.columns.append(values)

    def matrix(self, n: int) -> Array:
        """(n, features), each feature's values side by side in memory, as the trees read them."""
        out = np.empty((len(self.columns), n), dtype=np.float32)
        for number, column in enumerate(self.columns):
            out[number] = column
        return out.T


def page_features(
    columns: Columns,
    verdict: Shares,
    ruled: Shares,
    titles: Sequence[str] = (),
    descriptions: Sequence[str] = (),
) -> tuple[Array, list[str]]:
    """Everything but the tokens: matrix (n, features) float32, and the features' names.

    verdict: the share of each block's text that is taken for the article before the model speaks, 0 to 1.
    ruled: the same, after the rules of structure have spoken.
    titles, descriptions: what the page calls itself and its summary, in any form.
    """
    n = len(columns.words)
    sheet = _Sheet()
    text = _text_features(columns)
    for number, name in enumerate(_TEXT_NAMES):
        sheet.add(name, text[:, number])
    share = np.minimum(np.asarray(verdict, dtype=np.float32), 1.0)
    of_rules = np.minimum(np.asarray(ruled, dtype=np.float32), 1.0)
    tags = [block.tag for block in columns.page.blocks]
    sheet.add("kind.heading", columns.kind == 0)
    sheet.add("kind.paragraph", columns.kind == 1)
    sheet.add("kind.caption", columns.kind == 4)
    sheet.add("tag.p", np.array([tag == "p" for tag in tags]))
    sheet.add("tag.div", np.array([tag == "div" for tag in tags]))
    sheet.add("heading_level", np.array([int(tag[1]) if tag in _HEADINGS else 0 for tag in tags]))
    _add_repetition(sheet, columns, share, titles, descriptions)
    prose = (columns.words >= _PROSE_WORDS) & (columns.links < 0.5)
    _add_verdict(sheet, columns, share, prose)
    _add_neighbours(sheet, columns, share, text[:, _TEXT_NAMES.index("sentence_end")], prose)
    _add_containers(sheet, columns, share)
    _add_looks(sheet, columns, share)
    _add_sections(sheet, columns, share)
    _add_ruled(sheet, columns, of_rules, share)
    _add_page(sheet, columns, share, prose)
    return sheet.matrix(n), sheet.names


def _add_repetition(
    sheet: _Sheet, columns: Columns, share: Array, titles: Sequence[str], descriptions: Sequence[str]
) -> None:
    blocks = columns.page.blocks
    texts: dict[tuple[str, ...], int] = {}
    text_of = [texts.setdefault(block.words, len(texts)) for block in blocks]
    seen = [0] * len(texts)
    before = []
    for number in text_of:
        before.append(seen[number])
        seen[number] += 1
    text = np.array(text_of, dtype=np.intp)
    sheet.add("same", np.minimum(np.array(seen, dtype=np.intp)[text], 9))
    sheet.add("same_before", np.minimum(np.array(before), 9))
    sheet.add("same_kept", np.minimum(np.bincount(text, weights=share >= KEPT)[text], 9))
    names = [frozenset(name.split()) for name in {folded(title) for title in titles} if name]
    summaries = [text.split() for text in {folded(text) for text in descriptions}]
    summaries = [words for words in summaries if len(words) >= 6]
    in_names, in_summaries = (frozenset[str]().union(*texts) for texts in (names, summaries))
    triples_of = [set(_triples(words)) for words in summaries]
    likeness, similar = np.zeros(len(texts)), np.zeros(len(texts))
    for words, number in texts.items():
        if len(words) < 60 and not in_names.isdisjoint(words):
            mine = frozenset(words)
            both = [(len(mine & name), len(name)) for name in names]
            likeness[number] = max(common / (len(mine) + size - common) for common, size in both)
        if 4 <= len(words) < 120 and sum(map(in_summaries.__contains__, words)) >= 0.5 * len(words):
            triples = set(_triples(words))
            similar[number] = max(len(triples & summary) / len(triples) for summary in triples_of)
    sheet.add("like_title", likeness[text])
    sheet.add("like_description", similar[text])


def _triples(words: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(words, words[1:], words[2:], strict=False))


def _add_verdict(sheet: _Sheet, columns: Columns, share: Array, prose: Marks) -> None:
    n = len(share)
    words = columns.words
    kept = share >= KEPT
    where = np.flatnonzero(kept & (words >= 8))
    first, last = (int(where[0]), int(where[-1])) if len(where) else (n, -1)
    place = np.arange(n)
    sheet.add("from_first", np.clip(place - first, -_FAR, 3 * _FAR))
    sheet.add("from_last", np.clip(place - last, -3 * _FAR, _FAR))
    sheet.add("position", place / max(1, n - 1))
    mass = words * share
    total = max(1.0, float(mass.sum()))
    before = np.cumsum(mass) - mass
    sheet.add("kept_before", before / total)
    sheet.add("kept_after", (total - before - mass) / total)
    sheet.add("words_of_kept", words / total)
    sheet.add("since_kept", _since(kept))
    solid = kept & prose
    sheet.add("since_prose", _since(solid))
    sheet.add("until_prose", _until(solid))
    sheet.add("until_any_prose", _until(prose))
    # how long the run of blocks of one verdict is that this block stands in, in words and in blocks
    run = np.cumsum(np.concatenate(([False], kept[1:] != kept[:-1]))) if n else np.zeros(0, dtype=np.intp)
    sheet.add("run_words", np.bincount(run, weights=words)[run])
    sheet.add("run_blocks", np.bincount(run)[run])


def _add_neighbours(sheet: _Sheet, columns: Columns, share: Array, ends: Array, prose: Marks) -> None:
    words, links = columns.words, columns.links
    sheet.add("link_density", links)
    for by in (-3, -2, -1, 1, 2, 3):
        sheet.add(f"words{by:+}", _shifted(words, by))
        if abs(by) < 3:
            sheet.add(f"link_density{by:+}", _shifted(links, by))
    sheet.add("sentence_end+1", _shifted(ends, 1))
    for reach in (4, 10):
        mass = _window(words, reach)
        sheet.add(f"window{reach}.words", mass)
        sheet.add(f"window{reach}.links", _window(words * links, reach) / mass)
        sheet.add(f"window{reach}.kept", _window(words * share, reach) / mass)
        sheet.add(f"window{reach}.kept_blocks", _window(share, reach))
        sheet.add(f"window{reach}.prose", _window(prose, reach))
    sheet.add("window4.headings", _window(columns.kind == 0, 4))
    sheet.add("window4.ends", _window(ends, 4))


def _add_containers(sheet: _Sheet, columns: Columns, share: Array) -> None:
    containers = columns.page.containers
    n, m = len(columns.words), len(containers)
    holder, parent, depth = columns.holder, columns.parent, columns.depth
    kept_chars = columns.inside(columns.chars * share)
    kept_blocks = columns.inside((share >= KEPT).astype(np.float32))
    all_chars = np.array([c.chars for c in containers], dtype=np.float64)
    inside = np.array([c.blocks for c in containers], dtype=np.float64)
    mass = np.maximum(1.0, all_chars)
    # per container: what stands in it, and how much of it is kept
    measures = {
        "chars": mass,
        "links": np.array([c.link_chars for c in containers]) / mass,
        "blocks": inside,
        "prose": np.array([c.paragraphs for c in containers]),
        "kept": kept_chars / mass,
        "kept_blocks": kept_blocks / np.maximum(1.0, inside),
        "of_kept": kept_chars / max(1.0, float(kept_chars[0])),
    }

    def add_measures(name: str, at: Places) -> None:
        for label, values in measures.items():
            sheet.add(f"{name}.{label}", values[at])

    at = holder
    for level in range(_LEVELS):
        add_measures(f"up{level}", at)
        at = parent[at]
    # the first container around a block that holds more than the block; and the one around that
    group = holder.copy()
    for _ in range(6):
        group = np.where((inside[group] <= 1) & (group != 0), parent[group], group)
    add_measures("group", group)
    outer = parent[group]
    for _ in range(6):
        outer = np.where((inside[outer] <= inside[group]) & (outer != 0), parent[outer], outer)
    add_measures("outer", outer)
    sheet.add("group.share_of_page", all_chars[group] / max(1.0, float(all_chars[0])))
    # a container's blocks stand side by side, so its first is enough to know a block's place in it
    first = np.full(m, n)
    np.minimum.at(first, holder, np.arange(n))
    firsts, ups = first.tolist(), parent.tolist()
    for number in range(m - 1, 0, -1):
        firsts[ups[number]] = min(firsts[ups[number]], firsts[number])
    place = (np.arange(n) - np.array(firsts)[group]) / np.maximum(1.0, inside[group] - 1)
    sheet.add("group.place", place)
    sheet.add("group.last", place >= 1)

    # relation to the container that holds most of what is kept
    top = main_container(kept_chars, depth)
    on_top = set(columns.page.path(top))
    below = [0] * m  # levels down from the nearest container of the top's own path
    branch = [0] * m  # the child of that container that leads to the block
    meets = [0] * m  # depth at which the paths part
    landmarks = [0] * m
    depths = depth.tolist()
    for number, container in enumerate(containers):
        up = ups[number]
        if number in on_top:
            branch[number] = number
            meets[number] = depths[number]
        else:
            below[number] = below[up] + 1
            branch[number] = number if up in on_top else branch[up]
            meets[number] = meets[up]
        mask = landmarks[up] if number else 0
        mask |= _LANDMARK_BITS.get(container.tag, 0)
        if "hidden" in container.tokens:
            mask |= _LANDMARK_BITS["hidden"]
        landmarks[number] = mask
    sheet.add("in_top", _under(columns, top)[holder])
    sheet.add("below_top", np.array(below)[holder])
    sheet.add("parts_above_top", depth[top] - np.array(meets)[holder])
    add_measures("branch", np.array(branch)[holder])
    sheet.add("depth", depth[holder])
    sheet.add("top.depth", np.full(n, depth[top]))
    marks = np.array(landmarks)[holder]
    for tag in _LANDMARKS:
        sheet.add(f"in.{tag}", marks & _LANDMARK_BITS[tag] > 0)
    marks &= ~landmarks[top]
    for tag in _BELOW:
        sheet.add(f"in.{tag}.below", marks & _LANDMARK_BITS[tag] > 0)


def _add_looks(sheet: _Sheet, columns: Columns, share: Array) -> None:
    """Of the blocks that the template makes alike: same element, same names (same container around)."""
    blocks, containers = columns.page.blocks, columns.page.containers
    words = columns.words
    alike = []
    like = []
    alike_of: dict[tuple[object, ...], int] = {}
    like_of: dict[tuple[object, ...], int] = {}
    for block in blocks:
        holder = containers[block.container]
        around = containers[holder.parent]
        key: tuple[object, ...] = (block.tag, holder.tag, holder.tokens)
        alike.append(alike_of.setdefault(key, len(alike_of)))
        key = (alike[-1], block.inline_tokens, around.tag, around.tokens)
        like.append(like_of.setdefault(key, len(like_of)))
    for name, numbers in (("like", like), ("alike", alike)):
        look = np.array(numbers, dtype=np.intp)
        number_of = np.bincount(look)
        look_words = np.bincount(look, weights=words)
        sheet.add(f"{name}.blocks", number_of[look])
        sheet.add(f"{name}.words", (look_words / np.maximum(1, number_of))[look])
        sheet.add(f"{name}.share", look_words[look] / max(1.0, float(words.sum())))
        look_words = np.maximum(1.0, look_words)
        sheet.add(f"{name}.links", (np.bincount(look, weights=words * columns.links) / look_words)[look])
        sheet.add(f"{name}.kept", (np.bincount(look, weights=words * share) / look_words)[look])
        sheet.add(f"{name}.kept_blocks", (np.bincount(look, weights=share) / np.maximum(1, number_of))[look])


def _add_sections(sheet: _Sheet, columns: Columns, share: Array) -> None:
    """Of the blocks from one heading to the next."""
    words = columns.words
    heading = columns.kind == 0
    section = np.cumsum(heading)
    size = int(section[-1]) + 1 if len(section) else 1
    mass = np.bincount(section, weights=words, minlength=size)
    body = words * ~heading
    sheet.add("section.words", mass[section])
    sheet.add("section.blocks", np.bincount(section, minlength=size)[section])
    kept = np.bincount(section, weights=body * share, minlength=size)
    sheet.add(
        "section.kept", (kept / np.maximum(1, np.bincount(section, weights=body, minlength=size)))[section]
    )
    linked = np.bincount(section, weights=words * columns.links, minlength=size)
    sheet.add("section.links", (linked / np.maximum(1, mass))[section])
    sheet.add("section.since_heading", _since(heading))
    sheet.add("section.until_heading", _until(heading))
    starts = np.flatnonzero(heading)
    head_kept, head_words = np.zeros(size), np.zeros(size)
    head_kept[1:] = share[starts]
    head_words[1:] = words[starts]
    sheet.add("section.heading_kept", head_kept[section])
    sheet.add("section.heading_words", head_words[section])


def _add_ruled(sheet: _Sheet, columns: Columns, ruled: Array, share: Array) -> None:
    words = columns.words
    sheet.add("ruled", ruled)
    for by in (-1, 1):
        sheet.add(f"ruled{by:+}", _shifted(ruled, by))
    for reach in (4, 10):
        sheet.add(f"window{reach}.ruled", _window(words * ruled, reach) / _window(words, reach))
    mass = np.maximum(1.0, np.array([c.chars for c in columns.page.containers], dtype=np.float64))
    kept = columns.inside(columns.chars * ruled) / mass
    at = columns.holder
    for level in range(4):
        sheet.add(f"up{level}.ruled", kept[at])
        at = columns.parent[at]
    lost = words * np.maximum(share - ruled, 0.0)
    sheet.add("window4.lost", _window(lost, 4))
    sheet.add("page.lost", np.full(len(words), lost.sum() / max(1.0, float((words * share).sum()))))
    sheet.add("since_ruled", _since(ruled >= KEPT))
    sheet.add("until_ruled", _until(ruled >= KEPT))


def _add_page(sheet: _Sheet, columns: Columns, share: Array, prose: Marks) -> None:
    words, chars = columns.words, columns.chars
    total = max(1.0, float(words.sum()))
    kept = float((words * share).sum())
    for name, value in (
        ("blocks", float(len(words))),
        ("words", total),
        ("link_density", float((chars * columns.links).sum() / max(1.0, float(chars.sum())))),
        ("kept_words", kept),
        ("kept_share", kept / total),
        ("prose_kept", float((words * prose * share).sum() / max(1.0, float((words * prose).sum())))),
        ("list_share", float((words * (columns.kind == 2)).sum() / total)),
    ):
        sheet.add(f"page.{name}", np.full(len(words), value))


# --- tokens ----------------------------------------------------------------------------------------

# Words of class and id tokens: letters only, so that "post-123" and "post-124" are one.
_TOKEN_WORD = re.compile(r"[a-z]{2,24}")
Odds = tuple[float, float, float, float]
_NO_ODDS: Odds = (0.0, 0.0, 0.0, 0.0)
_TOKEN_NAMES = (
    *(f"token.own.{n}" for n in range(4)),
    *(f"token.up.{n}" for n in range(4)),
    "token.upper.0",
    "token.upper.2",
    *(f"token.path.{n}" for n in range(4)),
    *(f"token.inline.{n}" for n in range(4)),
    *(f"token.path{by:+}" for by in (-2, -1, 1, 2)),
)


# bounded, because a crawl meets ever new names
_NAMES_KEPT = 50_000


@lru_cache(maxsize=_NAMES_KEPT)
def token_words(token: str) -> tuple[str, ...]:
    return tuple(_TOKEN_WORD.findall(token))


def container_words(tokens: frozenset[str]) -> frozenset[str]:
    """The words that the names of one element are made of."""
    return frozenset(word for token in tokens for word in token_words(token))


class TokenOdds:
    """What the words in the names of elements say of the text below them.

    words: word of a token -> log odds of "belongs to the article", relative to all blocks, among the
    blocks that the verdict keeps and among those that it does not.
    """

    def __init__(self, words: Mapping[str, tuple[float, float]]) -> None:
        self.words = words
        # as they were met, for names return within a page and from page to page
        self._of: dict[frozenset[str], Odds] = {frozenset(): _NO_ODDS}

    def of(self, tokens: frozenset[str]) -> Odds:
        """Lowest and highest odds of any of the words in the first table, then in the second; 0 for none."""
        found = self._of.get(tokens)
        if found is None:
            if len(self._of) >= _NAMES_KEPT:
                self._of = {frozenset(): _NO_ODDS}
            found = self._of[tokens] = self._extremes_of(tokens)
        return found

    def _extremes_of(self, tokens: frozenset[str]) -> Odds:
        pairs = [self.words[word] for word in container_words(tokens) if word in self.words]
        if not pairs:
            return _NO_ODDS
        first, second = zip(*pairs, strict=True)
        return (min(0.0, *first), max(0.0, *first), min(0.0, *second), max(0.0, *second))


def _extremes(one: Odds, other: Odds) -> Odds:
    # written out: four calls of min and max take three times as long
    a, b, c, d = one
    e, f, g, h = other
    return (a if a < e else e, b if b > f else f, c if c < g else g, d if d > h else h)


def token_features(columns: Columns, verdict: Shares, odds: TokenOdds) -> tuple[Array, list[str]]:
    """What the names of a block's element and of the containers around it have meant elsewhere.

    (n, len(_TOKEN_NAMES)) and the names; verdict as for `page_features`.
    """
    blocks, containers = columns.page.blocks, columns.page.containers
    share = np.minimum(np.asarray(verdict, dtype=np.float32), 1.0)
    top = main_container(columns.inside(columns.chars * share), columns.depth)
    on_top = set(columns.page.path(top))
    # lowest and highest odds of every container: its own, and along the path down from the article's own
    own = [odds.of(container.tokens) for container in containers]
    path: list[Odds] = []
    for number, (container, mine) in enumerate(zip(containers, own, strict=True)):
        if number in on_top:
            path.append(_NO_ODDS)
        elif mine is _NO_ODDS:
            path.append(path[container.parent])
        else:
            path.append(_extremes(path[container.parent], mine))
    inline = [odds.of(block.inline_tokens) for block in blocks]
    own_odds, path_odds = np.array(own, dtype=np.float32), np.array(path, dtype=np.float32)
    inline_odds = np.array(inline, dtype=np.float32).reshape(len(blocks), 4)
    holder = columns.holder
    up = columns.parent[holder]
    along = path_odds[holder]
    along[:, 0::2] = np.minimum(along[:, 0::2], inline_odds[:, 0::2])
    along[:, 1::2] = np.maximum(along[:, 1::2], inline_odds[:, 1::2])
    sides = [_shifted(along[:, 0], by, 0.0) for by in (-2, -1, 1, 2)]
    parts = (
        own_odds[holder],
        own_odds[up],
        own_odds[columns.parent[up]][:, 0::2],
        along,
        inline_odds,
        np.stack(sides, axis=1),
    )
    return np.concatenate(parts, axis=1), list(_TOKEN_NAMES)
