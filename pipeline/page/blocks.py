"""Cuts a parsed page into typed blocks of text, each with its position among the page's containers.

Extractors return text without its position. But the position of a line (in a caption, in a list of links, in
a container called "newsletter") separates a story from the clutter around it. So the tree is read once,
before anything is removed from it, and the lines of an extractor are looked up among these blocks.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from lxml import etree

from pipeline.document import Block, BlockKind
from pipeline.text import AFTER_SENTENCE, runs, runs_key

# A page with more text blocks than this is an index or an attack. The rest of it is not read.
MAX_BLOCKS = 20_000
# Containers nested deeper than this are treated as one. Text in them is still read.
MAX_DEPTH = 200
# Prose is a block of at least so many words, of whose characters fewer than half are linked.
PROSE_WORDS = 15


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
# Controls and menus. docs/tuning.md: Lists of links
_FURNITURE = _names("button nav")
_CELLS = frozenset(("td", "th"))
_MEDIA = frozenset(("img", "amp-img", "picture"))
_KINDS = {
    "li": BlockKind.LIST_ITEM,
    "dt": BlockKind.LIST_ITEM,
    "dd": BlockKind.LIST_ITEM,
    "blockquote": BlockKind.QUOTE,
    "figcaption": BlockKind.CAPTION,
    "caption": BlockKind.CAPTION,
    "ul-links": BlockKind.LIST_ITEM,
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), BlockKind.HEADING),
}
# Module constants, because access to the members of an enumeration is slow.
_PARAGRAPH, _HEADING = BlockKind.PARAGRAPH, BlockKind.HEADING
# Tag names for an open table row that is not a layout row, and for a list that has only links.
_ROW, _LINKS = "tr-row", "ul-links"
_TAGS = {_ROW: "tr", _LINKS: "ul"}
# Outside these, a list that has only links is read as one block. docs/tuning.md: Lists of links
_STORY_BOXES = frozenset(("article", "main"))
_BETWEEN_LINKS = " · "
# How the walk treats an element, by tag name. Other elements are boxes, which begin and end blocks.
# The text directly inside the first four kinds is read.
_BOX, _SURPLUS, _WITHIN_LINE, _CELL, _BREAK, _IMAGE, _SKIP, _DOUBTFUL, _LIST = range(9)
_PARTS: dict[Any, int] = {
    **dict.fromkeys(_INLINE, _WITHIN_LINE),
    **dict.fromkeys(_SKIPPED, _SKIP),
    **dict.fromkeys(_MEDIA, _IMAGE),
    **dict.fromkeys(_CELLS, _CELL),
    "br": _BREAK,
    **dict.fromkeys(_FURNITURE, _DOUBTFUL),
    **dict.fromkeys(("ul", "ol"), _LIST),
    # The tag of a node that is not an element is a function.
    etree.Comment: _SKIP,
    etree.ProcessingInstruction: _SKIP,
    etree.Entity: _SKIP,
}
# Attributes whose words describe an element.
_NAMING = frozenset(("class", "id", "role", "itemprop"))
_NO_TOKENS: frozenset[str] = frozenset()
# At most so many names of one attribute are read.
_TOKENS = 40
_HIDDEN = frozenset(("hidden",))
# Longer attribute values are not cached: templates do not have them, and they would fill the cache.
_KNOWN_CHARS = 500
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_SENTENCE_END = re.compile(rf"{AFTER_SENTENCE}\s*$")


@dataclass(slots=True)
class Containers:
    """The elements that have blocks, in document order (parents before children); one list for each field.

    parent: number of the container around each. Container 0 is the root and its own parent.
    tokens: words of its class, id, role and itemprop.
    first, end: its blocks, with those of inner containers, are the range from `first` up to, not including,
        `end`.
    """

    parent: list[int] = field(default_factory=lambda: [0])
    depth: list[int] = field(default_factory=lambda: [0])
    tag: list[str] = field(default_factory=lambda: ["html"])
    tokens: list[frozenset[str]] = field(default_factory=lambda: [_NO_TOKENS])
    first: list[int] = field(default_factory=lambda: [0])
    end: list[int] = field(default_factory=lambda: [0])

    def __len__(self) -> int:
        return len(self.parent)

    def add(self, parent: int, depth: int, tag: str, tokens: frozenset[str], first: int) -> int:
        """Adds a container and returns its number; its `end` is set later."""
        number = len(self.parent)
        self.parent.append(parent)
        self.depth.append(depth)
        self.tag.append(tag)
        self.tokens.append(tokens)
        self.first.append(first)
        self.end.append(first)
        return number


class RawBlock(NamedTuple):
    """One block of the page as it was read.

    container: number of the innermost container; the block's own element if it has one.
    link_chars, links: characters inside links, and number of links.
    tag: tag name of the block's element. inline_tokens: tokens of inline elements around most of the text.
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
        """Share of the characters that are inside links, 0 to 1."""
        return min(1.0, self.link_chars / len(self.text))

    @property
    def is_prose(self) -> bool:
        """Whether it has at least `PROSE_WORDS` words and most of its text is not linked."""
        return len(self.words) >= PROSE_WORDS and 2 * self.link_chars < len(self.text)


