"""The feeds of the sites file as OPML over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from copydesk.web import DeskSettings, make_app
from crawler.discovery import read_opml, sites_of_feeds
from crawler.sites import read_sites

SITE = """\
[sites.gazette]
name = "Gazette & Söhne"
homepage = "https://gazette.example/"
feeds = ["https://gazette.example/rss?a=1&b=2"]
"""


def test_the_sites_file_is_given_as_it_is_now(
    desk: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "sites.toml"
    file.write_text(SITE)
    monkeypatch.setenv("COPYDESK_SITES", str(file))
    answer = desk.get("/sites.opml")
    assert answer.headers["content-type"] == "text/x-opml; charset=utf-8"
    (site,) = sites_of_feeds(read_opml(answer.content).feeds)
    known = read_sites()["gazette"]
    assert (site.key, site.name, site.homepage) == ("gazette", known.name, known.homepage)
    assert site.feeds == known.feeds
    # The file changes without the database.
    file.write_text(SITE.replace("/rss", "/new"))
    newer = desk.get("/sites.opml", headers={"If-None-Match": answer.headers.get("etag", "")})
    assert newer.status_code == 200
    assert "/new?a=1&amp;b=2" in newer.text
    file.write_text("[sites.gazette]")
    assert desk.get("/sites.opml").status_code == 400


def test_it_needs_the_token_of_the_desk(desk_url: str) -> None:
    settings = DeskSettings(desk_url, token="0123456789abcdef")
    with TestClient(make_app(settings), base_url="http://127.0.0.1:8017") as client:
        assert client.get("/sites.opml").status_code == 401
        assert client.get("/sites.opml?token=0123456789abcdef").status_code == 401
        signed = {"Authorization": "Bearer 0123456789abcdef"}
        assert client.get("/sites.opml", headers=signed).status_code == 200


def test_the_page_of_sites_names_it(desk: TestClient) -> None:
    page = desk.get("/sites", headers={"Accept": "text/html"}).text
    assert '<link rel="alternate" type="text/x-opml" href="/sites.opml"' in page
