"""The Java that Spark needs: the machine's own, else Debian's package, installed by apt-get."""

from __future__ import annotations

import fcntl
import functools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

# What PySpark 4 runs on.
OLDEST = 17
PACKAGE = "default-jre-headless"
_INSTALL_SECONDS = 600.0
_VERSION = re.compile(rb'version "(\d+)')


class NoJava(Exception):
    """There is none, and none could be installed."""


@functools.cache
def find_java() -> str:
    """The path of a Java program of a release that Spark takes. Installs one; raises NoJava."""
    if found := on_machine():
        return found
    with _one_at_a_time():
        said = ""
        try:
            if found := on_machine() or debian_package():
                return found
        except (OSError, subprocess.SubprocessError) as error:
            said = f" {error}"
    raise NoJava(f"Spark needs Java {OLDEST} or later: apt-get install {PACKAGE}, or set JAVA_HOME.{said}")


def on_machine() -> str | None:
    """The one of JAVA_HOME, or of the PATH."""
    home = os.environ.get("JAVA_HOME")
    paths = [os.path.join(home, "bin", "java") if home else None, shutil.which("java")]
    return next((path for path in paths if path and is_new_enough(path)), None)


def debian_package() -> str | None:
    """The one of Debian's package, after apt-get has installed it."""
    apt = shutil.which("apt-get")
    if apt is None:
        return None
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    for command in (["update"], ["install", "-y", "--no-install-recommends", PACKAGE]):
        _run([*as_root, apt, "-o", "DPkg::Lock::Timeout=600", "-q", *command])
    return on_machine()


def is_new_enough(path: str) -> bool:
    """Whether the program starts and is of a release that Spark takes."""
    try:
        done = subprocess.run([path, "-version"], capture_output=True, timeout=120, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    found = _VERSION.search(done.stderr)
    return done.returncode == 0 and found is not None and int(found[1]) >= OLDEST


def _run(command: Sequence[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False, env=environment
    )
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-500:]}")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with open(os.path.join(tempfile.gettempdir(), "copydesk-java.lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
