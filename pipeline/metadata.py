"""What a page says about its article: title, authors, date, language, address, access.

Pages say the same thing several times (JSON-LD, meta elements, visible text) and rarely the same
way, so each value is chosen from all of its statements: by trust in the source, and by agreement.
"""

from __future__ import annotations

import html as html_entities
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from pipeline.document import Access

_WORD = re.compile(r"\w+")
_ARTICLE_TYPE = re.compile(r"(Article|BlogPosting|Report|Posting|Review|AnalysisNews|OpinionNews)$", re.I)
_PAGE_TYPE = re.compile(r"^(WebPage|ItemPage|VideoObject|Recipe|CreativeWork|MediaObject)$", re.I)


@dataclass(frozen=True, slots=True)
class Metadata:
    """Everything a page says about its article; see `Extraction` for the fields of the same name.

    article_body: JSON-LD articleBody, a text of last resort where the page itself shows none.
    page_type: og:type, lower-cased ("article", "website", …) or "".
    is_article: the page states that it is one (JSON-LD type, og:type, article:published_time).
    is_video: the page states that it is a film or a recording, and no article.
    """

    title: str
    authors: tuple[str, ...]
    published_at: datetime | None
    published_source: str | None
    canonical_url: str | None
    site_name: str | None
    html_language: str | None
    access: Access
    article_body: str
    page_type: str
    is_article: bool
    is_video: bool
    titles: tuple[str, ...]
    descriptions: tuple[str, ...]


@dataclass(slots=True)
class _Statements:
    """What was found in the head of the page and in its JSON-LD, unjudged."""

    metas: dict[str, list[str]] = field(default_factory=dict)
    nodes: list[dict[str, Any]] = field(default_factory=list)
    article: dict[str, Any] = field(default_factory=dict)
    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)

    def meta(self, *names: str) -> list[str]:
        return [value for name in names for value in self.metas.get(name, ())]


def read_metadata(root: Any, url: str, fetched_at: datetime, lines: Sequence[str] = ()) -> Metadata:
    """Reads a parsed page (lxml root element).

    fetched_at: aware; nothing is published after it. lines: visible lines around the headline, where a
    date may stand that no machine-readable statement repeats.
    """
    said = _gather(root, url)
    article = said.article
    site_name = _site_name(said, root)
    title, titles = _title(root, said, site_name, url)
    published_at, source = _published(root, said, url, fetched_at, lines)
    page_type = next(iter(said.meta("og:type")), "").lower()
    is_article = (
        bool(article and _ARTICLE_TYPE.search(_types(article)))
        or page_type.startswith("article")
        or bool(said.meta("article:published_time"))
    )
    return Metadata(
        title=title,
        authors=_authors(root, said, _outlet_words(site_name, url, said), lines),
        published_at=published_at,
        published_source=source,
        canonical_url=_canonical(root, said, url),
        site_name=site_name,
        html_language=_html_language(root, said),
        access=_access(said),
        article_body=_text_of(article.get("articleBody")),
        page_type=page_type,
        is_article=is_article,
        is_video=not is_article and (page_type.startswith("video") or _types(article) == "VideoObject"),
        titles=titles,
        descriptions=tuple(
            _clean(d)
            for d in [
                *said.meta("og:description", "description", "twitter:description"),
                _text_of(article.get("description")),
            ]
            if d
        ),
    )


# --- reading ---------------------------------------------------------------------------------------


def _gather(root: Any, url: str) -> _Statements:
    said = _Statements()
    for meta in root.iter("meta"):
        content = (meta.get("content") or "").strip()
        if not content:
            continue
        for attribute in ("property", "name", "itemprop", "http-equiv"):
            name = meta.get(attribute)
            if name:
                said.metas.setdefault(name.strip().lower(), []).append(content)
    for script in root.iter("script"):
        if "ld+json" in (script.get("type") or "").lower() and script.text:
            said.nodes += read_json_ld(script.text)
    for node in said.nodes:
        identity = node.get("@id")
        if isinstance(identity, str) and len(node) > 1:
            said.by_id.setdefault(identity, node)
    said.article = _choose_article(said.nodes, url)
    return said


def read_json_ld(text: str) -> list[dict[str, Any]]:
    """All objects of a JSON-LD script, outermost first, graphs and lists unfolded.

    Scripts that are no JSON are repaired where the damage is of a common kind, and otherwise read
    key by key, so that one stray character does not cost the date and the authors.
    """
    text = text.strip().removeprefix("<!--").removesuffix("-->").strip()
    text = re.sub(r"^\s*(//)?\s*<!\[CDATA\[|(//)?\s*\]\]>\s*$", "", text).strip().rstrip(";")
    for reading in (str, _repaired):
        try:
            return list(_objects(json.loads(reading(text), strict=False)))
        except (ValueError, RecursionError):
            continue
    return _scraped(text)


def _repaired(text: str) -> str:
    text = html_entities.unescape(text) if "&quot;" in text and '"' not in text[:200] else text
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r",\s*([}\]])", r"\1", text)
    text = re.sub(r"([}\]])\s*(\{)", r"\1,\2", text)
    text = re.sub(r"\\(?![\"\\/bfnrtu])", r"\\\\", text)
    if not text.startswith("["):
        # several objects one after the other
        text = f"[{text}]" if re.search(r"\},\{", text) and not text.startswith("{") else text
    return text


