"""What validators say of a feed: the schema of RFC 4287, rss-parser, a schema of JSON Feed, feedparser.

feedparser reads no JSON Feed; tests/copydesk/web/feeds has a feed reader that does.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import feedparser
import jsonschema_rs
from lxml import etree
from rss_parser import RSSParser

HERE = Path(__file__).parent


@cache
def _atom() -> Any:
    return etree.RelaxNG.from_rnc_string((HERE / "atom.rnc").read_text("utf-8"))


@cache
def _json_feed() -> Any:
    schema = json.loads((HERE / "jsonfeed.json").read_text("utf-8"))
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def read_atom(feed: bytes) -> Any:
    """What feedparser reads of a valid Atom feed; fails for any other."""
    schema, tree = _atom(), etree.fromstring(feed)
    assert schema.validate(tree), schema.error_log
    ids = [one.text for one in tree.iter("{http://www.w3.org/2005/Atom}id")]
    assert len({*ids}) == len(ids)
    return _read(feed, "atom10")


def read_rss(feed: bytes) -> Any:
    """The same of an RSS 2.0 feed."""
    parsed: Any = RSSParser.parse(feed.decode())
    assert str(parsed.version.content) == "2.0"
    return _read(feed, "rss20")


def read_json(feed: bytes) -> Any:
    """The object of a valid JSON Feed; fails for any other."""
    found = json.loads(feed)
    faults = [f"{list(one.instance_path)}: {one.message}" for one in _json_feed().iter_errors(found)]
    assert not faults, faults[:3]
    return found


def _read(feed: bytes, version: str) -> Any:
    # The raw text: a reader takes out of HTML what it does not trust, and tests look whether it has to.
    found = feedparser.parse(feed, sanitize_html=False, resolve_relative_uris=False)
    assert not found.bozo, found.get("bozo_exception")
    assert found.version == version
    return found
