"""`copydesk demo`: takes the invented news world that comes with Copydesk through the commands."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import OperatorError

# In its own database: the news is invented.
_DATABASE, _CRAWLED = "sqlite:///copydesk-demo.db", "sqlite:///copydesk-demo-crawl.db"

_STEPS = (
    "ingest examples/news",
    "stats --rejections",
    "groups --limit 6",
    "search '\"runs aground\" OR strike' --unique --limit 2",
    "show examples/news/copied/ferry-stranded.txt --removed",
)


def demo(
    crawl: Annotated[
        bool,
        typer.Option(
            "--crawl", help="Crawl a web of invented sites on this machine, twice while news breaks."
        ),
    ] = False,
    db: Annotated[
        str | None,
        typer.Option(
            "--db",
            metavar="URL",
            help=f"Database that is filled; {_DATABASE}, with --crawl {_CRAWLED}, if not given.",
        ),
    ] = None,
) -> None:
    """Show what Copydesk does, with an invented news world: each command, and what it prints.

    Nothing is fetched from the internet. $COPYDESK_DB is not touched.
    """
    package, root = _world()
    url = _absolute(db or (_CRAWLED if crawl else _DATABASE))
    python = [sys.executable, "-P", "-m"]
    path = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])] if package == "examples" else []
    environment = os.environ | {"COPYDESK_DB": url}
    if path:
        environment["PYTHONPATH"] = os.pathsep.join(path)
    if crawl:
        status = subprocess.run([*python, f"{package}.web.demo"], env=environment, check=False).returncode
    else:
        for step in _STEPS:
            print(f"$ copydesk {step}", flush=True)
            command = [*python, "copydesk", *shlex.split(step)]
            status = subprocess.run(command, env=environment, cwd=root, check=False).returncode
            if status:
                break
    if status:
        raise typer.Exit(status)
    shown = url.removeprefix(f"sqlite:///{Path.cwd()}/")
    shown = shown if shown == url else f"sqlite:///{shown}"
    print(f"\nThe database is {shown}: try copydesk groups --db {shlex.quote(shown)}")


def _world() -> tuple[str, Path]:
    """The package of the invented world, and the folder in which it is `examples`."""
    if found := find_spec("copydesk.examples"):
        assert found.origin is not None
        return "copydesk.examples", Path(found.origin).parents[1]
    root = Path(__file__).parents[2]
    if not (root / "examples" / "news").is_dir():
        raise OperatorError("the examples are not there: install Copydesk anew")
    return "examples", root


def _absolute(url: str) -> str:
    """The URL with the path of a file as it is in the current folder, since the commands run in another."""
    head, sign, path = url.partition("sqlite:///")
    return f"{head}{sign}{Path(path).absolute()}" if sign and not head else url
