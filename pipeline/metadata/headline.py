"""Headline of a page, without the names of the site, section or column; never the masthead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from lxml import etree

from pipeline.metadata.dates import date_in_line
from pipeline.metadata.outlet import is_site, site_words
from pipeline.metadata.structured_data import StructuredData, cleaned, element_text, text_of, types_of
from pipeline.text import runs, runs_key

_SEPARATOR = re.compile(r"\s*[_｜]\s*|\s*--+\s*|\s+[|–—\-:·•»«›‹~/]{1,2}\s+|\s*\|\s*|\s+[•·»]\s*")

# Each separator is a place to cut a title at. A title with more of them is no headline, and comparing the
# parts on both sides of each would take time by the square of their number.
_MOST_SEPARATORS = 30


def without_affixes(title: str, names: set[str], others: Iterable[str]) -> str:
    """Removes the site name or section before or after a title.

    names: `runs_key` of the names of the site. others: other statements of the title. If a part of the title
    is equal to one of them, that part is the result.
    """
    cuts = list(islice(_SEPARATOR.finditer(title), _MOST_SEPARATORS + 1))
    if not cuts or len(cuts) > _MOST_SEPARATORS:
        return title
    wanted = {runs_key(o) for o in others}
    for cut in cuts:
        for part in (title[: cut.start()], title[cut.end() :]):
            if len(runs(part)) >= 2 and runs_key(part) in wanted:
                return part.strip()
    changed = True
    while changed:
        changed = False
        cuts = list(_SEPARATOR.finditer(title))
        if not cuts:
            break
        head, tail = title[: cuts[-1].start()].strip(), title[cuts[-1].end() :].strip()
        if is_site(tail, names) and len(runs(head)) >= 1:
            title, changed = head, True
            continue
        head, tail = title[: cuts[0].start()].strip(), title[cuts[0].end() :].strip()
        if is_site(head, names) and len(runs(tail)) >= 2:
            title, changed = tail, True
    return title


def _headings(data: StructuredData) -> list[str]:
    found = []
    for heading in data.headings:
        text = element_text(heading)
        if text and len(text) < 400:
            found.append(text)
        if len(found) >= 12:
            break
    return found


def headline_of(
    root: Any, data: StructuredData, site_name: str | None, url: str
) -> tuple[str, tuple[str, ...]]:
    """Returns the headline ("" if the page has none), and all statements of it, the headline first.

    A visible heading that other statements agree with comes first, then JSON-LD, og:title, the document's
    title and twitter:title. In pages of a news type the JSON-LD headline usually comes first.
    """
    names = site_words(site_name, url, data)
    ld = cleaned(text_of(data.article.get("headline")))
    og = [cleaned(t) for t in data.meta("og:title")]
    twitter = [cleaned(t) for t in data.meta("twitter:title")]
    document = [t for t in (element_text(e) for e in _document_titles(root)) if t]
    headings = _headings(data)
    itemprop = [element_text(e) for e in [e for e in data.items if e.get("itemprop") == "headline"][:2]]
    raw = [t for t in [*headings[:1], ld, *og, *twitter, *document] if t]
    sections = _sections(data)
    known = [ld, *og, *twitter, *document]
    headings = [_trimmed(_respaced(h, known), known, sections) for h in headings]
    heads = [without_affixes(h, names, known) for h in headings if not is_site(h, names)]
    stripped_ld = without_affixes(ld, names, [*heads, *og]) if ld else ""
    stripped_og = [without_affixes(t, names, [*heads, ld]) for t in og if t]
    stripped_doc = [without_affixes(t, names, [*heads, ld, *stripped_og]) for t in document]
    stated = [t for t in [stripped_ld, *stripped_og, *stripped_doc, *twitter] if t]
    stated = [t for t in stated if not is_site(t, names)] or ([] if heads else stated)
    heading = _agreed_heading(heads, itemprop, stated)
    title = heading or next(iter(stated), "") or next(iter(heads), "")
    if stripped_ld and _NEWS_TYPE.search(types_of(data.article)):
        # In pages of a news type this headline is written by the newsroom. In others a plug-in writes it for
        # search engines, and the visible headline is better.
        seen = heading and [runs_key(heading)] == [runs_key(t) for t in stripped_og[:1]]
        third = runs_key(next(iter(stripped_doc), ""))
        shared = {runs_key(t) for t in [*stripped_og, *twitter]}
        alone = len(heads) == 1 and len(runs(heads[0])) >= 4 and runs_key(stripped_ld) not in shared
        if alone and runs_key(heads[0]) not in {*shared, third}:
            # What is shared is a third headline: neither is confirmed, and readers see the page's only h1.
            title = heads[0]
        else:
            title = heading if seen and third == runs_key(stripped_ld) else stripped_ld
        title = _without_kicker(title, stripped_og)
    return title, tuple(dict.fromkeys([t for t in (title, *raw, *stated) if t]))


_NEWS_TYPE = re.compile(r"News")


def _sections(data: StructuredData) -> set[str]:
    """Folded names of the sections that the page states, and of common columns."""
    names = [*data.meta("article:section", "section", "parsely-section")]
    sections = data.article.get("articleSection")
    names += [n for n in (sections if isinstance(sections, list) else [sections]) if isinstance(n, str)]
    for node in data.nodes:
        if types_of(node) == "ListItem":
            item = node.get("item")
            names.append(text_of(node.get("name")) or text_of(item if isinstance(item, dict) else None))
    return {runs_key(n) for n in names if n and len(n) <= 40} | _COLUMNS


# Names of columns and kinds of text that pages put before or after the headline.
_COLUMNS = frozenset(
    ("blog", "news", "opinion", "video", "title", "podcast", "comment", "kommentar", "editorial")
)


def _respaced(heading: str, known: Iterable[str]) -> str:
    """The heading with the word breaks of another statement of it, because its markup may split a word."""
    words = runs_key(heading)
    letters = words.replace(" ", "")
    for other in known:
        others = runs_key(other)
        if others != words and others.replace(" ", "") == letters:
            return other
    return heading


def _trimmed(heading: str, known: Iterable[str], sections: set[str]) -> str:
    """A heading without a section, a date or a credit that is in the same element."""
    for cut in list(_SEPARATOR.finditer(heading))[-1:]:
        head, tail = heading[: cut.start()], heading[cut.end() :]
        if runs_key(tail) in sections and len(runs(head)) >= 3 and "|" in cut.group():
            return head
    for other in known:
        begins, ends = heading.startswith(other), heading.endswith(other)
        if not (begins or ends) or len(runs(other)) < 3 or runs_key(other) == runs_key(heading):
            continue
        if begins and _BESIDE_HEADLINE.match(heading[len(other) :].strip()):
            return other
        if ends:
            before = heading[: -len(other)].strip()
            is_label = before.endswith(":") and runs_key(before) in sections
            if is_label or (len(before) <= 20 and date_in_line(before)):
                return other
    return heading


_BESIDE_HEADLINE = re.compile(r"(?:posted|published|updated|written by|by)\b|\([\w-]+(?:\.[\w-]+)+\)", re.I)


def _without_kicker(title: str, shared: Sequence[str]) -> str:
    """A headline without its kicker ("Olympic Games: …"), if the title for sharing does not have it."""
    for other in shared[:1]:
        kicker = title.removesuffix(other)
        if kicker != title and kicker.rstrip().endswith(":") and len(runs(other)) >= 4:
            return other
    return title


def _document_titles(root: Any) -> list[Any]:
    # <svg> may have <title> elements too, so this is the one in the head, or else the first outside <svg>.
    return list(_TITLE(root)[:1] or _FIRST_TITLE(root)[:1])


_TITLE = etree.XPath("/html/head/title")
_FIRST_TITLE = etree.XPath("//title[not(ancestor::svg)]")


def _agreed_heading(heads: list[str], itemprop: list[str], stated: list[str]) -> str:
    """The visible heading that another statement agrees with, or a long h1 if it is the only one; else ""."""
    for heading in [*itemprop, *heads]:
        mine = set(runs(heading))
        if not mine:
            continue
        for other in stated:
            theirs = set(runs(other))
            if mine == theirs or len(mine & theirs) >= 0.6 * max(1, min(len(mine), len(theirs))) >= 1.2:
                return heading
    if len(heads) == 1 and len(runs(heads[0])) >= 4:
        return heads[0]
    return ""