@dataclass(slots=True)
class Page:
    """All blocks of a page in document order, and the elements that contain them.

    alt_texts: `runs_key` of alt and title texts of the page's images.
    paths: cache of `path`, because many blocks share a container and every rule needs it.
    """

    blocks: list[RawBlock] = field(default_factory=list)
    containers: Containers = field(default_factory=Containers)
    alt_texts: set[str] = field(default_factory=set)
    paths: dict[int, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)

    def path(self, container: int) -> tuple[int, ...]:
        """Numbers of the container and its ancestors, innermost first, the root last."""
        found = self.paths.get(container)
        if found is None:
            parent = self.containers.parent[container]
            found = (container,) if parent == container else (container, *self.path(parent))
            self.paths[container] = found
        return found

    def block(self, index: int, top: int = 0, text: str | None = None) -> Block:
        """The public form of a block. Its tokens are those of its containers below the container `top`."""
        raw = self.blocks[index]
        tokens: set[str] = set(raw.inline_tokens)
        tags: list[str] = []
        inside = True
        for number in self.path(raw.container):
            inside = inside and number != top
            if inside:
                tokens |= self.containers.tokens[number]
            tags.append(self.containers.tag[number])
        if raw.tag != tags[0]:
            tags.insert(0, raw.tag)
        return Block(
            kind=raw.kind,
            text=text if text is not None else raw.text,
            link_density=raw.link_density,
            tokens=frozenset(tokens),
            tags=tuple(tags),
        )


def segment_page(root: Any, *, link_by_link: bool = False) -> Page:
    """Cuts the tree under `root` (an lxml element) into blocks. The tree is not changed.

    link_by_link: a list that has only links gives a block for each link. Otherwise such a list outside
    the story is one block.
    """
    return _Segmenter(link_by_link=link_by_link).run(root)


def segment_with_places(root: Any, marked: Collection[Any]) -> tuple[Page, dict[Any, int]]:
    """As `segment_page`; also returns, for each marked element, the index of the block that follows it.

    For an element within a block this is the index of that block. An element in a part that shows no text
    has no index.
    """
    segmenter = _Segmenter(marked)
    return segmenter.run(root), segmenter.places


