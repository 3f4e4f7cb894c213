"""The project is deployed to a scrapyd, and crawls there from its zipped egg."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from storage import reader
from storage.database import open_database
from tests.conftest import PostgresServer
from tests.crawler.crawling import QUICK, ROOT, Desk
from tests.crawler.web import Page, article, rss, serve
from tests.waiting import PATIENCE, wait_until

PACKAGES = ("copydesk", "crawler", "examples", "pipeline", "storage")
FILES = ("LICENSE", "README.md", "pyproject.toml", "scrapy.cfg", "setup.py")


@dataclass
class Scrapyd:
    """A scrapyd of the test's own, on a free port of the loopback address."""

    folder: Path
    url: str = ""

    def ask(self, name: str, **arguments: str) -> dict[str, Any]:
        """The answer of its API."""
        return self._call(f"{name}.json?{urlencode(arguments)}", None)

    def schedule(self, spider: str, settings: Mapping[str, str], **arguments: str) -> str:
        """Start a job; returns its id."""
        pairs = [("setting", f"{name}={value}") for name, value in settings.items()]
        pairs += [("project", "copydesk"), ("spider", spider), *arguments.items()]
        return str(self._call("schedule.json", urlencode(pairs).encode())["jobid"])

    def _call(self, path: str, data: bytes | None) -> dict[str, Any]:
        with urlopen(self.url + path, data, timeout=PATIENCE) as answer:
            found: dict[str, Any] = json.load(answer)
        assert found["status"] == "ok", found
        return found

    def log_of(self, job: str) -> str:
        return (self.folder / "logs" / "copydesk" / "news" / f"{job}.log").read_text()


@pytest.fixture
def scrapyd(tmp_path: Path) -> Iterator[Scrapyd]:
    folder = tmp_path / "scrapyd"
    folder.mkdir()
    # Without the source tree and its settings, so that the jobs run the code of the egg.
    left_out = ("COPYDESK_", "SCRAPY_", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    environment |= {"HOME": str(folder), "NO_PROXY": "*"}
    for _ in range(10):  # port 0 is not possible, and a free port may be in use by now
        port = _free_port()
        (folder / "scrapyd.conf").write_text(
            f"[scrapyd]\nbind_address = 127.0.0.1\nhttp_port = {port}\npoll_interval = 0.2\nmax_proc = 1\n"
        )
        with (folder / "log").open("wb") as log:
            command = [sys.executable, "-m", "scrapyd"]
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            if _is_up(folder / "log", process):
                yield Scrapyd(folder, f"http://127.0.0.1:{port}/")
                return
        finally:
            process.terminate()
            process.wait(PATIENCE)
    raise AssertionError((folder / "log").read_text())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _is_up(log: Path, process: subprocess.Popen[bytes]) -> bool:
    wait_until(lambda: process.poll() is not None or "Site starting on" in log.read_text())
    return process.poll() is None


def _deploy(scrapyd: Scrapyd, folder: Path) -> None:
    """Deploys a copy as `scrapyd-deploy` does, which builds in the current folder."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copyfile(ROOT / name, folder / name)
    config = folder / "scrapy.cfg"
    assert "url = http://localhost:6800/" in config.read_text()
    config.write_text(config.read_text().replace("http://localhost:6800/", scrapyd.url))
    settings = folder / "crawler" / "settings.py"
    settings.write_text(settings.read_text() + '\nUSER_AGENT = "copydesk-out-of-the-egg/1"\n')
    done = subprocess.run(
        [sys.executable, "-m", "scrapyd_client.deploy", "--version", "1"],
        cwd=folder,
        env=os.environ | {"NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["project"] == "copydesk", done.stdout + done.stderr


def test_the_project_deploys_and_crawls(scrapyd: Scrapyd, postgres: PostgresServer, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    _deploy(scrapyd, project)
    assert set(scrapyd.ask("listspiders", project="copydesk")["spiders"]) >= {"news", "sections", "urls"}

    databases = [f"sqlite:///{tmp_path / 'copydesk.db'}", postgres.create("template1")]
    try:
        with serve() as web:
            web.pages["/rss.xml"] = Page(rss([f"{web.base}/story"]), "application/rss+xml")
            web.pages["/story"] = Page(article(3))
            desk = Desk(tmp_path)
            feeds = [f"{web.base}/rss.xml"]
            desk.write_sites({"gazette": {"homepage": f"{web.base}/", "feeds": feeds}})
            for database in databases:
                _crawl(scrapyd, database, desk.sites_file)
            assert web.agents == {"copydesk-out-of-the-egg/1"}
        for database in databases:
            engine = open_database(database, create=False)
            assert [row.publisher for row in reader.articles(engine)] == ["gazette"]
            engine.dispose()
    finally:
        postgres.drop(databases[1])


def _crawl(scrapyd: Scrapyd, database: str, sites_file: Path) -> None:
    """Schedule `news` and wait for its end."""
    settings = {"COPYDESK_DB": database, "COPYDESK_SITES": str(sites_file)}
    job = scrapyd.schedule("news", settings | QUICK, site="gazette")
    wait_until(
        lambda: job in {ended["id"] for ended in scrapyd.ask("listjobs", project="copydesk")["finished"]},
        (scrapyd.folder / "log").read_text,
    )
    log = scrapyd.log_of(job)
    assert "ERROR" not in log, log
    assert "Spider closed (finished)" in log, log