_SCRAPED_KEY = re.compile(
    r'"(headline|datePublished|dateCreated|dateModified|@type|articleBody|isAccessibleForFree|url)"\s*:\s*'
    r'(?:"((?:[^"\\]|\\.)*)"|(true|false))'
)
_SCRAPED_AUTHOR = re.compile(r'"author"\s*:\s*(\[.*?\]|\{.*?\}|"(?:[^"\\]|\\.)*")', re.S)
_SCRAPED_NAME = re.compile(r'"name"\s*:\s*"((?:[^"\\]|\\.)*)"')


def _scraped(text: str) -> list[dict[str, Any]]:
    text = text[:500_000]
    node: dict[str, Any] = {}
    for key, string, literal in _SCRAPED_KEY.findall(text):
        if key == "@type" and "@type" in node and not _ARTICLE_TYPE.search(string):
            continue
        if key != "@type" and key in node:
            continue
        node[key] = _unescaped(string) if string else literal == "true"
    author = _SCRAPED_AUTHOR.search(text)
    if author:
        names = _SCRAPED_NAME.findall(author[1]) or re.findall(r'^"((?:[^"\\]|\\.)*)"$', author[1])
        node["author"] = [_unescaped(name) for name in names]
    return [node] if node else []


def _unescaped(string: str) -> str:
    try:
        return str(json.loads(f'"{string}"', strict=False))
    except ValueError:
        return string


