"""Cuts a parsed page into typed blocks of text, each with the evidence that rules ask for.

Extractors hand back text and throw away where it stood, and where a line stood (in a caption, in a
list of links, in a container called "newsletter") is what tells a story from the clutter around it.
So the raw tree is read once, before anything is pruned, and what an extractor keeps is looked up here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from lxml import etree

from pipeline.document import Block, BlockKind

# A page with more text blocks than this is an index or an attack; what follows is not read.
MAX_BLOCKS = 20_000
# Containers nested deeper than this are taken for one (text in them is still read).
MAX_DEPTH = 200

WORD = re.compile(r"\w+")


def _names(*lines: str) -> frozenset[str]:
    return frozenset(name for line in lines for name in line.split())


_SKIPPED: frozenset[str] = _names(
    "script style noscript template head svg iframe object embed canvas video audio select option optgroup",
    "textarea input datalist map area link meta title",
)
_INLINE = _names(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rb rp rt ruby s",
    "samp small span strike strong sub sup time tt u var wbr amp-link text ilayer",
)
# What the page is operated with. Menus are a quarter of the elements of a news page, and the model does as
# well without them; without footers and forms it does not (.9519 in place of .9537 on wcxb-dev).
_FURNITURE = _names("button nav")
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_CELLS = frozenset(("td", "th"))
_MEDIA = frozenset(("img", "amp-img", "picture"))
_KINDS = {
    "li": BlockKind.LIST_ITEM,
    "dt": BlockKind.LIST_ITEM,
    "dd": BlockKind.LIST_ITEM,
    "blockquote": BlockKind.QUOTE,
    "figcaption": BlockKind.CAPTION,
    "caption": BlockKind.CAPTION,
    "tr": BlockKind.TABLE_ROW,
}
# What an element is to the walk, by its name; any other is a box, which begins and ends blocks.
_BOX, _WITHIN_LINE, _SKIP, _BREAK, _IMAGE, _CELL, _DOUBTFUL = range(7)
_PARTS: dict[Any, int] = {
    **dict.fromkeys(_INLINE, _WITHIN_LINE),
    **dict.fromkeys(_SKIPPED, _SKIP),
    **dict.fromkeys(_MEDIA, _IMAGE),
    **dict.fromkeys(_CELLS, _CELL),
    "br": _BREAK,
    **dict.fromkeys(_FURNITURE, _DOUBTFUL),
    # nodes that are no elements have a function for a name
    etree.Comment: _SKIP,
    etree.ProcessingInstruction: _SKIP,
    etree.Entity: _SKIP,
}
# Attributes whose words say what an element is.
_NAMING = frozenset(("class", "id", "role", "itemprop"))
_NO_TOKENS: frozenset[str] = frozenset()
# Names of one attribute that are read.
_TOKENS = 40
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_SENTENCE_END = re.compile(r"[.!?…。!?।؟\"'”»)]\s*$")


@dataclass(slots=True)
class Container:
    """An element that holds blocks. `parent` indexes `Page.containers`; the root is its own parent.

    chars, link_chars: of all text inside; blocks: how many blocks; paragraphs: of them, prose of some length.
    """

    parent: int
    depth: int
    tag: str
    tokens: frozenset[str]
    chars: int = 0
    link_chars: int = 0
    blocks: int = 0
    paragraphs: int = 0


class RawBlock(NamedTuple):
    """One block as it stands in the page, with its place among the containers.

    container: index of the innermost container; the block's own element, where it has one.
    words: the words of the text, for comparison.
    """

    kind: BlockKind
    text: str
    link_chars: int
    links: int
    container: int
    tag: str
    inline_tokens: frozenset[str]
    words: tuple[str, ...]

    @property
    def link_density(self) -> float:
        return min(1.0, self.link_chars / len(self.text))


@dataclass(slots=True)
class Page:
    """All blocks of a page in document order.

    alt_texts: folded alt and title texts of the page's images. paths: what `path` has said, for many blocks
    share a container and every rule asks for it.
    """

    blocks: list[RawBlock] = field(default_factory=list)
    containers: list[Container] = field(default_factory=list)
    alt_texts: set[str] = field(default_factory=set)
    paths: dict[int, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)

    def path(self, container: int) -> tuple[int, ...]:
        """Indices of the container and those around it, innermost first, the root last."""
        found = self.paths.get(container)
        if found is None:
            parent = self.containers[container].parent
            found = (container,) if parent == container else (container, *self.path(parent))
            self.paths[container] = found
        return found

    def block(self, index: int, top: int = 0, text: str | None = None) -> Block:
        """The public form of a block; tokens are gathered up to, not including, the container `top`."""
        raw = self.blocks[index]
        tokens: set[str] = set(raw.inline_tokens)
        tags: list[str] = []
        inside = True
        for number in self.path(raw.container):
            inside = inside and number != top
            if inside:
                tokens |= self.containers[number].tokens
            tags.append(self.containers[number].tag)
        if raw.tag != tags[0]:
            tags.insert(0, raw.tag)
        return Block(
            kind=raw.kind,
            text=text if text is not None else raw.text,
            link_density=raw.link_density,
            tokens=frozenset(tokens),
            tags=tuple(tags),
        )


def words_of(text: str) -> tuple[str, ...]:
    """Lower-cased words, as compared between what stands on the page and what an extractor gives back."""
    return tuple(WORD.findall(text.lower()))


def folded(text: str) -> str:
    """The words of a text joined by blanks: equal for texts that differ in case, spaces and punctuation."""
    return " ".join(words_of(text))


def segment(root: Any) -> Page:
    """Cuts the tree under `root` (an lxml element) into blocks. The tree is read, not changed."""
    return _Segmenter().run(root)


def segment_around(root: Any, marked: Collection[Any]) -> tuple[Page, dict[Any, int]]:
    """As `segment`, and before which block each of the marked elements stands.

    An element within a block stands before that block; one in what shows no text stands nowhere.
    """
    segmenter = _Segmenter(marked)
    return segmenter.run(root), segmenter.places


class _Segmenter:
    """State of one walk over a tree: the open containers and the block being gathered.

    marked: elements of which `places` tells how many blocks there were when the walk came to them.
    """

    def __init__(self, marked: Collection[Any] = ()) -> None:
        self.page = Page()
        self.page.containers.append(Container(parent=0, depth=0, tag="html", tokens=_NO_TOKENS))
        self.open = [0]
        self.pieces: list[str] = []
        self.chars = 0
        self.link_chars = 0
        self.links = 0
        self.link_depth = 0
        self.breaks = 0
        # inline elements open or closed inside the present block: tokens, characters before and after
        self.inline_open: list[tuple[frozenset[str], int]] = []
        self.inline_seen: list[tuple[frozenset[str], int]] = []
        self.marked = marked
        self.places: dict[Any, int] = {}

    def run(self, root: Any) -> Page:
        walk = etree.iterwalk(root, events=("start", "end"))
        blocks, containers = self.page.blocks, self.page.containers
        surplus = 0
        for event, element in walk:
            tag = element.tag
            part = _PARTS.get(tag, _BOX)
            if part is _DOUBTFUL:
                part = _BOX if _holds_story(element) else _SKIP
            elif part is _CELL and containers[self.open[-1]].tag != "tr-row":
                part = _BOX
            if event == "start":
                if part is _BOX:
                    if len(self.open) > MAX_DEPTH:
                        self._end_block()
                        surplus += 1
                    else:
                        self._start_container(element, tag)
                        self._note(element)
                    self._text(element.text)
                elif part is _WITHIN_LINE:
                    self._start_inline(element, tag)
                    self._note(element)
                    self._text(element.text)
                elif part is _SKIP:
                    walk.skip_subtree()
                elif part is _BREAK:
                    self._line_break()
                elif part is _IMAGE:
                    self._image(element)
                else:
                    self._text(" ")
                    self._text(element.text)
            else:
                if part is _BOX:
                    if surplus:
                        self._end_block()
                        surplus -= 1
                    else:
                        self._end_container()
                elif part is _WITHIN_LINE:
                    self._end_inline(tag)
                if element is not root:
                    self._text(element.tail)
            if len(blocks) >= MAX_BLOCKS:
                break
        self._end_block()
        self._sum_up()
        return self.page

    def _start_container(self, element: Any, tag: str) -> None:
        self._end_block()
        if tag == "tr" and not is_layout_row(element):
            tag = "tr-row"
        containers = self.page.containers
        containers.append(Container(self.open[-1], len(self.open), tag, _tokens(element)))
        self.open.append(len(containers) - 1)

    def _end_container(self) -> None:
        self._end_block()
        if len(self.open) > 1:
            self.open.pop()

    def _start_inline(self, element: Any, tag: str) -> None:
        if tag == "a":
            self.link_depth += 1
            self.links += 1
        self.inline_open.append((_tokens(element), self.chars))

    def _end_inline(self, tag: str) -> None:
        if tag == "a":
            self.link_depth = max(0, self.link_depth - 1)
        if self.inline_open:
            tokens, start = self.inline_open.pop()
            if tokens:
                self.inline_seen.append((tokens, self.chars - start))

    def _note(self, element: Any) -> None:
        if self.marked and element in self.marked:
            self.places[element] = len(self.page.blocks)

    def _line_break(self) -> None:
        self.breaks += 1
        text = "".join(self.pieces[-3:])
        # one break ends a paragraph where a sentence of some length has just ended
        if self.breaks >= 2 or (self.chars >= 100 and _SENTENCE_END.search(text)):
            self._end_block()
        elif self.pieces:
            self.pieces.append(" ")

    def _image(self, element: Any) -> None:
        for name in ("alt", "title"):
            value = folded(element.get(name) or "")
            if value:
                self.page.alt_texts.add(value)

    def _text(self, text: str | None) -> None:
        if not text:
            return
        chars = len(text.strip())
        if chars:
            self.pieces.append(text)
            self.breaks = 0
            self.chars += chars
            if self.link_depth:
                self.link_chars += chars
        elif self.pieces:
            self.pieces.append(" ")

    def _end_block(self) -> None:
        # most elements begin and end where nothing has been gathered
        if self.pieces:
            self._add(" ".join("".join(self.pieces).split()))
            self.pieces.clear()
            self.inline_open = [(tokens, 0) for tokens, _ in self.inline_open]
            self.chars = self.link_chars = 0
        if self.inline_seen:
            self.inline_seen.clear()
        self.breaks = 0
        self.links = 1 if self.link_depth else 0

    def _add(self, text: str) -> None:
        words = words_of(text)
        if not words:
            return
        containers = self.page.containers
        kind, tag = BlockKind.PARAGRAPH, containers[self.open[-1]].tag
        for number in reversed(self.open[-4:]):
            name = containers[number].tag
            if name in _HEADINGS:
                kind, tag = BlockKind.HEADING, name
                break
            if name == "tr-row":
                cells_of_prose = len(text) > 300
                kind, tag = (BlockKind.PARAGRAPH if cells_of_prose else BlockKind.TABLE_ROW), "tr"
                break
            if name in _KINDS and name != "tr":
                kind = _KINDS[name]
                break
        inline: set[str] = set()
        for tokens, chars in [*self.inline_seen, *((t, self.chars - s) for t, s in self.inline_open)]:
            if chars >= 0.8 * self.chars:
                inline |= tokens
        self.page.blocks.append(
            RawBlock(
                kind=kind,
                text=text,
                link_chars=self.link_chars,
                links=self.links,
                container=self.open[-1],
                tag=tag,
                inline_tokens=frozenset(inline),
                words=words,
            )
        )

    def _sum_up(self) -> None:
        containers = self.page.containers
        for block in self.page.blocks:
            holder = containers[block.container]
            holder.chars += len(block.text)
            holder.link_chars += block.link_chars
            holder.blocks += 1
            if len(block.words) >= 15 and block.link_density < 0.5:
                holder.paragraphs += 1
        # children come after their parents, so going backwards every container is complete when it is added
        for number in range(len(containers) - 1, 0, -1):
            container = containers[number]
            if container.tag == "tr-row":
                container.tag = "tr"
            parent = containers[container.parent]
            parent.chars += container.chars
            parent.link_chars += container.link_chars
            parent.blocks += container.blocks
            parent.paragraphs += container.paragraphs


def _holds_story(element: Any) -> bool:
    """True where there may be text of the article in an element that is made for other things.

    A button or menu that was never closed holds all that follows it.
    """
    return next(element.iter("p", "main", "article", "h1"), None) is not None


def is_within_line(tag: str) -> bool:
    """Whether an element of this name stands within a line of text, and does not begin another."""
    return tag in _INLINE or tag in _CELLS


def is_layout_row(row: Any) -> bool:
    """True where a table row only places boxes on the page, as old templates do."""
    return any(
        child.tag not in _INLINE
        and child.tag not in _SKIPPED
        and child.tag not in _MEDIA
        and child.tag != "br"
        for cell in row
        for child in cell
        if isinstance(child.tag, str)
    )


def _tokens(element: Any) -> frozenset[str]:
    attributes = element.items()
    if not attributes:
        return _NO_TOKENS
    if len(attributes) == 1 and attributes[0][0] == "class":
        return _class_tokens(attributes[0][1])
    found: list[str] = []
    hidden = False
    for name, value in attributes:
        if name in _NAMING:
            found += value.lower().split()[:_TOKENS]
        elif name == "style":
            hidden = hidden or _HIDDEN_STYLE.search(value) is not None
        elif name == "hidden" or (name == "aria-hidden" and value == "true"):
            hidden = True
    if hidden:
        found.append("hidden")
    return frozenset(found) if found else _NO_TOKENS


# most elements that have names have nothing else, and the same ones
@lru_cache(maxsize=10_000)
def _class_tokens(value: str) -> frozenset[str]:
    return frozenset(value.lower().split()[:_TOKENS])


def common_container(page: Page, indices: Iterable[int], share: float = 0.8) -> int:
    """The innermost container that holds at least `share` of the text of the given blocks; 0 for none."""
    held: dict[int, int] = {}
    for index in indices:
        block = page.blocks[index]
        held[block.container] = held.get(block.container, 0) + len(block.text)
    total = sum(held.values())
    chars: dict[int, int] = {}
    for holder, count in held.items():
        for number in page.path(holder):
            chars[number] = chars.get(number, 0) + count
    best = 0
    for number, count in chars.items():
        if count >= share * total and page.containers[number].depth >= page.containers[best].depth:
            best = number
    return best
