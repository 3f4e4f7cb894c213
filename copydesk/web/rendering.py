"""Makes pages of templates. What a crawled page said is escaped, and only http(s) addresses are links."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from copydesk.amounts import shown_size
from pipeline.counts import counted

HERE = Path(__file__).parent
# Formats of feeds, as `copydesk.web.feeds` gives them: ending, type, and name.
_FEEDS = (
    ("atom", "application/atom+xml", "Atom"),
    ("rss", "application/rss+xml", "RSS"),
    ("json", "application/feed+json", "JSON Feed"),
)
# Languages that are written from right to left, by their two-letter codes.
_RIGHT_TO_LEFT = frozenset(("ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "ps", "sd", "ug", "ur", "yi"))


def page(request: Request, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
    """A page of the desk. `request` tells the templates which entry of the menu is the present one."""
    shown = _environment().get_template(template).render(path=request.url.path, **values)
    return HTMLResponse(shown, status)


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        time=shown_time,
        day=lambda time: time.astimezone(UTC).strftime("%A, %-d %B %Y"),
        direction=direction,
        size=shown_size,
        weblink=web_link,
        number=lambda value: f"{value:,}",
        percent=lambda value: f"{value:.0%}",
        paragraphs=str.splitlines,
    )
    environment.globals.update(counted=counted, with_parameters=with_parameters, feed_formats=_FEEDS)
    return environment


def shown_time(time: datetime | None, form: str = "full") -> Markup:
    """A time as `<time>`, in UTC; the script shows it in the reader's zone, with UTC in its tooltip.

    form: `full`, or `clock` for the time of day alone.
    """
    if time is None:
        return Markup('<span class="quiet">no date</span>')
    utc = time.astimezone(UTC)
    shown = utc.strftime("%H:%M" if form == "clock" else "%-d %b %Y, %H:%M")
    zone = "" if form == "clock" else " UTC"
    stated = utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}" data-form="{}" title="{} UTC">{}{}</time>').format(
        stated, form, utc.strftime("%Y-%m-%d %H:%M:%S"), shown, zone
    )


def direction(language: str | None) -> Markup:
    """The attributes `lang` and `dir` of a text; its own letters decide where the language is not known."""
    code = (language or "").lower()
    if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}", code):
        return Markup('dir="auto"')
    way = "rtl" if code.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"
    return Markup('lang="{}" dir="{}"').format(code, way)


def web_link(url: str | None) -> str | None:
    """The address if it is http(s), and so may be a link; else None."""
    return url if url is not None and re.match(r"https?://[^\s/]", url, re.IGNORECASE) else None


def with_parameters(path: str, parameters: Mapping[str, Any], **changed: Any) -> str:
    """The address of a page with the given parameters, of which some are changed; empty ones are left out."""
    wanted = {**parameters, **changed}
    query = urlencode({name: value for name, value in wanted.items() if value not in (None, "", False)})
    return f"{path}?{query}" if query else path
