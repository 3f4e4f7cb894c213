"""Where Chromium comes from: the order of the ways, and what is said where there is none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.copydesk.web.browser import chromium

REAL = '#!/bin/sh\necho "Chromium 150.0"\n'
STUB = '#!/bin/sh\necho "install the snap" >&2\nexit 1\n'


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH, and a memory that knows of no Chromium."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    remembered = chromium.find_chromium
    monkeypatch.setattr(chromium, "find_chromium", remembered.__wrapped__)
    return folder


def program(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def fails(*_: object) -> str | None:
    raise OSError("no network")


def unexpected(*_: object) -> str | None:
    raise AssertionError("nothing is to be installed")


def test_the_first_on_the_path_that_runs(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "downloaded", unexpected)
    program(programs, "chromium-browser", STUB)
    chrome = program(programs, "google-chrome", REAL)
    assert chromium.find_chromium() == chrome
    first = program(programs, "chromium", REAL)
    assert chromium.find_chromium() == first


def test_then_what_playwright_brings(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = program(programs, "brought", REAL)
    asked: list[list[str]] = []
    monkeypatch.setattr(chromium, "_run", lambda command, *_: asked.append(list(command)))
    monkeypatch.setattr(chromium, "_playwrights_own", lambda: own)
    assert chromium.find_chromium() == own
    assert [command[1:] for command in asked] == [["-m", "playwright", "install", "chromium"]]


def test_then_the_package(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """apt-get here is a script that writes down what it was asked, and brings the program."""
    monkeypatch.setattr(chromium, "downloaded", fails)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    log, brought = programs / "log", programs / "chromium"
    installs = f"""#!/bin/sh
echo "$*" >> {log}
case "$*" in *install*)
  printf '#!/bin/sh\\necho Chromium\\n' > {brought}; /bin/chmod +x {brought};;
esac
"""
    program(programs, "apt-get", installs)
    assert chromium.find_chromium() == str(brought)
    update, install = log.read_text().splitlines()
    assert update.endswith("update")
    assert "install -y --no-install-recommends chromium fonts-" in install


def test_who_is_not_root_asks_sudo(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(programs, "apt-get", REAL)
    asked: list[list[str]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(chromium, "_run", lambda command, *_: asked.append(list(command)))
    monkeypatch.setattr(chromium, "runs", lambda _path: False)
    assert chromium.debian_package() is None
    assert [command[:2] for command in asked] == [["sudo", "-n"]] * 2


def test_one_that_another_process_installed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter((None, "/usr/bin/chromium"))
    monkeypatch.setattr(chromium, "on_path", lambda: next(found))
    monkeypatch.setattr(chromium, "downloaded", unexpected)
    assert chromium.find_chromium() == "/usr/bin/chromium"


def test_what_to_do_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "_run", fails)
    with pytest.raises(chromium.NoChromium, match=r"apt-get install chromium.*no network"):
        chromium.find_chromium()


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(OSError, match="out of space"):
        chromium._run(["/bin/sh", "-c", "echo out of space >&2; exit 3"], 60, {})
    with pytest.raises(subprocess.TimeoutExpired):
        chromium._run(["/bin/sh", "-c", "while :; do :; done"], 0.1, {})
