"""What a page says of its article in short: description, section, keywords, and the address of its image.

Nothing that a page says is trusted, neither size nor type: `clean_description`, `clean_section`,
`clean_keywords` and `clean_image_url` bound a value of any source. What only names the outlet is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from pipeline.metadata.structured_data import (
    StructuredData,
    cleaned,
    element_text,
    resolved,
    text_of,
    types_of,
)
from pipeline.text import runs_key

# Longest values in characters, and most keywords.
MAX_DESCRIPTION = 1000
MAX_SECTION = 100
MAX_KEYWORD = 100
MAX_KEYWORDS = 50
MAX_IMAGE_URL = 2000

# A value may be a whole article. What is read of it is bounded before any expression runs over it.
_MOST_READ = 20_000
_BREAK = re.compile(r"</(?:p|div|li|h\d)>|<br\s*/?>", re.IGNORECASE)
_SEPARATOR = re.compile(r"[,;|\n،؛、，；]")
_LISTED = re.compile(r"\w,\w|[;|]")
_LIST_SEPARATOR = re.compile(r"[,;|]")
_AROUND_KEYWORD = " \t\"'#[]{}.“”„‘’«»"
_PLACEHOLDER = re.compile(r"^(?:null|none|undefined|n/a|false|true)$|\{\{|\$\{|<%", re.IGNORECASE)
_UNSAFE_IN_URL = re.compile(r"[\x00-\x1f\x7f-\x9f\"<>\\^`{|}\s]")
# A name of two labels or more, or an IPv6 address; what has one label is no address for others.
_HOST = re.compile(r"(?:\w[\w-]*\.)+\w[\w-]*\.?|[0-9a-f.]*:[0-9a-f:.]+", re.IGNORECASE)
# Keywords that are a program's: a name with its value (contentId: 4711), a number longer than a year, a UUID.
_NOT_A_KEYWORD = re.compile(r"[a-z][\w-]*:\s?\S|\d{5,}$|[0-9a-f-]{32,36}$|\S*://")
# Where a home page may stand: at the root, or one language below it; and what breadcrumbs call it.
_HOME_PATH = re.compile(r"/?(?:[a-z]{2}(?:-[a-z]{2})?/?)?(?:(?:index|home)(?:\.\w+)?/?)?", re.IGNORECASE)
_HOMES = """
    home homepage startseite start accueil inicio início hjem hem forside etusivu főoldal úvod domů beranda
    главная головна anasayfa ホーム トップ 首页 首頁 홈
"""
_HOME_NAMES = frozenset(runs_key(name) for name in _HOMES.split())
# What publishing systems call the section of an article that was put into none.
_UNSORTED = """
    uncategorized uncategorised unkategorisiert nonclassé sincategoría senzacategoria semcategoria
