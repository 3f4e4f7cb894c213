"""Commands, and the processes that they start, execute no file of the current folder.

The folder holds modules by the names of libraries, of this program and of Python's own. Each leaves its name
behind when it is executed and then makes way for the real one, so one run shows all that are executed.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from copydesk.safe_path import leave_out_current_folder
from storage import reader
from storage.database import open_database
from tests.crawler.crawling import QUICK, ROOT, Desk, Done
from tests.crawler.web import Page, article, rss, serve
from tests.waiting import PATIENCE, wait_until

BIN = Path(sys.executable).parent
NAMES = (
    *("crawler", "pipeline", "storage"),
    *("lxml", "numpy", "redis", "trafilatura", "xxhash"),
    *("json", "selectors", "zipfile"),
)

HOSTILE = """\
import os, sys
with open({executed!r}, "a") as file:
    print(__name__, file=file)
path = sys.path[:]
sys.path[:] = [entry for entry in path if os.path.abspath(entry) != {folder!r}]
del sys.modules[__name__]
try:
    __import__(__name__)
finally:
    sys.path[:] = path
"""

# The second worker is forked from a server that was started anew.
PROGRAM = """\
import os, signal, time
from datetime import UTC, datetime
from pathlib import Path
from crawler.workers.pool import WorkerPool
from pipeline.document import Document, MediaType, Origin
from pipeline.settings import Settings

page = Path("page.html").read_bytes()
document = Document("p", "https://x.example/p", page, MediaType.HTML, datetime.now(UTC), Origin.FILE)

