"""The wheel is whole: from any folder it has the commands, the invented world, and what Scrapy needs.

It is built of a copy of the sources and put into an environment of its own, which finds the libraries of this
one, but not the packages of the checkout.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.web.server import World, serve
from storage import reader
from storage.database import open_database
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[1]
SOURCES = ("copydesk", "crawler", "pipeline", "storage", "examples")
FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE")


@dataclass(frozen=True)
class Installed:
    """The environment: its Python, and an empty folder to work in."""

    python: Path
    folder: Path
    wheel: Path

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment, e.g. `copydesk demo`; it must succeed."""
        program, *arguments = command
        clean = {n: v for n, v in os.environ.items() if not n.startswith(("COPYDESK_", "PYTHON"))}
        done = subprocess.run(
            [str(self.python.with_name(program)), *arguments],
            cwd=self.folder,
            env=clean | variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-3000:])
        return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    sources.mkdir()
    for name in SOURCES:
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copyfile(ROOT / name, sources / name)
    program = "from setuptools import build_meta; build_meta.build_wheel('..')"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=sources, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    [wheel] = folder.glob("*.whl")
    shutil.rmtree(sources)
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(
        subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    )
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # Libraries alone: a path in a .pth file does not have its own .pth files read, which name the checkout.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for name, module, call in (
        ("copydesk", "copydesk.__main__", "main"),
        ("scrapy", "scrapy.cmdline", "execute"),
    ):
        script = python.with_name(name)
        script.write_text(f"#!{python}\nimport sys\nfrom {module} import {call}\nsys.exit({call}())\n")
        script.chmod(0o755)
    (folder / "empty").mkdir()
    return Installed(python, folder / "empty", wheel)


def test_the_wheel_is_imported_and_not_the_checkout(installed: Installed) -> None:
    program = "import copydesk, crawler, pipeline, storage; print(copydesk.__file__, copydesk.__version__)"
    said = installed.run("python", "-c", program).stdout
    assert str(installed.python.parents[1]) in said
    assert said.split()[1] == installed.run("copydesk", "--version").stdout.split()[1]


def test_it_has_all_data_and_no_tests(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        names = set(archive.namelist())
        scripts = archive.read(next(n for n in names if n.endswith("entry_points.txt"))).decode()
    assert "copydesk = copydesk.__main__:main" in scripts
    assert "settings = crawler.settings" in scripts
    for top in ("copydesk", "crawler", "pipeline", "storage"):
        files = {path.relative_to(ROOT).as_posix() for path in (ROOT / top).rglob("*") if path.is_file()}
        assert {n for n in files if "__pycache__" not in n and n not in names} == set(), top
    news = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "examples/news").rglob("*") if path.is_file()
    }
    assert {n for n in news if f"copydesk/{n}" not in names} == set()
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == set(SOURCES) - {"examples"}


def test_the_demo_runs_in_an_empty_folder(installed: Installed) -> None:
    said = installed.run("copydesk", "demo")
    assert "seen 74: stored 71" in said.stderr
    assert "$ copydesk groups --limit 6" in said.stdout
    assert "[phrase.en.register-now]" in said.stdout
    assert said.stdout.endswith("try copydesk groups --db sqlite:///copydesk-demo.db\n")
    assert (
        installed.run("copydesk", "groups", "--db", "sqlite:///copydesk-demo.db").stdout.count("group ") > 9
    )


def test_the_demo_crawls_the_invented_web(installed: Installed) -> None:
    said = installed.run("copydesk", "demo", "--crawl").stdout
    assert "--- Edition 2 is out" in said
    assert "The world was asked" in said
    engine = open_database(f"sqlite:///{installed.folder / 'copydesk-demo-crawl.db'}", create=False)
    first, second = reversed(reader.runs(engine))
    assert first.stored > 40
    assert second.revised > 0


def test_scrapy_crawls_by_the_shipped_settings(installed: Installed, tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/a.db"
    with serve(World()) as world:
        installed.run(
            *("scrapy", "crawl", "news", "-a", "site=standard", "-s", "DOWNLOAD_DELAY=0"),
            SCRAPY_SETTINGS_MODULE="crawler.settings",
            COPYDESK_DB=db,
            COPYDESK_SITES=str(ROOT / "examples" / "web" / "sites.toml"),
            COPYDESK_CONTACT="desk@copydesk.example",
            COPYDESK_USE_PROXY="1",
            http_proxy=world.proxy,
        )
    [run] = reader.runs(open_database(db, create=False))
    assert run.stored > 0
    assert run.command == "scrapy crawl news -a site=standard -s DOWNLOAD_DELAY=0"


def test_it_completes_and_has_metadata_for_datasette(installed: Installed) -> None:
    metadata = json.loads(installed.run("copydesk", "schema", "--datasette", "copydesk").stdout)
    assert metadata == json.loads((ROOT / "examples" / "datasette.json").read_text(encoding="utf-8"))
    said = installed.run(
        "copydesk", COMP_WORDS="copydesk crawl fr", COMP_CWORD="2", _COPYDESK_COMPLETE="complete_bash"
    )
    assert said.stdout.split() == ["france24"]
