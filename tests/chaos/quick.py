"""What makes the short form quick: pages are read without a parser, and nothing is imported twice."""

from __future__ import annotations

import importlib
import os
import re
import signal
import traceback
from collections.abc import Sequence
from concurrent.futures import thread
from dataclasses import replace
from multiprocessing import util
from pathlib import Path
from typing import Any

from pipeline.document import Article, Document, Outcome
from pipeline.page import compressed_page
from pipeline.settings import Settings
from tests.crawler import drive

_MODULES = (
    "alembic.command",
    "crawler.sites",
    "numpy.ma",
    "psycopg",
    "pydantic.type_adapter",
    "rich.progress",
    "sqlalchemy.dialects.postgresql",
)


def process_quickly(document: Document, settings: Settings) -> Outcome:
    """Makes an article of a title and the paragraphs, and a rejection where there are none."""
    lines = re.findall(r"<(?:title|p)>(.*?)</(?:title|p)>", document.body.decode())
    outcome = drive.process(replace(document, body="\n".join(lines).encode()), settings)
    return replace(outcome, page=compressed_page(document)) if isinstance(outcome, Article) else outcome


def import_beforehand() -> None:
    """Import what each command and each worker would import anew after it was forked."""
    for name in _MODULES:
        importlib.import_module(name)


def fork_servers_from_here() -> None:
    """From now on multiprocessing forks its fork server from this process, which has imported what workers
    need, instead of starting Python anew.
    """
    setattr(util, "spawnv_passfds", _fork)  # noqa: B010 (mypy does not know it)


def _fork(_program: object, arguments: Sequence[str], kept: Sequence[int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        # Threads of the parent, of which this may be one: at its end it would wait for itself.
        threads: Any = thread._threads_queues
        threads.clear()
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2 and int(name) not in kept:
                try:
                    os.close(int(name))
                except OSError:
                    continue  # the folder itself
        if "forkserver" in arguments[-1]:
            Path("/proc/self/comm").write_text("forkserver")
        exec(arguments[-1], {"__name__": "__main__"})
        status = 0
    except SystemExit:
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
