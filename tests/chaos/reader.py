"""A reader: reads the database while others write, and keeps a copy of the articles by their changes."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from storage import reader
from storage.database import DatabaseError, open_database
from storage.schema import StoredArticle

# What it says after each pass. A pass that failed is followed by why, and so is WRONG, after which it ends.
READ, FAILED, WRONG = b"read", b"failed", b"wrong"
# It rests so many times as long as it reads, and leaves the processors to the writers.
_REST = 10


def fork_reader(url: str, close: Callable[[], None]) -> tuple[int, socket.socket]:
    """Start a reader; returns its process id and its socket. It ends when it is sent something: after a last
    pass, with READ if its copy is that of the database then.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid:
        theirs.close()
        return pid, ours
    try:
        ours.close()
        close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _read_until_told(url, theirs)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(99)


def _read_until_told(url: str, channel: socket.socket) -> NoReturn:
    engine = open_database(url)
    copy = Copy()
    while True:
        began = time.monotonic()
        is_last = bool(select.select([channel], [], [], 0)[0])
        if is_last and not channel.recv(100):
            os._exit(98)  # nobody is there any more
        try:
            fault = copy.follow(engine)
            if is_last and not fault:
                fault = copy.differs(engine)
        except (DBAPIError, DatabaseError) as error:
            channel.send(FAILED + b" " + " ".join(str(error).split()).encode()[:2000])
            engine.dispose()
        else:
            channel.send(WRONG + b" " + fault.encode()[:2000] if fault else READ)
            if is_last or fault:
                os._exit(0)
        time.sleep(_REST * (time.monotonic() - began))


class Copy:
    """The articles as a program has them that only ever asks what changed."""

    def __init__(self) -> None:
        self._articles: dict[int, StoredArticle] = {}
        self._change = 0
        self._most = 0

    def follow(self, engine: Engine) -> str:
        """Read all articles, then what changed; returns what is wrong, or nothing."""
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT url, group_id, is_canonical FROM articles")).all()
        if len(rows) < self._most:
            return f"there were {self._most} articles, now {len(rows)}"
        self._most = len(rows)
        if len({url for url, _, _ in rows}) != len(rows):
            return "a URL has two articles"
        canonical = sorted(group for _, group, is_canonical in rows if is_canonical)
        if canonical != sorted({group for _, group, _ in rows}):
            return "a group has not exactly one canonical copy"
        for changed in reader.changed_articles(engine, self._change):
            if changed.change <= self._change:
                return f"change {changed.change} came after change {self._change}"
            self._change = changed.change
            if changed.article is None:
                self._articles.pop(changed.id, None)
            else:
                self._articles[changed.id] = changed.article
        return ""

    def differs(self, engine: Engine) -> str:
        """What the copy has differently from the database; nothing if it is the same."""
        stored = {article.id: article for article in reader.articles(engine)}
        if stored == self._articles:
            return ""
        wrong = [
            id for id in stored.keys() | self._articles.keys() if stored.get(id) != self._articles.get(id)
        ]
        return f"a copy made by changes has {len(wrong)} articles differently, such as {min(wrong)}"
