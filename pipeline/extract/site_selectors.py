"""Applies the CSS selectors of a site's rules to a page, before the article is looked for.

What `drop` matches is removed from the tree, so that it is neither taken for the story nor evidence about
what stands around it; its text is kept with its place. What `take` matches becomes a page of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lxml.html

from pipeline.extract.structure import Judged
from pipeline.page import Page, Passage, find_by_selector, is_inline, segment_page, segment_with_places
from pipeline.sites import SiteRules

# Where `take` matches less text, it is ignored: a box that a new template leaves empty must not cost every
# story of a site. Short briefs are longer.
TAKEN_CHARS = 100


@dataclass(frozen=True, slots=True)
class SelectedPage:
    """A page as the selectors of its site leave it.

    dropped: the lines that were removed, in the order of the page, each with its rule; their positions are
    between those of the page's blocks. is_take_ignored: `take` matched too little text.
    """

    root: Any
    page: Page
    dropped: tuple[Judged, ...]
    is_take_ignored: bool


def apply_selectors(root: Any, rules: SiteRules) -> SelectedPage:
    """The page under `root` as the rules leave it. The tree is changed."""
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
    dropped: list[Judged] = []
    for element, place in places.items():
        rule, lines = texts[element]
        dropped += [Judged(Passage(None, line, place - 0.5), rule) for line in lines]
    return SelectedPage(root, page, tuple(dropped), bool(rules.take) and chars < TAKEN_CHARS)


def _outermost(root: Any, selectors: Sequence[str]) -> list[tuple[Any, str]]:
    """The elements that any selector matches, in document order, each with the first selector that does.

    Elements inside another one of them are left out.
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
    """Removes all of an element but its place: the text before and after it must not become one line."""
    element.clear(keep_tail=True)
    element.tag = "span" if is_inline(element.tag) else "div"


def _page_of(elements: Sequence[Any]) -> Any:
    """A page of nothing but these elements, which are moved there."""
    root = lxml.html.Element("html")
    body = lxml.html.Element("body")
    root.append(body)
    # Trafilatura reads the first <article> of a page. What is taken is one, unless it holds several.
    articles = sum(1 for element in elements for _ in element.iter("article"))
    holder = lxml.html.Element("article" if articles < 2 else "main")
    body.append(holder)
    for element in elements:
        element.tail = None
        holder.append(element)
    return root