def _objects(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if depth > 6:
        return
    if isinstance(value, list):
        for item in value[:200]:
            yield from _objects(item, depth + 1)
    elif isinstance(value, dict):
        yield value
        for key in (
            "@graph",
            "mainEntity",
            "mainEntityOfPage",
            "itemListElement",
            "author",
            "publisher",
            "hasPart",
        ):
            inner = value.get(key)
            if isinstance(inner, dict | list):
                yield from _objects(inner, depth + 1)


def _types(node: dict[str, Any]) -> str:
    kind = node.get("@type")
    kinds = kind if isinstance(kind, list) else [kind]
    names = [k for k in kinds if isinstance(k, str)]
    return next((k for k in names if _ARTICLE_TYPE.search(k)), names[0] if names else "")


def _choose_article(nodes: list[dict[str, Any]], url: str) -> dict[str, Any]:
    best: dict[str, Any] = {}
    best_score = 0.0
    path = urlsplit(url).path.rstrip("/")
    for node in nodes:
        kind = _types(node)
        score = 4.0 if _ARTICLE_TYPE.search(kind) else 1.0 if _PAGE_TYPE.search(kind) else 0.0
        if not score:
            continue
        if kind.lower().endswith("review"):
            score -= 1
        score += (
            1.0 * bool(node.get("datePublished"))
            + 1.0 * bool(node.get("headline"))
            + 0.5 * bool(node.get("author"))
        )
        address = node.get("url") or node.get("@id") or node.get("mainEntityOfPage") or ""
        if isinstance(address, dict):
            address = address.get("@id") or ""
        if path and isinstance(address, str) and urlsplit(address).path.rstrip("/") == path:
            score += 1.5
        if score > best_score:
            best, best_score = node, score
    return best


def _text_of(value: Any) -> str:
    if isinstance(value, list):
        value = next((v for v in value if isinstance(v, str)), "")
    if isinstance(value, dict):
        value = value.get("@value") or value.get("name") or ""
    return value.strip() if isinstance(value, str) else ""


def _clean(text: str) -> str:
    for _ in range(2):
        if "&" not in text:
            break
        text = html_entities.unescape(text)
    if "<" in text:
        text = re.sub(r"</?[a-zA-Z][^<>]{0,200}>", "", text)
    return " ".join(text.replace("\u200b", "").replace("\xad", "").split())


def _folded(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def _element_text(element: Any) -> str:
    return _clean(" ".join(element.itertext()))


# --- title -----------------------------------------------------------------------------------------

_SEPARATOR = re.compile(r"\s*[_｜]\s*|\s*--+\s*|\s+[|–—\-:·•»«›‹~/]{1,2}\s+|\s*\|\s*|\s+[•·»]\s*")


def _site_name(said: _Statements, root: Any) -> str | None:
    for name in said.meta("og:site_name"):
        if _clean(name):
            return _clean(name)
    publisher = _text_of(_resolved(said.article.get("publisher"), said))
    if publisher and not publisher.startswith("http"):
        return _clean(publisher)
    for name in said.meta("application-name", "apple-mobile-web-app-title"):
        if _clean(name):
            return _clean(name)
    for node in said.nodes:
        if _types(node) in ("WebSite", "NewsMediaOrganization", "Organization") and _text_of(
            node.get("name")
        ):
            return _clean(_text_of(node.get("name")))
    return None


def _site_words(site_name: str | None, url: str, said: _Statements) -> set[str]:
    names = {_folded(site_name or "").replace(" ", "")}
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    parts = host.split(".")
    if len(parts) >= 2:
        names.add(parts[-2] if len(parts[-2]) > 3 or len(parts) < 3 else parts[-3])
        names.add(host.replace(".", "").replace("-", ""))
    for name in said.meta("twitter:site", "application-name", "al:ios:app_name", "og:site_name"):
        names.add(_folded(name.lstrip("@")).replace(" ", ""))
    names.discard("")
    return {n for n in names if len(n) >= 2}


def _is_site(part: str, names: set[str]) -> bool:
    word = _folded(part).replace(" ", "")
    if not word:
        return True
    if word in names:
        return True
    return any(
        len(n) >= 4 and (word.startswith(n) or word.endswith(n) or n in word) and len(word) <= len(n) + 14
        for n in names
    )


def without_affixes(title: str, names: set[str], others: Iterable[str]) -> str:
    """A title without the site name or section that a page puts before or after it.

    names: folded names of the site. others: other statements of the title; a cut that makes the
    title equal to one of them is believed.
    """
    wanted = {_folded(o) for o in others}
    cuts = list(_SEPARATOR.finditer(title))
    for cut in cuts:
        for part in (title[: cut.start()], title[cut.end() :]):
            if len(_WORD.findall(part)) >= 2 and _folded(part) in wanted:
                return part.strip()
    changed = True
    while changed:
        changed = False
        cuts = list(_SEPARATOR.finditer(title))
        if not cuts:
            break
        head, tail = title[: cuts[-1].start()].strip(), title[cuts[-1].end() :].strip()
        if _is_site(tail, names) and len(_WORD.findall(head)) >= 1:
            title, changed = head, True
            continue
        head, tail = title[: cuts[0].start()].strip(), title[cuts[0].end() :].strip()
        if _is_site(head, names) and len(_WORD.findall(tail)) >= 2:
            title, changed = tail, True
    return title


def _headings(root: Any) -> list[str]:
    found = []
    for heading in root.iter("h1"):
        text = _element_text(heading)
        if text and len(text) < 400:
            found.append(text)
        if len(found) >= 12:
            break
    return found


def _title(root: Any, said: _Statements, site_name: str | None, url: str) -> tuple[str, tuple[str, ...]]:
    names = _site_words(site_name, url, said)
    ld = _clean(_text_of(said.article.get("headline")))
    og = [_clean(t) for t in said.meta("og:title")]
    twitter = [_clean(t) for t in said.meta("twitter:title")]
    document = [t for t in (_element_text(e) for e in _document_titles(root)) if t]
    headings = _headings(root)
    itemprop = [_element_text(e) for e in root.xpath("//*[@itemprop='headline'][not(self::meta)]")[:2]]
    raw = [t for t in [*headings[:1], ld, *og, *twitter, *document] if t]
    sections = _sections(said)
    known = [ld, *og, *twitter, *document]
    headings = [_trimmed(_respaced(h, known), known, sections) for h in headings]
    heads = [h for h in headings if not _is_site(h, names)]
    stripped_ld = without_affixes(ld, names, [*heads, *og]) if ld else ""
    stripped_og = [without_affixes(t, names, [*heads, ld]) for t in og if t]
    stripped_doc = [without_affixes(t, names, [*heads, ld, *stripped_og]) for t in document]
    stated = [t for t in [stripped_ld, *stripped_og, *stripped_doc, *twitter] if t]
    stated = [t for t in stated if not _is_site(t, names)] or ([] if heads else stated)
    heading = _agreed_heading(heads, itemprop, stated)
    title = heading or next(iter(stated), "") or next(iter(heads), "")
    if stripped_ld and _NEWS_TYPE.search(_types(said.article)):
        # Newsrooms fill in this headline themselves. Elsewhere plug-ins do, for search engines, and what
        # readers see is the better title.
        seen = heading and [_folded(heading)] == [_folded(t) for t in stripped_og[:1]]
        third = _folded(next(iter(stripped_doc), ""))
        title = heading if seen and third == _folded(stripped_ld) else stripped_ld
        title = _without_kicker(title, stripped_og)
    return title, tuple(dict.fromkeys([t for t in (title, *raw, *stated) if t]))


_NEWS_TYPE = re.compile(r"News")


def _sections(said: _Statements) -> set[str]:
    """Folded names of the sections that the page says it belongs to."""
    names = [*said.meta("article:section", "section", "parsely-section")]
    sections = said.article.get("articleSection")
    names += [n for n in (sections if isinstance(sections, list) else [sections]) if isinstance(n, str)]
    for node in said.nodes:
        if _types(node) == "ListItem":
            item = node.get("item")
            names.append(_text_of(node.get("name")) or _text_of(item if isinstance(item, dict) else None))
    return {_folded(n) for n in names if n and len(n) <= 40} | _COLUMNS


# What pages call kinds of text, set before or after the headline.
_COLUMNS = frozenset(
    ("blog", "news", "opinion", "video", "title", "podcast", "comment", "kommentar", "editorial")
)


def _respaced(heading: str, known: Iterable[str]) -> str:
    """The heading with the blanks of another statement of it: its markup may break a word in two."""
    letters = _folded(heading).replace(" ", "")
    return next(
        (k for k in known if _folded(k) != _folded(heading) and _folded(k).replace(" ", "") == letters),
        heading,
    )


def _trimmed(heading: str, known: Iterable[str], sections: set[str]) -> str:
    """A heading without a section beside it, or a date and a credit that its element holds as well."""
    for cut in list(_SEPARATOR.finditer(heading))[-1:]:
        head, tail = heading[: cut.start()], heading[cut.end() :]
        if _folded(tail) in sections and len(_WORD.findall(head)) >= 3 and "|" in cut.group():
            return head
    for other in known:
        if len(_WORD.findall(other)) < 3 or len(other) >= len(heading) or _folded(other) == _folded(heading):
            continue
        if heading.startswith(other) and _BESIDE_HEADLINE.match(heading[len(other) :].strip()):
            return other
        if heading.endswith(other):
            before = heading[: -len(other)].strip()
            is_label = before.endswith(":") and _folded(before) in sections
            if is_label or (len(before) <= 20 and date_in_line(before)):
                return other
    return heading


_BESIDE_HEADLINE = re.compile(r"(?:posted|published|updated|written by|by)\b|\([\w-]+(?:\.[\w-]+)+\)", re.I)


def _without_kicker(title: str, shared: Sequence[str]) -> str:
    """A headline without the line above it ("Olympic Games: …"), where the title for sharing has none."""
    for other in shared[:1]:
        kicker = title.removesuffix(other)
        if kicker != title and kicker.rstrip().endswith(":") and len(_WORD.findall(other)) >= 4:
            return other
    return title


def _document_titles(root: Any) -> list[Any]:
    # <svg> may hold <title> elements as well: only the one in the head, or failing that the first
    found = root.xpath("/html/head/title")[:1] or root.xpath("//title[not(ancestor::svg)]")[:1]
    return list(found)


def _agreed_heading(heads: list[str], itemprop: list[str], stated: list[str]) -> str:
    """The h1 that other statements agree with: the words that readers saw as the headline."""
    for heading in [*itemprop, *heads]:
        mine = set(_WORD.findall(heading.lower()))
        if not mine:
            continue
        for other in stated:
            theirs = set(_WORD.findall(other.lower()))
            if mine == theirs or len(mine & theirs) >= 0.6 * max(1, min(len(mine), len(theirs))) >= 1.2:
                return heading
    if len(heads) == 1 and len(_WORD.findall(heads[0])) >= 4:
        return heads[0]
    return ""


# --- authors ---------------------------------------------------------------------------------------

_BY_WORDS = (
    r"(?:written|reported|posted|published|story|text|words|article|report)\s+by|by|von|par|por|di|da|door|przez"
    r"|rédigé par|publié par|escrito por|scritto da|geschrieben von"
)
# Words that name the writer only before a colon or by themselves: "Author: …", "Redacción".
_AUTHOR_LABEL = (
    r"authors?|autor(?:in|en|a|es|as|ka|zy)?|autor(?:in)?/autor(?:in)?|auteurs?|autori|autore|autrice|auteures?|"
    r"verfasser(?:in)?|автор[ыиа]?|автори|текст|texto?|testo|redacción|tekst|skribent|forfatter|written|reporter"
)
_BY = re.compile(
    rf"^\s*(?:(?:{_BY_WORDS})\b\s*:?|(?:{_AUTHOR_LABEL})\b\s*(?::|(?=[A-ZÀ-ÞА-ЯІЇЄҐ])))\s*", re.I
)
_MAIL = re.compile(r"\S+@\S+")
_CONJUNCTION = re.compile(
    r"\s+(?:and|und|et|en|och|og|ja|with|avec|mit|con|com)\s+|\s+&\s+"
    r"|\s+(?:y|e|i|и|та|і|й)\s+(?=[^\W\d_])",
    re.I,
)
_NAME_SPLIT = re.compile(r"\s*[,;|/•·]\s*(?:(?:and|und|et|y|e|og)\s+)?|" + _CONJUNCTION.pattern, re.I)
_NOT_OF_NAME = re.compile(
    r"\s*\([^)]*\)?$|\s+기자$|\s*記者$|\s*记者$"
    r"|^(?:view all (?:posts|articles|stories) by|(?:more )?(?:posts|articles|stories) (?:by|from)|more from)"
    r"\s+",
    re.I,
)
_ROLE = (
    r"(?:reporter|editor|correspondent|journalist|writer|columnist|contributor|producer|"
    r"redakteur(?:in)?|korrespondent(?:in)?|journaliste|rédact(?:eur|rice)|correspondante?|periodista|"
    r"corresponsal|giornalista|redattore|redattrice|redator|jornalista|dziennikarz|корреспондент|кореспондент)"
)
# A job that follows a name without a separator: its first word is one that no name holds.
_JOB_AFTER_NAME = re.compile(
    r"(?<=\S\s)(?:(?:senior|chief|staff|deputy|associate|assistant|managing|executive|contributing|freelance|"
    r"special|political|business|sports?|features?|digital|news|health|science|technology|autos?|content|"
    r"marketing|data|breaking|investigative|foreign|national|local)\s+(?:[^\W\d_]+\s+){0,3})?" + _ROLE + "$",
    re.I,
)
_NOT_A_NAME = re.compile(
    rf"\b(?:{_ROLE}|editors|staff|bureau|chief|redaktion|"
    r"published|updated|min read|minutes?|hours? ago|read more|follow|subscribe|share|comments?|"
    r"(?:edited|reviewed|checked|fact-checked|approved) by|director|manager|professor|expert|specialist|"
    r"coordinator|founder|ceo|head of|president)\b",
    re.I,
)
_CREDENTIAL = re.compile(
    r"(?:M\.?D|Ph\.?D|M\.?S(?:c|W)?|M\.?A|B\.?A|B\.?Sc|MBA|RDN?|R\.?N|CFP®?|CFA|CPA|DVM|VMD|DDS|D\.?O|J\.?D|Esq|"
    r"Jr|Sr|LCSW|NP|MPH|PsyD|EdD|CPT|LVT|DACVB|FACLM|CPP|PSP|II|III|IV)\.?"
)
# What agencies look like beside a name: initials in capitals, or one of those written small.
_INITIALS = re.compile(
    r"[^\W\d_a-zà-ÿа-яіїєґ]{2,5}|dpa|epd|kna|sda|apa|sid|ots|afp|efe|lusa|ansa|belga|ritzau|ntb|tt"
)
_OF_INSTITUTION = re.compile(r"\b(?:of|for|the|für|pour|para|per|voor|dla)\b", re.I)
_PLACEHOLDER = re.compile(
    r"admin(?:istrator)?|web ?master|root|user|guest|anonymous|unknown|null|undefined|none|n/?a|author|by"
    r"|default|[\w-]+(?:\.[\w-]+){2,}|[a-z]+\.(?!com|news|info|online|media|today|press)[a-z]{4,}",
    re.I,
)


def _resolved(value: Any, said: _Statements) -> Any:
    if isinstance(value, dict) and set(value) <= {"@id", "@type"} and isinstance(value.get("@id"), str):
        return said.by_id.get(value["@id"], value)
    return value


def _outlet_words(site_name: str | None, url: str, said: _Statements) -> set[str]:
    """The site's names, the publisher's among them: what an outlet calls itself in place of an author."""
    names = _site_words(site_name, url, said)
    publishers = [_resolved(said.article.get("publisher"), said)]
    publishers += [n for n in said.nodes if _types(n) in ("WebSite", "NewsMediaOrganization")]
    names |= {_folded(_text_of(p.get("name"))).replace(" ", "") for p in publishers if isinstance(p, dict)}
    return {name for name in names if len(name) >= 2}


def _authors(root: Any, said: _Statements, site: set[str], lines: Sequence[str]) -> tuple[str, ...]:
    """People and agencies, from the most trusted statement that names any.

    The outlet itself is an author only where a machine-readable statement says so and nothing on the page
    names anybody else.
    """
    outlet: list[str] = []
    for stated in _stated_authors(root, said, site, lines):
        others = [n for n in stated if not _is_site(n, site) and not _HOST.search(n)]
        # A name of one word may be a town, a section or a login: it must not displace the outlet.
        if others and (not outlet or any(_FULL_NAME.search(n) for n in others)):
            return tuple(_without_initialled(others))
        outlet = outlet or stated
    return tuple(outlet)


def _stated_authors(
    root: Any, said: _Statements, site: set[str], lines: Sequence[str]
) -> Iterator[list[str]]:
    yield _ld_authors(said)
    for names in _META_AUTHORS:
        stated = [v for v in said.meta(*names) if not v.startswith(("http", "@", "/"))]
        # Indexes of papers file them by surname: "Brandt, Ida".
        turned = "citation_author" in names
        yield _names([_SURNAME_FIRST.sub(r"\2 \1", v) if turned else v for v in stated])
    labels = zip(said.meta("twitter:label1"), said.meta("twitter:data1"), strict=False)
    yield _names(value for label, value in labels if _WRITTEN_BY.search(label))
    # A visible line never makes the outlet an author: it may be the masthead.
    yield [n for n in _visible_authors(root, site) if not _is_site(n, site)]
    yield [n for n in _by_lines(lines) if not _is_site(n, site)]


_SURNAME_FIRST = re.compile(r"^\s*([^,]+),\s*([^,]+?)\s*$")


def _without_initialled(names: list[str]) -> list[str]:
    """Names without those that say one of the others again: "I. Brandt" beside "Ida Brandt"."""

    def repeats(short: str, full: str) -> bool:
        a, b = _bare(short).split(), _bare(full).split()
        return (
            short != full
            and len(a) >= 2
            and len(b) >= 2
            and len(a[0]) == 1 < len(b[0])
            and a[0] == b[0][0]
            and a[-1] == b[-1]
        )

    return [name for name in names if not any(repeats(name, other) for other in names)]


def _bare(name: str) -> str:
    """Folded, without accents."""
    decomposed = unicodedata.normalize("NFKD", _folded(name))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


# Lines below the headline among which one word after "By" is an author.
_NEAR = 5


def _by_lines(lines: Sequence[str]) -> list[str]:
    """Names from a line by the headline that says "By" and holds nothing else but a date and a place."""
    for number, line in enumerate(lines):
        label = _LABEL_ALONE.fullmatch(line.strip())
        following = lines[number + 1] if number + 1 < len(lines) else ""
        whole = f"by {following}" if label and len(following) <= 60 else line
        found = _names_in_byline(whole, alone_allowed=number < _NEAR)
        if found:
            return found
    return []


_LABEL_ALONE = re.compile(rf"(?:{_BY_WORDS}|{_AUTHOR_LABEL})\s*:?", re.I)
_BYLINE_END = re.compile(
    r"\n|\s*[|•·●–—]|\s-\s|\s*\d|\s*,?\s+(?:in|from|aus|on|am|le|el|em)\s"
    r"|\s*\b(?:published|updated|posted|modified|last|photo|photos|image|foto|"
    r"mis à jour|publié|aktualisiert|veröffentlicht|stand|pubblicato|publicado|actualizado|"
    r"atualizado|gepubliceerd|опубликовано|опубліковано|monday|tuesday|wednesday|thursday|friday|"
    r"saturday|sunday)\b",
    re.I,
)
_PARTICLE = re.compile(
    r"(?:de|da|do|dos|das|di|del|della|der|den|van|von|vom|zu|bin|al|el|la|le|ten|ter|y|e|af|av)"
)


def _names_in_byline(line: str, *, alone_allowed: bool) -> list[str]:
    """Names after "By" in a line such as "April 26, 2025 | By Ida Brandt and dpa", else none."""
    if len(line) > 140:
        return []
    for part in re.split(r"\n|\s*[|•·●]\s*", _without_dates(line)):
        rest = _BY.sub("", part, count=1)
        if rest == part or not rest or rest.endswith((".", ":", "?", "!")):
            continue
        rest = _BYLINE_END.split(f"{rest} ", maxsplit=1)[0].strip(" ,;:")
        if len(rest.split()) > 8:
            continue
        found = [n for n in _names([rest]) if _is_name(n)]
        if any(_FULL_NAME.search(n) for n in found) or (alone_allowed and found == [rest]):
            return found
    return []


def _without_dates(line: str) -> str:
    for pattern in (_DAY_MONTH_YEAR, _MONTH_DAY_YEAR, _DOTTED, _ISO_DAY):
        line = pattern.sub(" | ", line)
    return line


def _is_name(name: str) -> bool:
    """Every word begins with a capital, or is a particle; or it is an agency's initials."""
    if _INITIALS.fullmatch(name):
        return True
    words = name.split()
    capitals = [not w[0].islower() or bool(_PARTICLE.fullmatch(w)) for w in words]
    return (
        words[0][0].isalpha() and not words[0][0].islower() and all(capitals) and not _NOT_A_NAME.search(name)
    )


_META_AUTHORS = (
    ("author", "byl", "parsely-author", "sailthru.author", "article:author_name", "cxenseparse:author"),
    ("citation_author", "twitter:misc:written by"),
    ("article:author", "og:article:author", "dc.creator", "dcterms.creator", "twitter:creator"),
)
_WRITTEN_BY = re.compile(r"written by|author|verfasst|geschrieben|écrit|escrito|scritto|автор", re.I)
_HOST = re.compile(r"^(?:www\.)?[\w-]+\.(?:com|org|net|[a-z]{2})$", re.I)


def _ld_authors(said: _Statements) -> list[str]:
    values: list[str] = []
    for key in ("author", "creator"):
        authors = said.article.get(key)
        for author in authors if isinstance(authors, list) else [authors]:
            author = _resolved(author, said)
            if isinstance(author, dict):
                names = author.get("name")
                values += [n for n in (names if isinstance(names, list) else [names]) if isinstance(n, str)]
            elif isinstance(author, str):
                values.append(author)
        found = _names(v for v in values if not v.startswith("http"))
        if found:
            return found
    return []


# Longer statements are no bylines, and the patterns take time quadratic in the length.
_LONGEST_BYLINE = 1000


def _names(values: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for value in values:
        value = _clean(_MAIL.sub(" ", _clean(value[:_LONGEST_BYLINE])))
        value = _BY.sub("", value).strip(" ,;:-–—|()")
        for part in _split_names(value):
            part = _BY.sub("", _NOT_OF_NAME.sub("", part)).strip(" ,;:-–—|()")
            part = _JOB_AFTER_NAME.sub("", part).strip() if len(part.split()) > 2 else part
            if part and len(part) <= 80 and _folded(part) and not re.fullmatch(r"[\d\W]+", part):
                found.setdefault(_bare(part), part)
    return [name for name in found.values() if not _PLACEHOLDER.fullmatch(name)]


def _split_names(value: str) -> list[str]:
    parts = [p.strip() for p in _NAME_SPLIT.split(value) if p and p.strip()]
    if len(parts) <= 1:
        return parts
    kept = [p for p in parts if not _NOT_A_NAME.search(p) and len(p.split()) <= 5]
    named = [p for p in kept if not _CREDENTIAL.fullmatch(p)]
    if not named:
        return [parts[0]]
    if len(named) < len(kept) and len(named) == 1:
        return named
    # What a conjunction joins is a list, unless it is one name: "Smith & Sons", "Centre for Food and Health".
    # Commas alone may set off a town or a surname.
    if _CONJUNCTION.search(value) and "," not in value:
        short = [p for p in named if len(p.split()) < 2 and not _INITIALS.fullmatch(p)]
        is_one = len(short) == len(parts) or (short and _OF_INSTITUTION.search(value))
        return [" ".join(value.split())] if is_one else named
    if any(len(p.split()) < 2 for p in named) and len(named) <= 2:
        if len(parts[0].split()) >= 2:
            return [p for p in named if p == parts[0] or len(p.split()) >= 2 or _INITIALS.fullmatch(p)]
        if all(_INITIALS.fullmatch(p) for p in named):
            return named
        return [" ".join(value.split())] if len(named) == len(parts) else named[:1]
    return named


_AUTHOR_CLASSES = (
    "author-name",
    "author__name",
    "author_name",
    "authorname",
    "byline-name",
    "byline__name",
    "author",
    "authors",
    "byline",
    "autor",
    "auteur",
    "writer",
)


def _visible_authors(root: Any, site: set[str]) -> list[str]:
    """Names from microdata, author links, and what templates name after authors, close to the headline."""
    ranked: dict[int, list[Any]] = {}
    below = root.find(".//h1") is None
    prose = 0
    for element in root.iter("h1", "a", "span", "p", "div", "li", "address", "strong", "cite", "meta"):
        if element.tag == "h1":
            below = True
        if not below:
            continue
        # other stories' authors stand below the text
        if element.tag == "p" and len(element.text or "") > 120:
            prose += 1
            if prose > 2 and ranked:
                break
        rank = _author_rank(element)
        if rank is not None:
            ranked.setdefault(rank, []).append(element)
    for rank in sorted(ranked):
        texts = []
        for element in ranked[rank][:3]:
            text = element.get("content") if element.tag == "meta" else _element_text(element)
            if text and len(text) <= 80 and len(text.split()) <= 8:
                texts.append(text)
        found = [n for n in _names(texts) if _is_name(n) or (rank <= _NAMED and _FULL_NAME.search(n))]
        found = [n for n in found if rank <= _NAMED or _FULL_NAME.search(n)]
        found = [n for n in found if not _is_site(n, site)]
        if found:
            return found[:4]
    return []


# Up to this rank an element states that it holds the author: one word will do, as agencies have.
_NAMED = 2
# Two to five words, and no colon or figure: what else stands in such elements is a section, a place, a job.
_FULL_NAME = re.compile(r"^[^\W\d_][^\d:@/]*\s[^\d:@/]+$")
_AUTHOR_LINK = re.compile(r"/(?:author|authors|autor|autoren|auteur|journalist)/", re.I)


def _author_rank(element: Any) -> int | None:
    """How much an element looks like the author's name: 0 the most, None not at all."""
    if any(
        "comment" in (e.get("class") or "").lower() for e in (element, *element.iterancestors("div", "li"))
    ):
        return None
    if element.get("itemprop") == "author":
        return 0
    if element.tag == "a":
        if "author" in (element.get("rel") or "").split():
            return 1
        if _AUTHOR_LINK.search(element.get("href") or ""):
            return 2
    for token in (element.get("class") or "").lower().split():
        for number, name in enumerate(_AUTHOR_CLASSES):
            if token == name or token.endswith(("-" + name, "_" + name)):
                return 3 + number
    return None


# --- dates -----------------------------------------------------------------------------------------

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_URL_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[/_\-.]?(0[1-9]|1[0-2])[/_\-.]?(0[1-9]|[12]\d|3[01])(?!\d)")
_LOOSE_ISO = re.compile(
    r"^\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?)?\s*"
    r"(Z|UTC|GMT|[+-]\d{1,2}:?\d{2}|[+-]\d{2})?",
    re.I,
)


_STAMP_PATTERNS = (
    "%d-%b-%Y %H:%M:%S",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a %b %d %H:%M:%S %Y",
    "%B %d, %Y",
    "%d %B %Y",
    "%Y/%m/%d",
    "%d.%m.%Y",
)


def parse_date(text: str, fetched_at: datetime) -> datetime | None:
    """A stated date as aware UTC; None where it is none, or lies before 1970 or after `fetched_at`."""
    stamp = _stamp(text)
    # clocks differ by minutes, and pages are fetched in the minute they are published
    if stamp is None or not _EARLIEST <= stamp <= fetched_at + timedelta(minutes=5):
        return None
    return min(stamp, fetched_at)


def _stamp(text: str) -> datetime | None:
    """A machine-readable time stamp as aware UTC; without a zone it is taken for UTC. None if it is none."""
    text = text.strip()
    match = _LOOSE_ISO.match(text)
    if match:
        year, month, day, hour, minute, second, zone = match.groups()
        try:
            stamp = datetime(
                int(year),
                int(month),
                int(day),
                int(hour or 0),
                int(minute or 0),
                int(second or 0),
                tzinfo=UTC,
            )
        except ValueError:
            return None
        return stamp - _offset(zone)
    if re.fullmatch(r"\d{10}|\d{13}", text):
        return datetime.fromtimestamp(int(text[:10]), UTC)
    if re.fullmatch(r"\d{8}", text):
        return _at(datetime.strptime, text, "%Y%m%d")
    text = re.sub(r"\s*(?:GMT|UTC)$", " +0000", re.sub(r"\.\d+$", "", text))
    for pattern in _STAMP_PATTERNS:
        stamp_or_none = _at(datetime.strptime, text, pattern)
        if stamp_or_none:
            return stamp_or_none
    return None


def _at(reader: Any, text: str, pattern: str) -> datetime | None:
    try:
        stamp: datetime = reader(text, pattern)
    except ValueError:
        return None
    return stamp.astimezone(UTC) if stamp.tzinfo else stamp.replace(tzinfo=UTC)


def _offset(zone: str | None) -> timedelta:
    if not zone or zone.upper() in ("Z", "UTC", "GMT"):
        return timedelta()
    digits = zone[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    if hours > 15:
        return timedelta()
    return timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)


def _published(
    root: Any, said: _Statements, url: str, fetched_at: datetime, lines: Sequence[str]
) -> tuple[datetime | None, str | None]:
    def plausible(values: Iterable[str | None]) -> datetime | None:
        stamps = (parse_date(value, fetched_at) for value in values if value)
        return next((stamp for stamp in stamps if stamp), None)

    article = said.article
    stamp = plausible(_text_of(article.get(k)) for k in ("datePublished", "dateCreated", "uploadDate"))
    if stamp:
        return stamp, "json-ld"
    stamp = plausible(
        said.meta(
            "article:published_time",
            "og:article:published_time",
            "og:published_time",
            "datepublished",
            "date.published",
            "parsely-pub-date",
            "sailthru.date",
            "cxenseparse:recs:publishtime",
            "article.published",
            "published-date",
            "publish-date",
            "publication_date",
            "pubdate",
            "publishdate",
            "dc.date.issued",
            "dcterms.created",
            "dc.date",
            "dcterms.date",
            "date",
        )
    )
    if stamp:
        return stamp, "meta"
    times = root.xpath(
        "//*[@itemprop='datePublished']/@datetime | //*[@itemprop='datePublished']/@content"
        " | //time[@pubdate]/@datetime"
    )
    stamp = plausible(map(str, times)) or plausible(map(str, root.xpath("//time/@datetime")[:3]))
    if stamp:
        return stamp, "time"
    stamp = plausible(_text_of(node.get("datePublished")) for node in said.nodes)
    if stamp:
        return stamp, "json-ld"
    match = _URL_DATE.search(unquote(urlsplit(url).path))
    stamp = plausible([f"{match[1]}-{match[2]}-{match[3]}"]) if match else None
    if stamp:
        return stamp, "url"
    stamp = (
        plausible(date_in_line(line) for line in lines if not _MODIFIED.search(line))
        or plausible(date_in_line(line) for line in lines)
        or plausible([_guessed_date(root, url, fetched_at)])
    )
    return (stamp, "text") if stamp else (None, None)


_MODIFIED = re.compile(
    r"^\W*(?:last\s+)?(?:updated|modified|reviewed|revised|aktualisiert|mis à jour|actualizado|atualizado|"
    r"aggiornato|bijgewerkt|zaktualizowano|обновлено|оновлено)",
    re.I,
)

# First letters of the months' names: English, German, French, Spanish, Portuguese, Italian, Dutch, Polish,
# Russian, Ukrainian.
_MONTHS = (
    "jan|ene|gen|sty|янв|січ",
    "feb|fév|fev|lut|фев|лют",
    "mar|mär|maa|mrt|мар|бер",
    "apr|avr|abr|kwi|апр|кві",
    "may|mai|mag|mei|maj|мая|май|тра",
    "jun|juin|giu|cze|июн|чер",
    "jul|juil|lug|lip|июл|лип",
    "aug|aoû|aou|ago|sie|авг|сер",
    "sep|set|wrz|сен|вер",
    "oct|okt|out|ott|paź|окт|жов",
    "nov|lis|ноя",
    "dec|dez|déc|dic|gru|дек|гру",
)
_MONTH = re.compile("|".join(f"(?P<m{n}>{names})" for n, names in enumerate(_MONTHS, 1)), re.I)
_DAY_MONTH_YEAR = re.compile(
    r"(?<!\d)(\d{1,2})(?:\.|er|st|nd|rd|th|º)?\s+(?:de\s+)?([^\W\d_]{3,12})\.?,?\s+(?:de\s+)?(\d{4})(?!\d)"
)
_MONTH_DAY_YEAR = re.compile(r"\b([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)")
_EASTERN = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]")
_DOTTED = re.compile(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)")
_ISO_DAY = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")


def date_in_line(line: str) -> str | None:
    """The first date written out in a short line, as ISO 8601; longer lines tell of other days."""
    if len(line) > 120:
        return None
    for pattern in (_EASTERN, _ISO_DAY):
        if match := pattern.search(line):
            return f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}"
    if match := _DOTTED.search(line):
        return f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}"
    if (match := _DAY_MONTH_YEAR.search(line)) and (month := _month_number(match[2])):
        return f"{match[3]}-{month:02}-{int(match[1]):02}"
    if (match := _MONTH_DAY_YEAR.search(line)) and (month := _month_number(match[1])):
        return f"{match[3]}-{month:02}-{int(match[2]):02}"
    return None


