"""`copydesk sites add` of several sites, of the catalogue and of OPML, and `copydesk sites catalogue`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from copydesk.cli import app
from crawler.sites import read_catalogue, read_sites
from pipeline.errors import OperatorError
from tests.copydesk.commands.test_sites import OWN, ROOT, own_file, sites, web  # noqa: F401
from tests.copydesk.conftest import Run
from tests.crawler.probing.test_discover import Site, feed, front, link, news_sitemap
from tests.crawler.web import Page, Web
from tests.waiting import PATIENCE

GUARDIAN, TAGESSCHAU = read_catalogue()["guardian"], read_catalogue()["tagesschau"]


# The test's web has no certificates: the addresses of the catalogue are http in this program.
WITHOUT_TLS = """
import sys
from dataclasses import fields, replace
import crawler.sites.catalogue as catalogue
from copydesk.cli import main

def plain(value):
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value.replace("https://", "http://")

def without_tls(outlet):
    return replace(outlet, **{field.name: plain(getattr(outlet, field.name)) for field in fields(outlet)})

known = {key: without_tls(outlet) for key, outlet in catalogue.read_catalogue().items()}
catalogue.read_catalogue = lambda: known
sys.argv[0] = "copydesk"
main()
"""


def catalogue_without_tls(web: Web, *args: str) -> subprocess.CompletedProcess[str]:  # noqa: F811
    """Runs `copydesk sites ARG…` with a catalogue of http addresses, and the web for a proxy."""
    environment = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    own = {"http_proxy": web.base, "COPYDESK_USE_PROXY": "1", "COPYDESK_CONTACT": "ada@copydesk.example"}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TLS, "sites", *args],
        env={**environment, **own},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def opml_of(*outlines: str) -> str:
    return f'<opml version="2.0"><body>{"".join(outlines)}</body></opml>'


def outline(url: str, home: str = "", title: str = "x") -> str:
    return f'<outline type="rss" text="{title}" xmlUrl="{url}" htmlUrl="{home}"/>'


def lists(web: Web) -> None:  # noqa: F811
    """Two outlets that work, and one that is gone."""
    gazette = Site(web, "www.gazette.example")
    gazette.put("/rss", feed(gazette.story(1, 2), language="en"))
    gazette.put("/sport", feed(gazette.story(2, 3)))
    gazette.put("/moved", Page(status=301, headers={"Location": "http://www.gazette.example/rss"}))
    herald = Site(web, "herald.example")
    herald.put("/feed", feed(herald.story(1), language="de"))


def test_an_opml_file_becomes_sites_and_what_does_not_work_is_reported(
    sites: Run,  # noqa: F811
    web: Web,  # noqa: F811
    own_file: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    lists(web)
    file = tmp_path / "feeds.opml"
    home = "http://www.gazette.example/"
    file.write_text(
        opml_of(
            outline(f"{home}rss", home, "Gazette"),
            outline(f"{home}sport", home, "Gazette"),
            outline(f"{home}moved", home, "Gazette"),
            outline(f"{home}none", home, "Gazette"),
            outline("http://herald.example/feed", title="Herald"),
            outline("http://gone.example/rss", title="Gone"),
            outline("http://tribune.example/rss", "http://www.tribune.example", "Tribune"),
            outline("mailto:ada@example.com"),
        )
    )
    done = sites("add", "--opml", str(file), "--sites", str(own_file))
    assert done.returncode == 3, done.stderr
    added = tomllib.loads(own_file.read_text())["sites"]
    assert own_file.read_text().startswith(OWN)
    assert list(added) == ["tribune", "gazette", "herald"]
    assert added["gazette"] == {
        "name": "Gazette",
        "homepage": home,
        "feeds": [f"{home}rss", f"{home}sport"],  # what moved is the first one
        "language": "en",
        "schedule": "every 30 min",
    }
    assert added["herald"]["feeds"] == ["http://herald.example/feed"]
    assert "left out: mailto:ada@example.com: no http(s) address" in done.stderr
    assert "left out: http://www.tribune.example is there already, as site tribune" in done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].split() == ["gazette", "2", "0", "2", "of", "2", home]
    assert "not added: gone: no feed or sitemap with articles of the site" in lines
    assert "  no use  http://www.gazette.example/none: HTTP 404" in lines
    assert lines[-1] == f"2 sites of 3: written to {own_file}"
    assert not [url for url in web.count() if "tribune" in url and url.endswith("/rss")]


def test_what_is_exported_can_be_added_again(sites: Run, web: Web, tmp_path: Path) -> None:  # noqa: F811
    lists(web)
    home = "http://www.gazette.example/"
    first, second, file = (tmp_path / name for name in ("first.toml", "second.toml", "feeds.opml"))
    first.write_text(
        f'[sites.gazette]\nname = "The Gazette"\nhomepage = "{home}"\nfeeds = ["{home}rss", "{home}sport"]\n'
        '[sites.herald]\nname = "Herald"\nhomepage = "http://herald.example/"\n'
        'feeds = ["http://herald.example/feed"]\n'
        '[sites.maps]\nname = "Maps"\nhomepage = "http://maps.example/"\nsitemaps = ["http://maps.example/x"]\n'
    )
    exported = sites("export", "--opml", "--sites", str(first))
    assert exported.stderr == "without a feed, and so left out: maps\n"
    file.write_text(exported.stdout)
    done = sites("add", "--opml", str(file), "--sites", str(second), "--json")
    assert done.returncode == 0, done.stderr
    assert [one["is_written"] for one in json.loads(done.stdout)] == [True, True]
    before, after = read_sites(first), read_sites(second)
    for key in ("gazette", "herald"):
        for field in ("name", "homepage", "feeds"):
            assert getattr(after[key], field) == getattr(before[key], field)
    content = second.read_bytes()
    again = sites("add", "--opml", str(file), "--sites", str(second))
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr.splitlines()[-1] == f"{file}: all of its sites are there already"
    assert second.read_bytes() == content


def test_several_addresses_are_added_at_once_and_a_twin_is_refused(
    sites: Run,  # noqa: F811
    web: Web,  # noqa: F811
    tmp_path: Path,
) -> None:
    for name in ("ledger", "echo"):
        site = Site(web, f"{name}.example")
        site.put("/", front(f"<title>{name}</title>" + link("/rss")))
        site.put("/rss", feed(site.story(1)))
    file = tmp_path / "new.toml"
    names = ("http://ledger.example", "http://echo.example/", "http://www.ledger.example/")
    Site(web, "www.ledger.example").put("/", front(""))
    # Its twin answers first, but is named later.
    web.gate = lambda url: time.sleep(1) if url == "http://ledger.example/" else None
    done = sites("add", *names, "--sites", str(file))
    assert done.returncode == 3, done.stderr
    assert set(tomllib.loads(file.read_text())["sites"]) == {"ledger", "echo"}
    assert "is there already, as site ledger" in " ".join(done.stdout.split())


def test_outlets_of_the_catalogue_are_added_by_their_keys(web: Web, tmp_path: Path) -> None:  # noqa: F811
    guardian = Site(web, "www.theguardian.com")
    robots = b"User-agent: *\nContent-Signal: ai-train=no\n\nUser-agent: GPTBot\nDisallow: /\n"
    guardian.put("/robots.txt", Page(robots, "text/plain"))
    newest = GUARDIAN.news_sitemaps[0].replace("https", "http")
    web.pages[newest] = news_sitemap(guardian.story(1, 2))
    # Its address of the catalogue is gone, and its front page links to the new one.
    tagesschau = Site(web, "www.tagesschau.de")
    tagesschau.put("/", front("<title>tagesschau.de</title>" + link("/new.xml"), "de"))
    tagesschau.put("/new.xml", feed(tagesschau.story(1)))
    file = tmp_path / "new.toml"
    done = catalogue_without_tls(web, "add", "guardian", "tagesschau", "--sites", str(file))
    assert done.returncode == 0, done.stderr
    added = tomllib.loads(file.read_text())["sites"]
    assert added == {
        "guardian": {
            "name": "The Guardian",
            "homepage": GUARDIAN.homepage.replace("https", "http"),
            "sitemaps": [newest],
            "language": "en",
            "schedule": "every 30 min",
        },
        "tagesschau": {
            "name": "Tagesschau",
            "homepage": TAGESSCHAU.homepage.replace("https", "http"),
            "feeds": ["http://www.tagesschau.de/new.xml"],
            "language": "de",
            "schedule": "every 30 min",
        },
    }
    lines = done.stdout.splitlines()
    assert "  reserved  guardian: content-signal ai-train=no (robots.txt)" in lines
    assert lines.count("  reserved  guardian: refuses GPTBot (robots.txt)") == 1
    assert not [line for line in lines if "reserved  tagesschau" in line]
    assert lines[-1] == f"2 sites of 2: written to {file}"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("add",), "name a site by its address or its key in the catalogue"),
        (("add", "guardain"), "no outlet 'guardain' in the catalogue; did you mean guardian?"),
        (("add", "http://tribune.example/", "guardain"), "did you mean guardian?"),
        (("add", "guardian", "tagesschau", "--key", "x"), "--key, --name and --allow-host are of one site"),
        (("add", "guardian", "--key", "tribune"), "site tribune is there already"),
        (("add", "--opml", "none.opml"), "none.opml: cannot be read (No such file or directory)"),
        (("add", "--opml", "{broken}"), "no OPML: "),
        (("add", "--opml", "{bomb}"), "declares XML entities"),
        (("add", "--opml", "{empty}"), "names no feed with an http(s) address"),
    ],
)
def test_a_mistake_is_reported_before_any_request_and_nothing_is_written(
    own_file: Path,  # noqa: F811
    tmp_path: Path,
    args: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COPYDESK_CONTACT", raising=False)
    files = {
        "broken": "<opml><body>",
        "bomb": '<!DOCTYPE opml [<!ENTITY a "b">]><opml>&a;</opml>',
        "empty": opml_of('<outline text="x"/>'),
    }
    for name, text in files.items():
        (tmp_path / f"{name}.opml").write_text(text)
    named = {name: str(tmp_path / f"{name}.opml") for name in files}
    arguments = [arg.format(**named) for arg in args]
    done = CliRunner().invoke(app, ["sites", *arguments, "--sites", str(own_file)])
    assert isinstance(done.exception, OperatorError)
    assert message in str(done.exception)
    assert "\n" not in str(done.exception)
    assert own_file.read_text() == OWN


def test_the_catalogue_is_listed() -> None:
    done = CliRunner().invoke(app, ["sites", "catalogue", "--country", "no"])
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["key", "name", "country", "language", "feeds", "sitemaps", "homepage"]
    assert [row.split()[0] for row in rows] == ["db", "nettavisen", "nrk", "vg"]
    assert "add some: copydesk sites add KEY" in done.stderr
    none = CliRunner().invoke(app, ["sites", "catalogue", "no outlet is like this"])
    assert none.stdout.startswith("No outlet of the catalogue is like that")
    listed: Any = json.loads(CliRunner().invoke(app, ["sites", "catalogue", "--json"]).stdout)
    assert len(listed) == len(read_catalogue())


def test_outlets_of_the_catalogue_are_asked_what_they_reserve(web: Web) -> None:  # noqa: F811
    """Nothing of it is in the catalogue: outlets say it themselves, and change it."""
    told = {
        "www.db.no": Page(b"User-agent: GPTBot\nDisallow: /\n", "text/plain"),
        "www.nettavisen.no": Page(status=404),
        "www.nrk.no": Page(b"User-agent: *\nAllow: /\n", "text/plain"),
        "www.vg.no": Page(status=503),
    }
    for host, page in told.items():
        Site(web, host).put("/robots.txt", page)
    rights = b'[{"location": "/", "tdm-reservation": 1}]'
    Site(web, "www.nrk.no").put("/.well-known/tdmrep.json", Page(rights, "application/json"))
    done = catalogue_without_tls(web, "catalogue", "--country", "no", "--reserved", "--json")
    assert done.returncode == 0, done.stderr
    found = {one["key"]: (one["reserves"], one["problem"]) for one in json.loads(done.stdout)}
    assert found == {
        "db": (["refuses GPTBot (robots.txt)"], None),
        "nettavisen": ([], None),
        "nrk": (["tdm-reservation 1 (tdmrep.json)"], None),
        "vg": ([], "www.vg.no does not give its robots.txt (HTTP 503)"),
    }
    done = catalogue_without_tls(web, "catalogue", "--country", "no", "--reserved")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines == [
        "key name country reserved what it says",
        "db Dagbladet no yes refuses GPTBot (robots.txt)",
        "nettavisen Nettavisen no no",
        "nrk Norsk rikskringkasting no yes tdm-reservation 1 (tdmrep.json)",
        "vg Verdens Gang no ? www.vg.no does not give its robots.txt (HTTP 503)",
    ]
    assert done.stderr.splitlines()[-1] == "4 outlets: 2 reserved, 1 gave no answer"
    # Nothing but these two files was requested.
    paths = {url.partition("://")[2].partition("/")[2] for url in web.count() if ".no/" in url}
    assert paths == {"robots.txt", ".well-known/tdmrep.json"}
