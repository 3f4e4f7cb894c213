"""Finds Chromium for the tests, and installs it where there is none.

In this order: one on the PATH, the one that Playwright brings, Debian's package. Each is tried by running it,
for a name on the PATH may be a stub that only says how to install the program.
"""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Root may not use the sandbox. The rest keeps the browser from asking its maker for anything.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
)
# Seconds. Where Playwright's own host cannot be reached, its installer tries for long.
_DOWNLOAD, _PACKAGE = 240, 900
# Debian's Chromium only recommends fonts, and shows no text without them.
_PACKAGES = ("chromium", "fonts-liberation", "fonts-dejavu-core")


class NoChromium(Exception):
    """There is none, and none could be installed. The message says what to do."""


@functools.cache
def find_chromium() -> str:
    """Path of a Chromium that runs. Installs one where there is none; raises NoChromium."""
    if found := on_path():
        return found
    # Several test processes may need it at once.
    with _one_at_a_time():
        said: list[str] = []
        for way in (on_path, downloaded, debian_package):
            try:
                if found := way():
                    return found
            except (OSError, subprocess.SubprocessError) as error:
                said.append(f"{way.__name__}: {error}")
    raise NoChromium(
        "The tests of the desk need Chromium, and it could not be installed. Install it with"
        " `apt-get install chromium` or `python -m playwright install --with-deps chromium`, or put one of"
        f" {', '.join(NAMES)} on the PATH. " + "; ".join(said)
    )


def on_path() -> str | None:
    """One that the system has."""
    return next((path for name in NAMES if (path := shutil.which(name)) and runs(path)), None)


def downloaded() -> str | None:
    """The one that Playwright brings, after its installer has run."""
    environment = {**os.environ, "PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "10000"}
    _run([sys.executable, "-m", "playwright", "install", "chromium"], _DOWNLOAD, environment)
    path = _playwrights_own()
    return path if runs(path) else None


def debian_package() -> str | None:
    """The one of Debian's package, after apt-get has installed it."""
    apt = shutil.which("apt-get")
    if apt is None:
        return None
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    waiting = ["-o", "DPkg::Lock::Timeout=600", "-q"]
    _run([*as_root, apt, *waiting, "update"], _PACKAGE, environment)
    install = [*as_root, apt, *waiting, "install", "-y", "--no-install-recommends", *_PACKAGES]
    _run(install, _PACKAGE, environment)
    return on_path() or next((path for path in ("/usr/bin/chromium",) if runs(path)), None)


def runs(path: str) -> bool:
    """Whether the program starts and names its version."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=120, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0 and b"Chrom" in done.stdout


def _run(command: Sequence[str], seconds: float, environment: dict[str, str]) -> None:
    """Run it. Raises OSError or SubprocessError with the end of what it said."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds, check=False, env=environment
    )
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-500:]}")


def _playwrights_own() -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with open(Path(tempfile.gettempdir()) / f"copydesk-chromium-{os.getuid()}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