"""
_NO_SECTION = frozenset(runs_key(name) for name in _UNSORTED.split())


def description_of(data: StructuredData, titles: Sequence[str], names: set[str]) -> str | None:
    """The page's own summary of the article; None if it has none, or only repeats its title or outlet.

    titles: what the page states as its headline. names: of the outlet, as `outlet_words` gives them.
    """
    boilerplate = names | {_key(title) for title in titles}
    boilerplate |= {
        _key(text_of(node.get("description"))[:_MOST_READ])
        for node in data.nodes
        if types_of(node) in ("WebSite", "Organization", "NewsMediaOrganization")
    }
    said = [text_of(data.article.get("description"))]
    said += data.meta("og:description", "description", "dc.description", "twitter:description")
    found = [text for value in said if (text := clean_description(value)) and _key(text) not in boilerplate]
    if not found:
        return None
    first = found[0]
    stem = first.rstrip(" .…")
    if stem != first:  # perhaps cut off; another statement may have the whole
        return max((text for text in found if text.startswith(stem)), key=len, default=first)
    return first


def section_of(data: StructuredData, url: str, titles: Sequence[str], names: set[str]) -> str | None:
    """The part of the outlet that the article stands in: as stated, else the last step of the breadcrumbs.

    titles, names: as for `description_of`.
    """
    boilerplate = names | {_key(title) for title in titles}
    stated = data.article.get("articleSection")
    said = [text_of(value) for value in (stated if isinstance(stated, list) else [stated])]
    said += data.meta("article:section", "og:section", "parsely-section")
    for value in [*said, *_breadcrumbs(data, url)]:
        section = clean_section(value)
        if section and _key(section) not in boilerplate:
            return section
    return None


def keywords_of(data: StructuredData, titles: Sequence[str], names: set[str]) -> tuple[str, ...] | None:
    """What the page names as keywords, most specific statement first; None if it names none.

    titles, names: as for `description_of`.
    """
    stated = data.article.get("keywords")
    found = list(_keywords_in(stated))
    for name in ("news_keywords", "article:tag", "keywords"):
        found += _keywords_in(data.meta(name))
    boilerplate = names | {_key(title) for title in titles}
    return clean_keywords([keyword for keyword in found if _key(keyword[:MAX_KEYWORD]) not in boilerplate])


def image_url_of(data: StructuredData, url: str) -> str | None:
    """The address of the article's main image, as the page states it. It is never fetched.

    url: of the page, for relative addresses.
    """
    publisher = resolved(data.article.get("publisher"), data)
    logo = publisher.get("logo") if isinstance(publisher, dict) else None
    logos = set(_image_addresses(logo, data))
    said = [*_image_addresses(data.article.get("image"), data)]
    said += data.meta("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src")
    said += _image_addresses(data.article.get("thumbnailUrl"), data)
    for address in said:
        found = clean_image_url(address, url) if address not in logos else None
        if found:
            return found
    return None


def clean_description(value: object) -> str | None:
    """The value as one line of at most MAX_DESCRIPTION characters; None without a word in it."""
    text = _one_line(value)
    if text is None or len(text) <= MAX_DESCRIPTION:
        return text
    cut = text[:MAX_DESCRIPTION]
    # A text without blanks is cut where it is too long.
    end = cut.rfind(" ", MAX_DESCRIPTION - 100)
    return cut[: end if end > 0 else MAX_DESCRIPTION - 1].rstrip(" ,;:") + "…"


def clean_section(value: object) -> str | None:
    """The value as one line, of a list its first; None for an address, for figures, and for a sentence."""
    text = _one_line(value)
    if text and (_LISTED.search(text) or text.count(", ") >= 3):  # "Food, Drink & Travel" is one section
        text = _LIST_SEPARATOR.split(text)[0].strip()
    if text is None or "://" in text or len(text) > MAX_SECTION:
        return None
    return text if any(map(str.isalpha, text)) and _key(text) not in _NO_SECTION else None


def clean_keywords(values: object) -> tuple[str, ...] | None:
    """The values that are keywords, each once, at most MAX_KEYWORDS of them; None for none.

    values: a list or tuple of texts.
    """
    found: dict[str, str] = {}
    for value in values if isinstance(values, list | tuple) else ():
        text = _one_line(value)
        keyword = text.strip(_AROUND_KEYWORD) if text else ""
        key = _key(keyword)
        if key and len(keyword) <= MAX_KEYWORD and not _NOT_A_KEYWORD.match(keyword):
            found.setdefault(key, keyword)
            if len(found) == MAX_KEYWORDS:
                break
    return tuple(keyword for keyword in found.values() if not _is_all_in_one(keyword, found)) or None


def clean_image_url(value: object, url: str = "") -> str | None:
    """The value as an absolute http(s) URL of at most MAX_IMAGE_URL characters; None for anything else.

    url: of the page, for relative addresses. Blanks in the address are escaped.
    """
    if not isinstance(value, str) or len(value) > MAX_IMAGE_URL:
        return None
    address = value.strip().replace("&amp;", "&").replace(" ", "%20")
    if not address or _UNSAFE_IN_URL.search(address):
        return None
    try:
        absolute: str = urljoin(url, address)
        parts = urlsplit(absolute)
        host, _ = parts.hostname, parts.port
        absolute.encode()
    except ValueError:  # also for lone surrogates
        return None
    is_address = parts.scheme in ("http", "https") and host and _HOST.fullmatch(host)
    if not is_address or len(absolute) > MAX_IMAGE_URL or parts.path in ("", "/"):
        return None
    return absolute


def _one_line(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    text = value[:_MOST_READ]
    text = cleaned(_BREAK.sub(" ", text) if "<" in text else text)
    text = " ".join("".join(c for c in text if c.isprintable() or c in "\u200c\u200d").split())
    return None if not _key(text) or _PLACEHOLDER.search(text) else text


def _key(text: str) -> str:
    """As names of outlets are compared: folded, without blanks and punctuation."""
    return runs_key(text).replace(" ", "")


def _keywords_in(value: object) -> Iterator[str]:
    """The keywords of one statement: several values are a keyword each, a single one is a list of them."""
    values = value if isinstance(value, list) else [value]
    texts = [text for one in values[: 4 * MAX_KEYWORDS] if (text := text_of(one))]
    if len(texts) == 1:
        # Entities hold the separator; a list of one is often split by commas as well.
        texts = _SEPARATOR.split(cleaned(texts[0][:_MOST_READ]))[: 4 * MAX_KEYWORDS]
    yield from texts


def _is_all_in_one(keyword: str, keys: Collection[str]) -> bool:
    """Whether a keyword is a list of others that are separated by blanks only."""
    words = keyword.split()
    return len(words) >= 4 and all(_key(word) in keys for word in words)


def _image_addresses(value: Any, data: StructuredData, depth: int = 0) -> Iterator[str]:
    """The addresses in a JSON-LD value: a text, an ImageObject, a reference to one, or a list of these."""
    if isinstance(value, list) and depth < 2:
        for one in value[:20]:
            yield from _image_addresses(one, data, depth + 1)
    elif isinstance(value, dict):
        stated = resolved(value, data)
        for name in ("url", "contentUrl", "@id"):
            address = stated.get(name)
            if name == "@id" and "#" in str(address):
                return  # the name of an object that the page does not have
            if isinstance(address, str) and address:
                yield address
                return
            if isinstance(address, list) and depth < 2:
                yield from _image_addresses(address, data, depth + 1)
                return
    elif isinstance(value, str):
        yield value


def _breadcrumbs(data: StructuredData, url: str) -> Iterator[str]:
    """The names of the breadcrumbs, last first, without the home page and the page itself."""
    for steps in (*_stated_breadcrumbs(data), _visible_breadcrumbs(data)):
        left = _between_home_and_page(steps, url)
        if left:
            yield from reversed(left)
            return


def _between_home_and_page(steps: Sequence[tuple[str, str]], url: str) -> list[str]:
    """steps: name and address of each, "" for a step without an address, from the home page down."""
    if any(address for _, address in steps) and not steps[-1][1]:
        steps = steps[:-1]  # the page itself needs no address
    page = urlsplit(url).path.rstrip("/")
    kept = []
    for name, address in steps:
        try:
            path = urlsplit(urljoin(url, address)).path
        except ValueError:
            continue
        is_home = _key(name) in _HOME_NAMES or (address and _HOME_PATH.fullmatch(path))
        if is_home or (address and path.rstrip("/") == page):
            continue
        kept.append(name)
    # Without addresses the last step is the page itself.
    return kept if any(address for _, address in steps) else kept[:-1]


def _stated_breadcrumbs(data: StructuredData) -> Iterator[list[tuple[str, str]]]:
    lists = [node for node in data.nodes if types_of(node) == "BreadcrumbList"]
    for node in data.nodes:
        crumb = resolved(node.get("breadcrumb"), data)
        if isinstance(crumb, dict) and crumb not in lists:
            lists.append(crumb)
    for one in lists[:5]:
        items = one.get("itemListElement")
        yield [_step(item, data) for item in (items if isinstance(items, list) else [])[:20]]


def _step(item: Any, data: StructuredData) -> tuple[str, str]:
    if not isinstance(item, dict):
        return "", ""
    page = resolved(item.get("item"), data)
    address = page
    if isinstance(page, dict):
        address = page.get("@id") or page.get("url")
    name = text_of(item.get("name")) or (text_of(page) if isinstance(page, dict) else "")
    return name, address if isinstance(address, str) else ""


def _visible_breadcrumbs(data: StructuredData) -> list[tuple[str, str]]:
    """Breadcrumbs that are marked up in the page's text (microdata, RDFa Lite)."""
    found = []
    for item in data.items:
        if item.get("itemprop") != "itemListElement":
            continue
        container = next((e for e in item.iterancestors() if e.get("itemtype")), None)
        if container is None or "BreadcrumbList" not in container.get("itemtype"):
            continue
        names = item.xpath("descendant::*[@itemprop='name']")
        links = item.xpath("descendant-or-self::a/@href")
        found.append((element_text(names[0] if names else item), links[0] if links else ""))
        if len(found) == 20:
            break
    return found
