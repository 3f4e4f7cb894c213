"""An address for each page of the desk."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from fastapi import APIRouter
from fastapi.routing import APIRoute
from sqlalchemy import Engine, text

import copydesk.web
from storage import reader
from tests.copydesk.web.browser.world import ARABIC_TITLE, REVISED, TITLE_OF_ONE_WORD


def addresses(world: Engine) -> dict[str, str]:
    """By the path of its route, an address that shows much."""
    lantern = [one for one in reader.articles(world) if one.title == TITLE_OF_ONE_WORD]
    story = lantern[0].group_id
    revised = next(one.id for one in reader.articles(world) if one.title == REVISED)
    with world.connect() as connection:
        removed = connection.scalar(
            text("SELECT article_id FROM removed_text GROUP BY article_id ORDER BY count(*) DESC, article_id")
        )
    return {
        "/": "/?site=tessaryobserver.example",
        "/stories/{id}": f"/stories/{story}",
        "/stories/{id}/diff": f"/stories/{story}/diff?a={lantern[0].id}&b={lantern[1].id}",
        "/articles/{id}": f"/articles/{removed}?removed=1",
        "/articles/{id}/revisions": f"/articles/{revised}/revisions",
        "/search": "/search?q=ferry&language=en",
        "/watchlists": "/watchlists",
        "/watchlists/{id}": "/watchlists/1",
        "/sites": "/sites",
        "/sites/{key}": "/sites/herald",
        "/copies": "/copies?since=9999d",
        "/removed": "/removed",
        "/rejections": "/rejections",
        "/about": "/about",
        "/login": "/login",
    }


def further(world: Engine) -> dict[str, str]:
    """Pages of the same routes that look different."""
    arabic = next(one.id for one in reader.articles(world) if one.title == ARABIC_TITLE)
    return {
        "an article from right to left": f"/articles/{arabic}",
        "an empty list": "/?site=nobody.example",
        "search": "/search",
        "lines of a rule": "/removed?rule=structure.title",
    }


def page_routes() -> set[str]:
    """Paths of all pages for people: those of every router in copydesk.web. Feeds are for programs."""
    modules = (
        import_module(f"copydesk.web.{one.name}") for one in pkgutil.iter_modules(copydesk.web.__path__)
    )
    routers = [one for module in modules if isinstance(one := getattr(module, "router", None), APIRouter)]
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return {"/login", *(route.path for route in routes if not _is_for_programs(route.path))}


def _is_for_programs(path: str) -> bool:
    return path.startswith(("/api/", "/feeds")) or path.endswith(".opml")
