"""`copydesk sites`: output, files, and exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from copydesk.cli import app
from crawler.sites import read_sites
from pipeline.document import Reason
from pipeline.errors import OperatorError
from pipeline.settings import Settings
from storage.database import open_database
from storage.writing import quarantine
from tests import forked
from tests.copydesk.conftest import Run
from tests.crawler.probing.test_discover import (
    Site,
    feed,
    front,
    link,
    never_ending_feed,
    news_sitemap,
    stories,
)
from tests.crawler.web import Page, Web, serve, sitemap

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with serve() as found:
        yield found


@pytest.fixture(scope="module")
def sites(web: Web) -> Run:
    """Runs `copydesk sites ARG…` with the web for a proxy."""

    def run(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
        own = {
            "http_proxy": web.base,
            "COPYDESK_USE_PROXY": "1",
            "COPYDESK_CONTACT": "ada@copydesk.example",
            **environment,
        }
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("COPYDESK_") and name.lower() != "no_proxy"
        }
        return forked.run(
            [sys.executable, "-m", "copydesk", "sites", *args],
            env={**kept, **own},
            cwd=ROOT,
        )

    return run


OWN = """\
# Ask Ada first.
[sites.tribune]
name = "Tribune"   # morning edition
homepage = "http://tribune.example/"
feeds = ["http://tribune.example/rss"]
schedule = "every 30 min"
"""


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    file = tmp_path / "mine.toml"
    file.write_text(OWN)
    return file


def test_found_sources_are_written_and_the_rest_of_the_file_stays(
    sites: Run, web: Web, own_file: Path
) -> None:
    site = Site(web, "www.gazette.example")
    title = '<meta property="og:site_name" content="The &quot;Gazette&quot; &#27;]0;x&#7;[red]">'
    site.put("/", front(title + link("/rss.xml")))
    site.put("/robots.txt", Page(b"Sitemap: http://www.gazette.example/news.xml\n", "text/plain"))
    site.put("/news.xml", news_sitemap(site.story(1, 2)))
    site.put("/rss.xml", feed(site.story(1, 2)))
    done = sites("add", "http://www.gazette.example/", "--sites", str(own_file))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    entry = """\
