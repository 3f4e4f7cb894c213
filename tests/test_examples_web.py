"""The invented world as a web is complete, the same at every start, and can be controlled."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from examples.web.faults import FAULTS
from examples.web.server import World, serve
from examples.web.web import Resource, pages_of
from examples.web.world import EDITIONS, outlets, stories
from tests.crawler.worldly import SITES
from tests.waiting import PATIENCE


@pytest.fixture
def world() -> Iterator[World]:
    with serve(World()) as served:
        yield served


def _get(world: World, url: str, **headers: str) -> tuple[int, dict[str, str]]:
    asked = Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with build_opener(ProxyHandler({"http": world.proxy})).open(asked, timeout=PATIENCE) as response:
            return response.status, dict(response.headers)
    except HTTPError as error:
        with error:
            return error.code, dict(error.headers)


def _order(world: World, path: str) -> object:
    connection = HTTPConnection(world.proxy.removeprefix("http://"), timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def test_the_sites_file_agrees_with_the_world(world: World) -> None:
    sites = tomllib.loads(SITES.read_text(encoding="utf-8"))["sites"]
    assert sites.keys() == outlets().keys()
    assert len(sites) >= 12
    assert len({outlet.language for outlet in outlets().values()}) >= 6
    for key, site in sites.items():
        outlet = outlets()[key]
        assert urlsplit(site["homepage"]).hostname == outlet.host
        assert (site["name"], site["language"]) == (outlet.name, outlet.language)
        named = [*site.get("feeds", ()), *site.get("sitemaps", ()), *site.get("sections", ())]
        for url in named:
            status, served = _get(world, url)
            assert status == 200, url
            by_tag = {"If_None_Match": served["ETag"]} if "ETag" in served else {}
            by_time = {"If_Modified_Since": served["Last-Modified"]} if "Last-Modified" in served else {}
            assert _get(world, url, **by_tag, **by_time)[0] == 304, url


def test_every_story_is_published_somewhere() -> None:
    told = {row["story"] for outlet in outlets().values() for row in outlet.rows}
    assert told == stories().keys() - {"lab"}


def test_the_same_times_give_the_same_pages() -> None:
    clock = {edition: datetime(2026, 3, 1, 9 + edition, 30, tzinfo=UTC) for edition in EDITIONS}
    before: dict[str, Resource] = {}
    for edition in EDITIONS:
        pages = dict(pages_of(edition, clock, before))
        assert pages == pages_of(edition, clock, before)
        assert pages != before
        before = pages


def test_the_world_can_be_controlled(world: World) -> None:
    quake = "http://skerneislander.example/story?id="
    assert not any(article.story.id == "quake" for article in world.articles().values())
    assert _order(world, "/edition/2") == {"edition": 2}
    url = world.articles()["islander/quake"].url
    assert url.startswith(quake)
    assert _get(world, url)[0] == 200
    assert _order(world, "/spoil/too-many/skerneislander.example/*") == {
        "spoilt": "skerneislander.example/*",
        "fault": "too-many",
    }
    status, headers = _get(world, url)
    assert (status, headers["Retry-After"]) == (429, "1")
    assert _order(world, "/asked") == [{"url": url, "status": 200}, {"url": url, "status": 0}]
    _order(world, "/mend")
    assert _get(world, url)[0] == 200
    assert _get(world, "http://nobody.example/")[0] == 502
    told = _order(world, "/help")
    assert isinstance(told, dict)
    assert told["faults"].keys() == FAULTS.keys()
    assert all(told["faults"].values())
