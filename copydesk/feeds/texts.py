"""What an entry of a feed says: its title, its text, and who carries the story.

All of it was written by strangers. Text becomes HTML by escaping, only http(s) addresses are links, and
characters that XML forbids are left out. Of an article whose rights are reserved no text is given, and of
others an excerpt, unless the whole text is asked for.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from crawler.discovery import valid_address
from pipeline.counts import counted

if TYPE_CHECKING:
    from storage.reader import CarriedCopy, StoredArticle, StoryDetails

# Characters of an excerpt, and outlets that an entry names.
_EXCERPT, _OUTLETS = 400, 20
# Controls and noncharacters, which XML 1.0 does not allow or advises against (section 2.2); lone surrogates.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
# What may stand unchanged in the parts of a URI (RFC 3986, 3.3 and 3.4).
_PATH = "/%:@!$&'()*+,;=~"
_QUERY = _PATH + "?"


def allowed(text: str) -> str:
    """The text without characters that XML forbids."""
    return _FORBIDDEN.sub("", text)


def web_address(url: str | None) -> str | None:
    """The address as a URI (RFC 3986) if it is an http(s) one without credentials; else None."""
    found = valid_address(url) if url else None
    if found is None:
        return None
    parts = urlsplit(_PERCENT.sub("%25", found))
    if not parts.netloc.isascii() or not _HOST.fullmatch(parts.netloc):
        return None
    return parts._replace(path=quote(parts.path, safe=_PATH), query=quote(parts.query, safe=_QUERY)).geturl()


def line(text: str | None) -> str:
    """The text on one line, without what XML forbids; empty for None."""
    return " ".join(allowed(text or "").split())


def title(entry: StoryDetails) -> str:
    """The headline of the canonical copy."""
    return line(entry.article.title) or f"Story {entry.story.id}"


def is_reserved(article: StoredArticle) -> bool:
    """Whether a statement in `rights` reserves the text, or a use of it by machines."""
    return any(statement.get("reserved") is True for statement in article.rights or ())


def excerpt(article: StoredArticle) -> str:
    """The page's own summary, else the beginning of the text; empty if the rights are reserved."""
    if is_reserved(article):
        return ""
    text = line(article.description or article.text[: 4 * _EXCERPT])
    if len(text) <= _EXCERPT:
        return text
    return f"{text[:_EXCERPT].rpartition(' ')[0] or text[:_EXCERPT]} …"


def authors(article: StoredArticle) -> list[str]:
    """The authors, else the outlet."""
    named = [name for author in article.authors if (name := line(author))]
    return named or [line(article.publisher) or line(article.site) or "unknown"]


def categories(entry: StoryDetails) -> list[str]:
    """The agency and the section, each once."""
    named = map(line, (entry.story.agency, entry.article.section))
    return list(dict.fromkeys(name for name in named if name))


def language(article: StoredArticle) -> str | None:
    """The language of the text, if it can be an attribute."""
    code = article.language or ""
    return code if re.fullmatch(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8}){0,3}", code) else None


def as_html(entry: StoryDetails, *, full_text: bool) -> str:
    """The text of the entry, and the outlets of the story, as HTML."""
    article = entry.article
    if full_text and not is_reserved(article):
        paragraphs = allowed(article.text).splitlines()
    else:
        paragraphs = [excerpt(article)]
    shown = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs if paragraph.strip())
    return f"{shown}<p>{_outlets(entry)}</p>"


def _outlets(entry: StoryDetails) -> str:
    places = [_place(copy) for copy in entry.copies[:_OUTLETS]]
    more = entry.story.size - len(places)
    said = f"{', '.join(places)}{f' and {more} more' if more > 0 else ''}"
    return f"{counted(entry.story.sites, 'site')}: {said}"


def _place(copy: CarriedCopy) -> str:
    name = escape(line(copy.site) or line(copy.publisher) or "a file")
    url = web_address(copy.url)
    return f'<a href="{escape(url)}">{name}</a>' if url else name


def outlets(entry: StoryDetails) -> list[dict[str, Any]]:
    """The copies of the story for programs, the earliest first."""
    return [
        {
            "site": line(copy.site),
            "url": web_address(copy.url),
            "title": line(copy.title),
            "published_at": None if copy.published_at is None else copy.published_at.isoformat(),
        }
        for copy in entry.copies
    ]
