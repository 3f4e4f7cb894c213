"""Runs the commands of the documentation as a reader would, in a folder with the files that the pages
name.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard
from typer.testing import CliRunner

from copydesk.cli import app
from examples.web.server import World, serve
from pipeline.errors import OperatorError
from tests import forked
from tests.docs.pages import ROOT, Block
from tests.waiting import PATIENCE, wait_until

NEWS = ROOT / "examples" / "news"

# Commands that are not run here, with the place where they run or the reason. Benchmarks need corpora, or
# hours.
NOT_RUN = {
    r"python3 -m venv |\S*pip install\b|\. \.venv/bin/activate$|\.venv/bin/copydesk ": "make demo does it",
    r"make (demo|demo-crawl|test|lint|docs|bench)\b": "CI does it",
    r"scrapyd-deploy$|curl http://localhost:6800/": "tests/crawler/test_scrapyd.py",
    r"scrapy runspider archive\.py ": "tests/crawler/test_project.py",
    r"python -m examples\.web ": "a world of the test's own is served",
    r"python docs/generate\.py$": "test_reference.py looks whether it would change anything",
    r"copydesk demo\b": "tests/test_wheel.py",
    r"docker |cd examples/docker$|cp \.\./\.\./my-sites": "there is no engine: tests/test_docker.py",
    r"createdb ": "tests/conftest.py makes the database",
    r"python -m (benchmarks|training)\.": "test_reference.py looks whether the module is there",
}

# Sites of the invented web under the names that the pages use.
_SITES = """
[sites.gazette]
name = "Callan Standard"
homepage = "http://callanstandard.example/"
feeds = ["http://callanstandard.example/news.rss"]
sections = ["http://callanstandard.example/coast"]
schedule = "every 1 d"
[sites.gazette.politeness]
delay = 0.1

[sites.herald]
name = "Corvanne Matin"
homepage = "http://www.corvannematin.example/"
feeds = ["http://www.corvannematin.example/rss"]
schedule = "30 6-22 * * mon-fri"
"""

# Programs that change the machine. Their replacements do the part that is possible in the folder.
_STUBS = {
    "sudo": '[ "$1" = systemctl ] && exec "$@"\nfor file in "${@:2:$#-2}"; do [ -s "$file" ] || exit 9; done',
    "systemctl": 'unit="${!#}"\n[ "$1" = daemon-reload ] || [ -s "units/$unit" ] '
    '|| [ -s "units/${unit/@*./@.}" ]',
    "crontab": "cat > crontab.txt && [ -s crontab.txt ]",
}

# Every Python process there starts with this code. The invented web needs no pauses between requests.
_CUSTOMIZE = """
import crawler.settings