[sites.gazette]
name = "The \\"Gazette\\" ]0;x [red]"
homepage = "http://www.gazette.example/"
feeds = ["http://www.gazette.example/rss.xml"]
sitemaps = ["http://www.gazette.example/news.xml"]
language = "en"
schedule = "every 30 min"
"""
    assert own_file.read_text() == f"{OWN}\n{entry}"
    assert "\x1b" not in done.stdout
    assert entry in done.stdout
    lines = done.stdout.splitlines()
    assert any(line.startswith("taken") and "/news.xml" in line and "robots.txt" in line for line in lines)
    assert any(line.startswith("taken") and "/rss.xml" in line and "link" in line for line in lines)
    assert any(line.startswith("  article  http://www.gazette.example/story/") for line in lines)
    assert lines[-1].endswith(f"copydesk sites check gazette --sites {own_file}")


def test_a_trial_writes_nothing(sites: Run, web: Web, tmp_path: Path) -> None:
    site = Site(web, "herald.example")
    site.put("/", front("<title>Herald</title>" + link("/rss")))
    site.put("/rss", feed(site.story(1)))
    site.put("/robots.txt", Page(b"Sitemap: http://herald.example/news.xml\n", "text/plain"))
    site.put("/news.xml", news_sitemap(site.story(1)))
    file = tmp_path / "new.toml"
    options = ("--dry-run", "--json", "--key", "north", "--name", "North", "--sites", str(file))
    done = sites("add", "http://herald.example", *options)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["is_written"], found["found"]["key"]) == (False, "north")
    assert found["found"]["entry"]["name"] == "North"
    assert found["found"]["entry"]["feeds"] == ["http://herald.example/rss"]
    assert not file.exists()


def test_a_site_that_is_in_the_file_is_recognised_by_its_front_page(
    sites: Run, web: Web, own_file: Path
) -> None:
    Site(web, "www.tribune.example").put(
        "/", Page(status=301, headers={"Location": "http://tribune.example/"})
    )
    Site(web, "tribune.example").put("/", front(""))
    web.forget()
    done = sites("add", "http://www.tribune.example", "--sites", str(own_file))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"copydesk: {own_file}: http://tribune.example/ is there already, as site tribune\n"
    )
    assert own_file.read_text() == OWN
    assert [path for path in web.count() if "robots" not in path] == [
        "http://www.tribune.example/",
        "http://tribune.example/",
    ]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("add", "http://herald.example/", "--key", "A B"), "a site's key is made of a-z"),
        (("add", "ftp://herald.example/"), "homepage: 'ftp://herald.example/' is no http(s) URL"),
        (("add", "http://ada:secret@herald.example/"), "write http://herald.example/"),
        (("add", "http://herald.example/", "--stale", "soon"), "'soon' is not an age"),
        (("add", "http://herald.example/", "--schedule", "hourly"), "'hourly' is no schedule"),
        (("add", "http://herald.example/", "--allow-host", "*"), "allowed_hosts.1: '*' is no host name"),
        (("add", "http://herald.example/"), "set COPYDESK_CONTACT"),
        (("check",), "set COPYDESK_CONTACT"),
        (("check", "tribun"), "did you mean tribune?"),
        (("check", "--stale", "soon"), "'soon' is not an age"),
    ],
)
def test_a_mistake_is_reported_before_any_request(
    own_file: Path, args: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COPYDESK_CONTACT", raising=False)
    done = CliRunner().invoke(app, ["sites", *args, "--sites", str(own_file)])
    assert isinstance(done.exception, OperatorError)
    assert message in str(done.exception)
    assert "secret" not in str(done.exception)
    assert own_file.read_text() == OWN


def test_the_shipped_file_is_not_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COPYDESK_SITES", raising=False)
    shipped = ROOT / "crawler" / "sites" / "sites.toml"
    before = shipped.read_bytes()
    for where in ((), ("--sites", str(shipped))):
        done = CliRunner().invoke(app, ["sites", "add", "http://herald.example/", *where])
        assert "name one of your own with --sites FILE" in str(done.exception)
    assert shipped.read_bytes() == before


def test_the_list(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = '[sites.x]\nname = "[red]X"\nhomepage = "http://x.example/"\nsections = ["http://x.example/"]\n'
    own_file.write_text(OWN + other)
    done = CliRunner().invoke(app, ["sites", "list", "--sites", str(own_file)])
    header, tribune, x = done.stdout.splitlines()
    assert header.split() == ["site", "name", "homepage", "feeds", "sitemaps", "sections", "schedule"]
    assert tribune.split()[:6] == ["tribune", "Tribune", "http://tribune.example/", "1", "0", "0"]
    assert tribune.endswith("every 30 min")
    assert x.split() == ["x", "[red]X", "http://x.example/", "0", "0", "1", "—"]
    monkeypatch.setenv("COPYDESK_SITES", str(own_file))
    listed = json.loads(CliRunner().invoke(app, ["sites", "list", "--json"]).stdout)
    assert [(site["key"], site["schedule"]) for site in listed] == [("tribune", "every 30 min"), ("x", None)]
    assert listed[0]["politeness"]["page_budget"] == 500
    own_file.write_text(OWN.replace("feeds", "feed"))
    done = CliRunner().invoke(app, ["sites", "list"])
    assert done.stdout == ""
    assert "site tribune: feed: unknown key; did you mean feeds?" in str(done.exception)


def _sites_file(file: Path, entries: dict[str, dict[str, Any]]) -> Path:
    lines = []
    for key, entry in entries.items():
        lines += [f"[sites.{key}]", f'homepage = "http://{key}.example/"']
        lines += [f"{name} = {json.dumps(value)}" for name, value in entry.items()]
        lines += [f"[sites.{key}.politeness]", "delay = 0", f"[sites.{key}.rules]"]
        lines += ["drop = ['article']"] if key == "ruled" else []
    file.write_text("\n".join(lines))
    return file


def _checked(web: Web) -> dict[str, dict[str, Any]]:
    """Sites of every kind, as a sites file has them."""
    entries: dict[str, dict[str, Any]] = {}

    def new(key: str, **entry: Any) -> Site:
        site = Site(web, f"{key}.example")
        entries[key] = {
            name: [f"http://{key}.example{path}" for path in paths] if name.endswith("s") else paths
            for name, paths in entry.items()
        }
        return site

    well = new("well", feeds=["/rss"], sitemaps=["/robots.txt"], sections=["/politics"])
    well.put("/rss", feed(well.story(1, 2)))
    well.put("/robots.txt", Page(b"Sitemap: /index.xml\n", "text/plain"))
    well.put(
        "/index.xml",
        Page(sitemap({"http://well.example/none": "", "http://well.example/map": ""}, index=True)),
    )
    well.put("/map", news_sitemap(well.story(3)))
    anchors = "".join(
        f'<a href="{url}-ferry-runs-aground-again">Ferry runs aground again</a>' for url in well.story(4)
    )
    well.put("/politics", Page(f"<html><body>{anchors}</body></html>".encode()))

    flawed = new("flawed", feeds=["/rss", "/gone", "/html", "/old"])
    flawed.put("/rss", feed([*flawed.story(1), "http://flawed.example/empty"]))
    flawed.put("/empty", Page(b"<html><body><p>Please log in.</p></body></html>"))
    flawed.put("/html", front("<title>x\x1b]0;y\x07</title>"))
    flawed.put("/old", feed(dict.fromkeys(stories("flawed.example", 1), 40.0)))

    stale = new("stale", feeds=["/rss"])
    stale.put("/rss", feed(dict.fromkeys(stale.story(1), 40.0)))
    gone = new("gone", feeds=["/rss"])
    gone.put("/", front(""))
    foreign = new("foreign", feeds=["/rss"])
    foreign.put("/rss", feed(["http://elsewhere.example/story/1"]))
    walled = new("walled", feeds=["/rss"])
    walled.put("/rss", feed(stories("walled.example", 1, 2)))
    for number in (1, 2):
        walled.put(f"/story/{number}", Page(b"<html><body><form><input></form></body></html>"))
    shut = new("shut", feeds=["/rss"])
    shut.put("/robots.txt", Page(b"User-agent: *\nDisallow: /rss", "text/plain"))
    down = new("down", feeds=["/rss"])
    down.put("/robots.txt", Page(status=500))
    ruled = new("ruled", feeds=["/rss"])
    ruled.put("/rss", feed(ruled.story(1)))
    undated = new("undated", feeds=["/feed.json"])
    (url,) = undated.story(1)
    json_feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"url": url}]}
    undated.put("/feed.json", Page(json.dumps(json_feed).encode(), "application/feed+json"))
    return entries


def test_a_check_says_of_each_site_whether_it_works(sites: Run, web: Web, tmp_path: Path) -> None:
    file = _sites_file(tmp_path / "sites.toml", _checked(web))
    done = sites("check", "--sites", str(file), "--json")
    assert done.stderr == ""
    assert done.returncode == 3
    found = {site["key"]: site for site in json.loads(done.stdout)}
    assert {key: site["state"] for key, site in found.items()} == {
        "well": "ok",
        "flawed": "flawed",
        "stale": "broken",
        "gone": "broken",
        "foreign": "broken",
        "walled": "broken",
        "shut": "broken",
        "down": "broken",
        "ruled": "broken",
        "undated": "ok",
    }
    assert all(site["is_complete"] for site in found.values())
    details = {key: [(s["state"], s["detail"]) for s in site["sources"]] for key, site in found.items()}
    assert details["well"] == [("ok", "")] * 3
    assert [source["articles"] for source in found["well"]["sources"]] == [2, 1, 1]
    assert [state for state, _ in details["flawed"]] == ["ok", "failed", "failed", "stale"]
    assert details["flawed"][1][1] == "HTTP 404"
    assert details["flawed"][3][1].startswith("its newest entry is of 20")
    assert details["foreign"] == [
        ("empty", "no article of the site among 1 entry, e.g. http://elsewhere.example/story/1")
    ]
    assert details["shut"] == [("failed", "Forbidden by robots.txt")]
    assert details["down"] == [("failed", "down.example does not give its robots.txt (HTTP 500)")]
    assert found["undated"]["sources"][0]["newest"] is None
    assert [page["problem"] for page in found["well"]["pages"]] == [None, None]
    assert found["well"]["pages"][0]["words"] > 100
    assert {page["url"]: bool(page["problem"]) for page in found["flawed"]["pages"]} == {
        "http://flawed.example/story/1": False,
        "http://flawed.example/empty": True,
    }
    assert len(found["walled"]["pages"]) == 2
    assert all(page["problem"] for page in found["walled"]["pages"])
    assert found["ruled"]["pages"][0]["problem"]  # the site's own rules remove all of its articles
    assert "http://shut.example/rss" not in web.count()


def test_the_table_of_a_check(sites: Run, web: Web, tmp_path: Path) -> None:
    file = _sites_file(tmp_path / "sites.toml", _checked(web))
    done = sites("check", "well", "flawed", "shut", "--sites", str(file), "--pages", "1")
    assert (done.returncode, done.stderr) == (3, "")
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["site", "state", "sources", "newest", "articles"]
    assert lines[1].split()[:5] == ["well", "ok", "3", "of", "3"]
    assert lines[1].endswith(" ago    1 of 1")
    assert lines[2].split()[:5] == ["flawed", "flawed", "1", "of", "4"]
    assert lines[3].split() == ["shut", "broken", "0", "of", "1", "—", "0", "of", "0"]
    assert "  feed failed  http://flawed.example/gone: HTTP 404" in lines
    assert "  feed failed  http://shut.example/rss: Forbidden by robots.txt" in lines
    assert lines[-1] == "3 sites: 1 ok, 1 flawed, 1 broken"


@pytest.fixture
def quarantined(tmp_path: Path) -> Callable[..., str]:
    """Puts URLs into the quarantine of a database; returns its URL."""

    def make(*urls: str) -> str:
        url = f"sqlite:///{tmp_path / 'news.db'}"
        engine = open_database(url)
        for _ in range(quarantine.MAX_FAILURES):
            for location in urls:
                failure = location, Reason.TIMEOUT, "not done within 30 seconds"
                quarantine.note_source_failure(engine, *failure, Settings())
        engine.dispose()
        return url

    return make


def test_a_check_requests_nothing_that_is_in_quarantine(
    sites: Run, web: Web, tmp_path: Path, quarantined: Callable[..., str]
) -> None:
    site = Site(web, "part.example")
    (first, second) = site.story(1, 2)
    site.put("/rss", feed([first, second]))
    site.put("/slow", feed([first]))
    urls = ["http://part.example/rss", "http://part.example/slow"]
    file = _sites_file(tmp_path / "sites.toml", {"part": {"feeds": urls}})
    asked = ("check", "--sites", str(file), "--json", "--db", quarantined(urls[1], second))
    web.forget()
    (found,) = json.loads(sites(*asked).stdout)
    why = "in quarantine: 2 times in a row: timeout: not done within 30 seconds"
    assert [(source["state"], source["detail"]) for source in found["sources"]] == [
        ("ok", ""),
        ("failed", why),
    ]
    assert {page["url"]: page["problem"] for page in found["pages"]} == {first: None, second: why}
    assert found["state"] == "flawed"
    assert not {urls[1], second} & web.count().keys()

    (found,) = json.loads(sites(*asked, "--quarantined").stdout)
    assert found["state"] == "ok"
    assert {urls[1], second} <= web.count().keys()
    (found,) = json.loads(sites(*asked).stdout)
    assert found["state"] == "flawed", "a check changes nothing"


def test_a_site_is_found_without_what_is_in_quarantine(
    sites: Run, web: Web, tmp_path: Path, quarantined: Callable[..., str]
) -> None:
    site = Site(web, "held.example")
    site.put("/", front("<title>Held</title>" + link("/slow") + link("/rss")))
    site.put("/slow", feed(site.story(1, 2)))
    site.put("/rss", feed(site.story(1)))
    slow = "http://held.example/slow"
    asked = ("add", "http://held.example/", "--dry-run", "--json", "--db", quarantined(slow))
    web.forget()
    found = json.loads(sites(*asked).stdout)["found"]
    assert found["entry"]["feeds"] == ["http://held.example/rss"]
    (attempt,) = (one for one in found["attempts"] if one["url"] == slow)
    assert attempt["verdict"] == "no use"
    assert attempt["says"].startswith("in quarantine: 2 times in a row: timeout")
    assert slow not in web.count()
    found = json.loads(sites(*asked, "--quarantined").stdout)["found"]
    assert slow in found["entry"]["feeds"]


def test_many_sites_that_never_answer_come_to_an_end(sites: Run, web: Web, tmp_path: Path) -> None:
    entries = {}
    with never_ending_feed() as endless:
        for number in range(40):
            key = f"hang-{number}"
            entries[key] = {"feeds": [f"http://{key}.example/rss", f"http://{key}.example/never"]}
            Site(web, f"{key}.example").put("/rss", endless)
        entries["well"] = {"feeds": ["http://well.example/only-this"]}
        well = Site(web, "well.example")
        well.put("/only-this", feed(well.story(1)))
        file = _sites_file(tmp_path / "sites.toml", entries)
        done = sites("check", "--sites", str(file), "--json", "--seconds", "3", "--pages", "0")
    assert done.returncode == 3
    found = {site["key"]: site for site in json.loads(done.stdout)}
    assert list(found) == list(entries)
    assert found.pop("well")["state"] in ("ok", "broken")  # three seconds may be too few on a slow machine
    assert {site["state"] for site in found.values()} == {"broken"}
    assert {site["is_complete"] for site in found.values()} == {False}
    assert {source["detail"] for site in found.values() for source in site["sources"]} == {
        "not read within 3 s"
    }


def test_sites_are_removed_from_a_file_and_exported(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_SITES", str(own_file))
    before = CliRunner().invoke(app, ["sites", "export"])
    assert tomllib.loads(before.stdout)["sites"].keys() == read_sites(own_file).keys()
    key, *others = read_sites(own_file)
    opml = CliRunner().invoke(app, ["sites", "export", key, "--format", "opml"])
    assert read_sites(own_file)[key].feeds[0] in opml.stdout
    done = CliRunner().invoke(app, ["sites", "remove", key])
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.startswith(f"{key}: removed; its articles stay (copydesk forget --site ")
    assert list(read_sites(own_file)) == others
    for arguments in (["remove", key], ["export", "--format", "xml"], ["remove", "bbc", "--sites", ""]):
        assert CliRunner().invoke(app, ["sites", *arguments]).exit_code != 0