def _month_number(word: str) -> int | None:
    match = _MONTH.match(word)
    return int(match.lastgroup[1:]) if match and match.lastgroup else None


def _guessed_date(root: Any, url: str, fetched_at: datetime) -> str | None:
    from htmldate import find_date

    try:
        found = find_date(
            root,
            extensive_search=True,
            original_date=True,
            max_date=fetched_at.date().isoformat(),
            url=url or None,
        )
    except Exception:  # htmldate raises whatever its many parsers raise
        return None
    # of a year alone (a copyright line), htmldate makes the first of January
    return str(found) if found and not str(found).endswith("-01-01") else None


# --- the rest --------------------------------------------------------------------------------------


def _canonical(root: Any, said: _Statements, url: str) -> str | None:
    stated = [str(h) for h in root.xpath("//link[translate(@rel,'CANOIL','canoil')='canonical']/@href")]
    for address in [*stated, *said.meta("og:url")]:
        address = address.strip()
        try:
            absolute = urljoin(url, address)
            parts = urlsplit(absolute)
        except ValueError:
            continue
        if address and parts.scheme in ("http", "https") and parts.hostname:
            return absolute
    return None


def _html_language(root: Any, said: _Statements) -> str | None:
    html = root if root.tag == "html" else root.find(".//html")
    values = (
        [html.get("lang"), html.get("{http://www.w3.org/XML/1998/namespace}lang")] if html is not None else []
    )
    values += [_text_of(said.article.get("inLanguage")), *said.meta("og:locale", "content-language")]
    for value in values:
        match = re.match(r"\s*([a-zA-Z]{2,3})(?:[-_].*)?\s*$", value or "")
        if match:
            return match[1].lower()
    return None


def _access(said: _Statements) -> Access:
    for node in [said.article, *said.nodes]:
        if node is not said.article and not _ARTICLE_TYPE.search(_types(node)):
            continue
        free = node.get("isAccessibleForFree")
        if free is False or (isinstance(free, str) and free.strip().lower() in ("false", "no", "0")):
            return Access.PAYWALLED
    tiers = said.meta("article:content_tier")
    if any(t.lower() == "locked" for t in tiers):
        return Access.PAYWALLED
    return Access.FREE
