"""What of a page a site's selectors leave, before the article is looked for in it.

What they drop is taken out of the tree, so that nothing of it is taken for the story or tells against what
stands around it, and its text is kept with its place. What they take is made a page of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lxml.html

from pipeline.page import Page, Piece, find_by_selector, is_inline, segment_page, segment_with_places
from pipeline.sites import SiteRules

# What is taken holds at least so many characters of text, or it is not where the story stands: a box that a
# new template leaves empty must not cost every story of a site. Short briefs are longer.
TAKEN_CHARS = 100


@dataclass(frozen=True, slots=True)
class Selected:
    """A page as the site's rules leave it.

    dropped: the lines that went, in the order of the page, each with the rule that took it; their position is
    between those of the page's blocks. is_take_ignored: what was to be taken held too little text.
    """

    root: Any
    page: Page
    dropped: tuple[tuple[Piece, str | None], ...]
    is_take_ignored: bool


def select(root: Any, rules: SiteRules) -> Selected:
    """Applies a site's selectors to the tree under `root`, which is changed."""
    texts: dict[Any, tuple[str, list[str]]] = {}
    for element, selector in _outermost(root, rules.drop):
        lines = [block.text for block in segment_page(element).blocks]
        texts[element] = rules.rule_id("drop", selector), lines
        _empty(element)
    taken = [element for element, _ in _outermost(root, rules.take)]
    chars = sum(len(block.text) for element in taken for block in segment_page(element).blocks)
    if chars >= TAKEN_CHARS:
        root = _page_of(taken)
    page, places = segment_with_places(root, texts)
    dropped: list[tuple[Piece, str | None]] = []
    for element, place in places.items():
        rule, lines = texts[element]
        dropped += [(Piece(None, line, place - 0.5), rule) for line in lines]
    return Selected(root, page, tuple(dropped), bool(rules.take) and chars < TAKEN_CHARS)


def _outermost(root: Any, selectors: Sequence[str]) -> list[tuple[Any, str]]:
    """The elements that any selector matches, in document order, without those inside another of them.

    Each with the first selector that matches it.
    """
    matched: dict[Any, str] = {}
    for selector in selectors:
        for element in find_by_selector(root, selector):
            matched.setdefault(element, selector)
    inside: set[Any] = set()
    found = []
    for element in root.iter() if matched else ():
        if element.getparent() in inside:
            inside.add(element)
        elif element in matched:
            inside.add(element)
            found.append((element, matched[element]))
    return found


def _empty(element: Any) -> None:
    """Takes out all of an element but its place: what stood before and after it does not become one line."""
    element.clear(keep_tail=True)
    element.tag = "span" if is_inline(element.tag) else "div"


def _page_of(elements: Sequence[Any]) -> Any:
    """A page of nothing but these elements, which leave their own."""
    root = lxml.html.Element("html")
    body = lxml.html.Element("body")
    root.append(body)
    # An extractor looks for the first article of a page: all that is taken is one, unless several are in it.
    articles = sum(1 for element in elements for _ in element.iter("article"))
    holder = lxml.html.Element("article" if articles < 2 else "main")
    body.append(holder)
    for element in elements:
        element.tail = None
        holder.append(element)
    return root