crawler.settings.AUTOTHROTTLE_ENABLED = False
crawler.settings.DOWNLOAD_DELAY = 0
"""

# A process is forked for each of these: Scrapy's reactor starts once, and imports take seconds.
_ALONE = re.compile(r"copydesk (crawl|schedule|serve|sites (add|check))\b|scrapy crawl\b")
_FOREVER = re.compile(r"copydesk (schedule (?!.*--print)|serve\b)")
_SHELL = re.compile(r"[|&><]|^\w+=|^(?!copydesk |scrapy crawl )")

# What `python -m MODULE` does where Python starts with the code above, as the processes of the command do.
_STARTED = """
import runpy, sys
folder, module, *sys.argv[1:] = sys.argv[1:]
sys.path.insert(0, folder)
runpy.run_path(f"{folder}/sitecustomize.py")
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@dataclass
class Shell:
    """A folder, and the environment after the exports of a page.

    replaced: replacements of texts in commands, such as ports.
    """

    folder: Path
    patch: pytest.MonkeyPatch
    replaced: dict[str, str] = field(default_factory=dict)

    def run(self, command: str) -> str:
        """Run one command; returns its output, and fails if it fails."""
        for text, other in self.replaced.items():
            command = command.replace(text, other)
        if command.startswith("export "):
            for assignment in shlex.split(command)[1:]:
                self.patch.setenv(*assignment.split("=", 1))
            return ""
        if any(re.match(pattern, command) for pattern in NOT_RUN):
            return ""
        if re.match(r"copydesk (forget|prune) (?!.*--(yes|dry-run|list|undo))", command):
            command += " --yes"
        assigned = re.match(r"(\w+)=(\S+) (?=scrapy crawl )", command)
        environment = {assigned[1]: assigned[2]} if assigned else {}
        command = command[assigned.end() :] if assigned else command
        if _SHELL.search(_unquoted(command)):
            return self._in_bash(command)
        if _FOREVER.match(command):
            return self._until_it_has_started(command)
        if _ALONE.match(command):
            done = forked.run(self._forked(command), cwd=self.folder, env=os.environ | environment)
            assert done.returncode == 0, (command, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
            return done.stderr + done.stdout
        shown = CliRunner().invoke(app, shlex.split(command)[1:], env={"COLUMNS": "200"})
        if isinstance(shown.exception, OperatorError):
            raise AssertionError(f"{command}: {shown.exception}")
        assert shown.exit_code == 0, (command, shown.output, shown.exception)
        return shown.output

    def _in_bash(self, command: str) -> str:
        if command.startswith("datasette "):
            command += " --get /copydesk.json"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, (command, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return done.stderr + done.stdout

    def _until_it_has_started(self, command: str) -> str:
        """Run a command that has no end, and stop it in order after it logged its start."""
        started = forked.Started(self._forked(command), cwd=self.folder)
        try:
            wait_until(lambda: " started " in started.said() or started.poll() is not None)
            started.terminate()
            printed, said = started.communicate(PATIENCE)
        finally:
            started.kill()
        assert started.wait() == 0, (command, said)
        assert " started " in said, (command, said)
        return said + printed

    def _forked(self, command: str) -> list[str]:
        """The command for `tests.forked`."""
        return [sys.executable, "-c", _STARTED, str(self.folder / "start"), *shlex.split(command)]


def _unquoted(command: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"", "", command)


@pytest.fixture(scope="session")
def news_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that holds the examples."""
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "examples").symlink_to(ROOT / "examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("COPYDESK_DB", raising=False)
        done = CliRunner().invoke(app, ["ingest", "examples/news"])
    assert done.exit_code == 0, done.output
    connection = sqlite3.connect(folder / "copydesk.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return folder / "copydesk.db"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell in a folder with the files that the pages name, without a database."""
    _furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("COPYDESK_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "start"), str(ROOT)]))
    return Shell(tmp_path, monkeypatch)


@pytest.fixture
def web_shell(shell: Shell) -> Iterator[Shell]:
    """The same, where the invented web is served, and crawls go there."""
    with serve(World()) as made:
        shell.replaced["http://127.0.0.1:8090"] = made.proxy
        shell.patch.setenv("http_proxy", made.proxy)
        shell.patch.setenv("COPYDESK_USE_PROXY", "1")
        shell.patch.setenv("COPYDESK_CONTACT", "desk@copydesk.example")
        yield shell


def _furnish(folder: Path) -> None:
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "scrapy.cfg").symlink_to(ROOT / "scrapy.cfg")
    (folder / "docs").symlink_to(ROOT / "docs")
    (folder / "my-sites.toml").write_text(_SITES, encoding="utf-8")
    page = next(p for p in sorted((NEWS / "tessaryobserver.example").iterdir()) if p.suffix == ".html")
    for name in ("page.html", "other.html", "saved.html"):
        shutil.copyfile(page, folder / name)
    shutil.copytree(NEWS / "tessaryobserver.example", folder / "pages")
    shutil.copyfile(NEWS / "archive.warc.gz", folder / "archive.warc.gz")
    record = json.dumps({"id": "1", "title": "Bridge reopens", "text": "The bridge reopened on Monday. " * 9})
    (folder / "records.jsonl.gz").write_bytes(gzip.compress(record.encode()))
    story = {"story": "The bridge reopened on Monday. " * 9, "date": "2026-03-01"}
    (folder / "records.json").write_text(json.dumps([story]), encoding="utf-8")
    (folder / "dump.jsonl.zst").write_bytes(zstandard.compress(record.encode()))
    with zipfile.ZipFile(folder / "saved.zip", "w") as archive:
        archive.write(page, page.name)
    (folder / "start").mkdir()
    (folder / "start" / "sitecustomize.py").write_text(_CUSTOMIZE, encoding="utf-8")
    (folder / "bin").mkdir()
    for name, script in _STUBS.items():
        path = folder / "bin" / name
        path.write_text(f"#!/usr/bin/env bash\n{script}\n", encoding="utf-8")
        path.chmod(0o755)


def commands(block: Block) -> list[str]:
    """The commands of a block of shell, without their comments."""
    joined = block.text.replace("\\\n", " ")
    lines = (re.sub(r"(^|\s+)# .*", "", line).strip() for line in joined.splitlines())
    return [re.sub(r"\s+", " ", line) for line in lines if line]


def transcripts(block: Block) -> list[tuple[str, str]]:
    """The commands of a transcript, each with its output on the page."""
    parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"{block} must begin with a command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def is_as_printed(said: str, printed: str) -> bool:
    """Whether a transcript agrees with the output.

    A line or a part of one may be left out, `[…]`, and a line may be cut off, `word…`. Blanks and line breaks
    do not count, since pages are narrower. Times of the last days, versions of rules, and how many joined a
    group, which depends on where a batch ends, are any. Lines of progress do not count.
    """
    return re.fullmatch(_pattern(said), _neutral(printed).strip(), re.DOTALL) is not None


def _pattern(said: str) -> str:
    words = []
    for word in _neutral(said, of_page=True).split():
        if word == "[…]":
            words.append(r"(?:\S.*?)??")
        elif word.endswith("…"):
            words.append(re.escape(word[:-1]) + r"[^\n]*")
        else:
            words.append(re.escape(word))
    return r"\s*".join(words)


def _neutral(text: str, of_page: bool = False) -> str:
    def is_recent(time: str) -> bool:
        if of_page:
            return time >= "2026-11-20"
        return datetime.fromisoformat(time).replace(tzinfo=UTC) > datetime.now(UTC) - timedelta(days=9)

    # How far a run had come after ten seconds: only a slow machine prints it.
    text = re.sub(r"^[a-z ]+: [\d,]+ (seen, |of ).*\n", "", text, flags=re.MULTILINE)
    text = re.sub(
        r"\d{4}-\d\d-\d\d \d\d:\d\d", lambda found: "(then)" if is_recent(found[0]) else found[0], text
    )
    text = re.sub(r"\b\d+ joined a group", "(some) joined a group", text)
    return re.sub(r"\b\d+-[0-9a-f]{8}\b", "(rules)", text)