class _Segmenter:
    """State of one walk over a tree: the open boxes and the current block.

    marked: elements for which `places` records the number of blocks before them.
    """

    def __init__(self, marked: Collection[Any] = (), *, link_by_link: bool = False) -> None:
        self.link_by_link = link_by_link
        self.page = Page()
        # The open boxes, outermost first: their elements, tag names, and container numbers. Only boxes that
        # have a block already have a container number.
        self.boxes: list[Any] = [None]
        self.tags = ["html"]
        self.numbers = [0]
        self.pieces: list[str] = []
        self.chars = 0
        self.link_chars = 0
        self.links = 0
        self.link_depth = 0
        self.breaks = 0
        # Inline elements of the current block, open ones and closed ones: (element, characters before it)
        # and (element, characters inside it).
        self.inline_open: list[tuple[Any, int]] = []
        self.inline_seen: list[tuple[Any, int]] = []
        self.marked = marked
        self.places: dict[Any, int] = {}

    def run(self, root: Any) -> Page:
        """Walks the tree once, and returns its blocks and containers."""
        blocks, boxes, tags, numbers = self.page.blocks, self.boxes, self.tags, self.numbers
        ends = self.page.containers.end
        end_block, add_text, pieces, marked = self._end_block, self._text, self.pieces, self.marked
        open_parts: list[int] = []
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            if event == "start":
                tag = element.tag
                part = _PARTS.get(tag, _BOX)
                links: Sequence[str] = ()
                if part is _DOUBTFUL:
                    part = _BOX if _holds_story(element) else _SKIP
                elif part is _CELL and tags[-1] != _ROW:
                    part = _BOX
                elif part is _LIST:
                    part = _BOX
                    if not self.link_by_link and _STORY_BOXES.isdisjoint(tags):
                        links = _links_alone(element)
                if part is _BOX:
                    # For most elements there is nothing to end.
                    if pieces or self.links or self.breaks:
                        end_block()
                    if len(tags) > MAX_DEPTH:
                        part = _SURPLUS
                    else:
                        boxes.append(element)
                        tags.append(_ROW if tag == "tr" and not is_layout_row(element) else tag)
                        if marked:
                            self._note(element)
                        if links:
                            walk.skip_subtree()
                            self._list_of_links(element, links)
                elif part is _WITHIN_LINE:
                    if tag == "a":
                        self.link_depth += 1
                        self.links += 1
                    self.inline_open.append((element, self.chars))
                    if marked:
                        self._note(element)
                elif part is _SKIP:
                    walk.skip_subtree()
                elif part is _BREAK:
                    self._line_break()
                elif part is _IMAGE:
                    self._image(element)
                else:
                    add_text(" ")
                open_parts.append(part)
                if part <= _CELL and (text := element.text) and (pieces or not text.isspace()):
                    add_text(text)
            else:
                part = open_parts.pop()
                if part is _BOX:
                    if pieces or self.links or self.breaks:
                        end_block()
                    boxes.pop()
                    tags.pop()
                    if len(numbers) > len(tags):
                        ends[numbers.pop()] = len(blocks)
                elif part is _SURPLUS:
                    end_block()
                elif part is _WITHIN_LINE:
                    self._end_inline(element)
                if (text := element.tail) and element is not root and (pieces or not text.isspace()):
                    add_text(text)
            if len(blocks) >= MAX_BLOCKS:
                break
        end_block()
        for number in numbers:
            ends[number] = len(blocks)
        return self.page

    def _list_of_links(self, element: Any, links: Sequence[str]) -> None:
        """Reads a list that has only links into one block. Its box has just been opened."""
        self.tags[-1] = _LINKS
        for inner in element.iter() if self.marked else ():
            self._note(inner)
        self.pieces.append(_BETWEEN_LINKS.join(links))
        self.chars = self.link_chars = len(self.pieces[0])
        self.links = len(links)

    def _note(self, element: Any) -> None:
        if element in self.marked:
            self.places[element] = len(self.page.blocks)

    def _end_inline(self, element: Any) -> None:
        if element.tag == "a":
            self.link_depth -= 1
        element, start = self.inline_open.pop()
        if self.chars > start:
            self.inline_seen.append((element, self.chars - start))

    def _line_break(self) -> None:
        self.breaks += 1
        # Two breaks end a paragraph; one does so after a sentence if the paragraph is not short.
        if self.breaks >= 2 or (self.chars >= 100 and _SENTENCE_END.search("".join(self.pieces[-3:]))):
            self._end_block()
        elif self.pieces:
            self.pieces.append(" ")

    def _image(self, element: Any) -> None:
        for name in ("alt", "title"):
            value = runs_key(element.get(name) or "")
            if value:
                self.page.alt_texts.add(value)

    def _text(self, text: str) -> None:
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
        if self.pieces:
            text = "".join(self.pieces).strip()
            # The blank is the only printable white space, so other texts need no folding.
            if "  " in text or not text.isprintable():
                text = " ".join(text.split())
            self._add(text)
            self.pieces.clear()
            self.inline_seen.clear()
            if self.inline_open:
                self.inline_open = [(element, 0) for element, _ in self.inline_open]
            self.chars = self.link_chars = 0
        self.breaks = 0
        self.links = 1 if self.link_depth else 0

    def _add(self, text: str) -> None:
        words = runs(text)
        if not words:
            return
        kind, tag = _PARAGRAPH, self.tags[-1]
        for name in self.tags[:-5:-1]:
            if name in _KINDS:
                kind = _KINDS[name]
                if kind is _HEADING:
                    tag = name
                break
            if name == _ROW:
                # A row with so much text has prose in its cells.
                kind, tag = (_PARAGRAPH if len(text) > 300 else BlockKind.TABLE_ROW), "tr"
                break
        most = 0.8 * self.chars
        inline = _NO_TOKENS
        for element, chars in self.inline_seen:
            if chars >= most:
                inline |= _tokens(element)
        for element, start in self.inline_open:
            if self.chars - start >= most:
                inline |= _tokens(element)
        number = self._container()
        tag = _TAGS.get(tag, tag)
        self.page.blocks.append(RawBlock(kind, text, self.link_chars, self.links, number, tag, inline, words))

    def _container(self) -> int:
        """The container number of the innermost open box. Open boxes without a number become containers."""
        numbers = self.numbers
        if len(numbers) < len(self.tags):
            add, first = self.page.containers.add, len(self.page.blocks)
            for depth in range(len(numbers), len(self.tags)):
                tag = self.tags[depth]
                tokens = _tokens(self.boxes[depth])
                numbers.append(add(numbers[-1], depth, _TAGS.get(tag, tag), tokens, first))
        return numbers[-1]