def status(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()

with WorkerPool(Settings(), 1) as pool:
    print(pool.submit(document).result().title)
    (worker,) = pool.worker_pids()
    fork_server = int(status(worker)[1])
    os.kill(fork_server, signal.SIGKILL)
    while status(fork_server)[0] != "Z":
        time.sleep(0.01)
    os.kill(worker, signal.SIGKILL)
    while pool.worker_pids() in ([], [worker]):
        time.sleep(0.01)
    print(pool.submit(document).result().title)
"""


class Hostile:
    """A folder with such modules beside a page; a Scrapy project's configuration that names one of them."""

    def __init__(self, parent: Path) -> None:
        self.folder = parent / "archive"
        self.folder.mkdir()
        self.desk = Desk(parent)
        self.desk.write_sites({})
        self._executed = parent / "executed"
        (self.folder / "page.html").write_bytes(article(1))
        for name in NAMES:
            self.add("redis/__init__.py" if name == "redis" else f"{name}.py")
        self.add("<stdin>")
        self.add("outlet.py")
        (self.folder / "scrapy.cfg").write_text("[settings]\ndefault = outlet\n")

    def add(self, name: str) -> None:
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(HOSTILE.format(executed=str(self._executed), folder=str(self.folder)))

    def run(self, *command: str | Path, stdin: str = "", **variables: str) -> Done:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(**variables),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def environment(self, **variables: str) -> dict[str, str]:
        return {**self.desk.environment(), "COPYDESK_ALLOW_LOOPBACK": "1", **variables}

    def executed(self) -> set[str]:
        return set(self._executed.read_text().split()) if self._executed.exists() else set()

    def titles(self, db: str) -> list[str | None]:
        engine = open_database(db, create=False)
        try:
            return [row.title for row in reader.articles(engine)]
        finally:
            engine.dispose()


TITLE = "Marrow Bay reopens tunnel after 30 days of repairs"


@pytest.fixture
def hostile(tmp_path: Path) -> Hostile:
    return Hostile(tmp_path)


@pytest.fixture
def outlet(hostile: Hostile) -> Iterator[Hostile]:
    """The same, with a site whose feed names one article, to be crawled at once by `copydesk schedule`."""
    with serve() as web:
        web.pages["/story/1"] = Page(article(1))
        web.pages["/rss.xml"] = Page(rss([f"{web.base}/story/1"]), "application/rss+xml")
        site = {
            "homepage": f"{web.base}/",
            "feeds": [f"{web.base}/rss.xml"],
            "schedule": "every 1 d",
            "politeness": {"delay": 0},
        }
        hostile.desk.write_sites({"gazette": site})
        yield hostile


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What is executed when the folder is ingested, by the script and by the module."""
    hostile = Hostile(tmp_path_factory.mktemp("ingested"))
    # An empty entry of PYTHONPATH, and a relative one, are the current folder.
    commands: Mapping[str, tuple[tuple[str | Path, ...], str]] = {
        "script": ((BIN / "copydesk",), str(ROOT)),
        "module": ((sys.executable, "-m", "copydesk"), f"{ROOT}::."),
    }
    for name, (command, path) in commands.items():
        db = f"sqlite:///{hostile.desk.folder}/{name}.db"
        done = hostile.run(*command, "ingest", "page.html", "--db", db, PYTHONPATH=path)
        assert done.returncode == 0, done.stderr
        assert hostile.titles(db) == [TITLE]
    return hostile.executed()


@pytest.mark.parametrize("name", NAMES)
def test_ingest_executes_no_module_of_the_folder(name: str, ingested: set[str]) -> None:
    assert name not in ingested


def test_crawl_executes_nothing_of_the_folder_and_reads_no_scrapy_cfg_of_it(outlet: Hostile) -> None:
    done = outlet.run(sys.executable, "-m", "copydesk", "crawl")
    assert done.returncode == 0, done.stderr
    assert outlet.titles(outlet.desk.url) == [TITLE]
    assert outlet.executed() == set()


def test_scheduled_crawls_execute_nothing_of_the_folder(outlet: Hostile) -> None:
    outlet.add("copydesk.py")
    log = outlet.desk.folder / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [BIN / "copydesk", "schedule", "--jitter", "0"],
            cwd=outlet.folder,
            env=outlet.environment(),
            stdout=said,
            stderr=said,
        )
    try:
        wait_until(lambda: " crawl-done " in log.read_text() or process.poll() is not None)
        assert "crawl-done site=gazette status=0" in log.read_text()
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert outlet.titles(outlet.desk.url) == [TITLE]
    assert outlet.executed() == set()


def test_workers_of_scrapy_import_from_where_scrapy_does(outlet: Hostile) -> None:
    """Scrapy adds the folder of scrapy.cfg to its path, and not the current folder below it."""
    (outlet.folder / "scrapy.cfg").unlink()
    (outlet.folder.parent / "scrapy.cfg").write_text("[settings]\ndefault = crawler.settings\n")
    options = [f"-s{name}={value}" for name, value in QUICK.items()]
    done = outlet.run(BIN / "scrapy", "crawl", "news", *options)
    assert done.returncode == 0, done.stderr
    assert outlet.titles(outlet.desk.url) == [TITLE]
    assert outlet.executed() == set()


@pytest.mark.parametrize("is_file", [True, False], ids=["file", "standard input"])
def test_workers_of_any_program_execute_nothing_of_the_folder(hostile: Hostile, is_file: bool) -> None:
    program = hostile.desk.folder / "program.py"
    program.write_text(PROGRAM)
    command = [str(program)] if is_file else ["-P", "-"]
    done = hostile.run(sys.executable, *command, stdin="" if is_file else PROGRAM)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [TITLE] * 2
    assert hostile.executed() == set()


def test_without_the_environment_nothing_is_started(hostile: Hostile) -> None:
    done = hostile.run(sys.executable, "-E", "-m", "copydesk", "ingest", "page.html")
    assert done.returncode == 2
    assert done.stderr.startswith("copydesk: python -E: its workers would import from the current folder")
    assert hostile.executed() == set()


@pytest.mark.parametrize(
    ("named", "path", "left"),
    [
        (None, ["{here}", "/lib"], ["/lib"]),
        ("", ["", "/lib"], ["/lib"]),
        ("{here}", ["{here}", "/lib"], ["{here}", "/lib"]),
        (":/opt:below", ["{here}", "/opt", "{here}/below", "/lib"], ["/opt", "/lib"]),
        ("/opt", ["{program}", "/opt", "/lib"], ["{program}", "/opt", "/lib"]),
    ],
)
def test_the_current_folder_is_removed_from_the_path_unless_it_was_named(
    named: str | None, path: list[str], left: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def filled(entry: str) -> str:
        return entry.format(here=tmp_path, program=ROOT)

    monkeypatch.chdir(ROOT if "{program}" in path else tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if named is not None:
        monkeypatch.setenv("PYTHONPATH", filled(named))
    monkeypatch.setattr(sys, "path", [*map(filled, path)])
    leave_out_current_folder()
    assert sys.path == [*map(filled, left)]


def test_a_deleted_current_folder_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    monkeypatch.setattr(sys, "path", ["", "/lib"])
    leave_out_current_folder()
    assert sys.path == ["", "/lib"]
