"""Feeds as bytes: Atom 1.0 (RFC 4287), RSS 2.0, and JSON Feed 1.1."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from io import StringIO
from typing import Any

from feedgenerator import Atom1Feed, Rss201rev2Feed

from copydesk.feeds import texts
from copydesk.feeds.question import Feed
from storage.reader import StoryDetails


class Format(StrEnum):
    ATOM = "atom"
    RSS = "rss"
    JSON = "json"


MEDIA_TYPES = {
    Format.ATOM: "application/atom+xml; charset=utf-8",
    Format.RSS: "application/rss+xml; charset=utf-8",
    Format.JSON: "application/feed+json; charset=utf-8",
}
_VERSION = "https://jsonfeed.org/version/1.1"
_DESCRIPTION = "Stories, each with the outlets that carry it"


def written(feed: Feed, format: Format) -> bytes:
    """The feed in UTF-8. The same feed gives the same bytes."""
    if format is Format.JSON:
        return _json(feed)
    return _xml(feed, _Atom if format is Format.ATOM else _Rss)


# --- Atom and RSS -------------------------------------------------------------------------------------


class _Atom(Atom1Feed):  # type: ignore[misc]
    """Atom with the copies of a story as related links, and the language of each."""

    def latest_post_date(self) -> datetime:
        updated: datetime = self.feed["updated_at"]
        return updated

    def item_attributes(self, item: dict[str, Any]) -> dict[str, str]:
        return {"xml:lang": item["language"]} if item["language"] else {}

    def add_item_elements(self, handler: Any, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        for copy in item["copies"]:
            handler.addQuickElement(
                "link", "", {"rel": "related", "href": copy["url"], "title": copy["site"]}
            )


class _Rss(Rss201rev2Feed):  # type: ignore[misc]
    def latest_post_date(self) -> datetime:
        updated: datetime = self.feed["updated_at"]
        return updated


def _xml(feed: Feed, kind: type[_Atom] | type[_Rss]) -> bytes:
    made = kind(
        title=texts.line(feed.title),
        link=feed.place.page,
        description=_DESCRIPTION,
        feed_url=feed.place.address,
        feed_guid=feed.id,
        author_name="Copydesk" if kind is _Atom else None,
        updated_at=feed.updated_at,
    )
    for entry, id in zip(feed.entries, feed.ids, strict=True):
        html = texts.as_html(entry, full_text=feed.has_full_text)
        is_split = kind is _Atom and feed.has_full_text
        made.add_item(
            title=texts.title(entry),
            link=_link(feed, entry),
            description=texts.as_html(entry, full_text=False) if is_split else html,
            content=html if is_split else None,
            author_name=", ".join(texts.authors(entry.article)),
            pubdate=_published(entry),
            updateddate=entry.updated_at,
            unique_id=id,
            unique_id_is_permalink=False,
            categories=texts.categories(entry),
            language=texts.language(entry.article),
            copies=[
                {"url": url, "site": texts.line(copy.site)}
                for copy in entry.copies
                if copy.id != entry.article.id and (url := texts.web_address(copy.url))
            ],
        )
    text = StringIO()
    made.write(text, "utf-8")
    return text.getvalue().encode()


def _link(feed: Feed, entry: StoryDetails) -> str:
    """The canonical copy at its outlet; the story on the desk if it came from a file."""
    return texts.web_address(entry.article.url) or f"{feed.place.desk}stories/{entry.story.id}"


def _published(entry: StoryDetails) -> datetime:
    """When the earliest copy was published, else when the canonical one was first seen."""
    return entry.story.first_published_at or entry.story.first_seen_at


# --- JSON Feed ----------------------------------------------------------------------------------------


def _json(feed: Feed) -> bytes:
    made = {
        "version": _VERSION,
        "title": texts.line(feed.title),
        "home_page_url": feed.place.page,
        **({"feed_url": feed.place.address} if feed.place.address else {}),
        "description": _DESCRIPTION,
        "items": [_item(feed, entry, id) for entry, id in zip(feed.entries, feed.ids, strict=True)],
    }
    return (json.dumps(made, ensure_ascii=False, indent=1) + "\n").encode()


def _item(feed: Feed, entry: StoryDetails, id: str) -> dict[str, Any]:
    story = entry.story
    item = {
        "id": id,
        "url": _link(feed, entry),
        "title": texts.title(entry),
        "content_html": texts.as_html(entry, full_text=feed.has_full_text),
        "summary": texts.excerpt(entry.article),
        "date_published": _published(entry).isoformat(),
        "date_modified": entry.updated_at.isoformat(),
        "authors": [{"name": name} for name in texts.authors(entry.article)],
        "tags": texts.categories(entry),
        "language": texts.language(entry.article),
        "_copydesk": {
            "page": f"{feed.place.desk}stories/{story.id}",
            "story": story.id,
            "copies": story.size,
            "sites": story.sites,
            "agency": texts.line(story.agency) or None,
            "outlets": texts.outlets(entry),
        },
    }
    return {name: value for name, value in item.items() if value not in (None, "", [])}