def _holds_story(element: Any) -> bool:
    """Whether a button or menu may contain text of the article.

    One that was never closed contains everything after it.
    """
    return next(element.iter("p", "main", "article", "h1"), None) is not None


_SHOWN = etree.XPath("string()", smart_strings=False)
_IN_LINKS = etree.XPath(".//a//text()", smart_strings=False)


def _links_alone(element: Any) -> Sequence[str]:
    """The link texts of a list that has only links; empty if it has other text or fewer than two links."""
    texts = [text for text in map(str.strip, _IN_LINKS(element)) if text]
    if len(texts) < 2 or len("".join(_SHOWN(element).split())) != len("".join("".join(texts).split())):
        return ()
    # The text in such elements is not shown.
    if next(element.iter(*_SKIPPED), None) is not None:
        return ()
    links = [*element.iter("a")]
    found = [text for link in links if (text := (link.text or "").strip())]
    if len(found) != len(texts):
        found = [text for text in map(str.strip, map(_SHOWN, links)) if text]
    return found if len(found) > 1 else ()


def is_inline(tag: str) -> bool:
    """Whether an element of this tag name is part of a line of text and does not begin a new one."""
    return tag in _INLINE or tag in _CELLS


def is_layout_row(row: Any) -> bool:
    """Whether a table row is only used for page layout, as in old templates."""
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
    tokens = _NO_TOKENS
    hidden = False
    for name, value in element.items():
        if name in _NAMING:
            named = _known_names(value) if len(value) <= _KNOWN_CHARS else _names_in(value)
            tokens = tokens | named if tokens else named
        elif name == "style":
            hidden = hidden or _HIDDEN_STYLE.search(value) is not None
        elif name == "hidden" or (name == "aria-hidden" and value == "true"):
            hidden = True
    return tokens | _HIDDEN if hidden else tokens


def _names_in(value: str) -> frozenset[str]:
    return frozenset(value.lower().split()[:_TOKENS])


# Cached, because most elements share their names with many others of the page and of the site.
_known_names = lru_cache(maxsize=10_000)(_names_in)


# The common container of some blocks has at least this share of their text. It is more than half, so that
# two siblings cannot both have it.
_COMMON_SHARE = 0.8


def common_container(page: Page, indices: Iterable[int]) -> int:
    """The innermost container that has at least `_COMMON_SHARE` of the given blocks' text; 0 for none."""
    chars = [0] * len(page.containers)
    for index in indices:
        block = page.blocks[index]
        chars[block.container] += len(block.text)
    enough = _COMMON_SHARE * sum(chars)
    # Children come after their parents. So, going backwards, the first with enough text is the innermost.
    for number in range(len(chars) - 1, 0, -1):
        held = chars[number]
        if held:
            if held >= enough:
                return number
            chars[page.containers.parent[number]] += held
    return 0
