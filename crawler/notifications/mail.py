"""Makes mail of notifications: one, or a digest of several.

All that a page says is text. It is never markup, nor a header of its own; a link is made of an http(s)
address alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from typing import Any
from urllib.parse import urlsplit

from storage.watching import Due

_LONGEST = 300
_LONGEST_SUBJECT = 150
# Outlets of one story that are named.
_OUTLETS = 20

_HEADINGS = {
    "story": "New story",
    "copy": "Another copy",
    "outlets": "Reached more outlets",
    "correction": "Corrected",
    "removal": "Removed",
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a mail says of one notification; all of it is one line of printable text."""

    heading: str
    watchlist: str
    title: str
    url: str | None
    facts: str
    summary: str


def compose(dues: Sequence[Due], recipient: str, sender: str) -> EmailMessage:
    """Return the mail about these notifications, at least one. Its Message-ID follows from their ids."""
    entries = [_entry(due) for due in dues]
    mail = EmailMessage()
    mail["Subject"] = _subject(entries)
    mail["From"] = sender
    mail["To"] = recipient
    mail["Date"] = format_datetime(max(due.created_at for due in dues))
    mail["Message-ID"] = f"<{_id(dues)}@{sender.rpartition('@')[2]}>"
    # RFC 3834: nobody's automatic reply answers it.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_as_text(entries), cte="quoted-printable")
    mail.add_alternative(_as_html(entries), subtype="html", cte="quoted-printable")
    return mail


def _id(dues: Sequence[Due]) -> str:
    if len(dues) == 1:
        return dues[0].id
    return hashlib.sha256(" ".join(sorted(due.id for due in dues)).encode()).hexdigest()[:32]


def _subject(entries: Sequence[_Entry]) -> str:
    first = entries[0]
    if len(entries) == 1:
        text = f"[{first.watchlist}] {first.title}"
    else:
        names = ", ".join(dict.fromkeys(entry.watchlist for entry in entries))
        text = f"{len(entries)} notifications: {names}"
    # What looks like an encoded word would be decoded, and could then hold line ends.
    text = text.replace("=?", "= ?")
    return text if len(text) <= _LONGEST_SUBJECT else f"{text[: _LONGEST_SUBJECT - 1]}…"


def _as_text(entries: Sequence[_Entry]) -> str:
    parts = []
    for entry in entries:
        lines = [f"{entry.heading} ({entry.watchlist}): {entry.title}", entry.url, entry.facts, entry.summary]
        parts.append("\n".join(line for line in lines if line))
    return "\n\n".join(parts) + "\n"


def _as_html(entries: Sequence[_Entry]) -> str:
    parts = []
    for entry in entries:
        title = escape(entry.title)
        if entry.url is not None:
            title = f'<a href="{escape(entry.url)}" rel="noreferrer">{title}</a>'
        small = " · ".join(escape(text) for text in (entry.heading, entry.watchlist, entry.facts) if text)
        summary = f"<p>{escape(entry.summary)}</p>" if entry.summary else ""
        parts.append(f"<h3>{title}</h3>\n<p><small>{small}</small></p>\n{summary}\n")
    head = '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>'
    return f"{head}\n{''.join(parts)}</body></html>\n"


def _entry(due: Due) -> _Entry:
    article = _within(due.body, "article")
    outlets = [_line(name) for name in _listed(due.body, "outlets")][:_OUTLETS]
    facts = (article.get("publisher") or article.get("site"), article.get("published_at"), ", ".join(outlets))
    url = _line(article.get("url"), 2000)
    is_link = _is_link(url)
    return _Entry(
        heading=_HEADINGS.get(due.kind, due.kind),
        watchlist=_line(due.watchlist),
        title=_line(article.get("title")) or (_line(url) if is_link else "(no title)"),
        url=url if is_link else None,
        facts=" · ".join(filter(None, map(_line, facts))),
        summary=_line(article.get("description"), 500),
    )


def _within(body: dict[str, Any], name: str) -> dict[str, Any]:
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def _listed(body: dict[str, Any], name: str) -> list[Any]:
    found = body.get(name)
    return found if isinstance(found, list) else []


def _line(value: object, most: int = _LONGEST) -> str:
    """One line of printable text: no control character, no change of text direction."""
    text = str(value) if isinstance(value, (str, int)) else ""
    text = " ".join("".join(c if c.isprintable() else " " for c in text[: 2 * most]).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _is_link(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in url
    except ValueError:
        return False
