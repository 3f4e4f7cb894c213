"""Ctrl-C on a terminal ends a crawl or an ingest in order, at whatever point it is."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.database import open_database
from tests import forked
from tests.chaos.processes import in_sessions
from tests.crawler.crawling import ROOT, Desk
from tests.crawler.files.making import response, tarred, warc, zipped
from tests.crawler.web import Page, article, rss, serve
from tests.storage.news import story, view
from tests.waiting import wait_until

STORIES = 30
# The request by which some stories have been read.
STORIES_CAME = 12
# More than are read until the last Ctrl-C.
MEMBERS = 2000
CTRL_C = b"\x03"


class Terminal:
    """A command on a terminal of its own, so that Ctrl-C goes to all of its processes.

    is_anew: Python is started for it and for its fork server, so that it can be interrupted while they
    import. Otherwise both are forked from `tests.forked`, and have imported everything.
    """

    def __init__(self, command: list[str], environment: dict[str, str], *, is_anew: bool) -> None:
        self.output = b""
        self._forked: forked.Started | None = None
        if not is_anew:
            self.descriptor, terminal = pty.openpty()
            self._forked = forked.Started(command, cwd=ROOT, env=environment, terminal=terminal)
            self.pid = self._forked.pid
            os.close(terminal)
            return
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(command[0], command, environment)

    def press(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    def read_until(self, text: bytes) -> None:
        while text not in self.output:
            self.output += os.read(self.descriptor, 1 << 16)

    def read_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.descriptor], [], [], left)[0]:
                self.output += os.read(self.descriptor, 1 << 16)

    def end(self) -> int:
        """Read to the end of the output; returns the exit status."""
        try:
            while piece := os.read(self.descriptor, 1 << 16):
                self.output += piece
        except OSError:  # this is how Linux reports the end of a terminal
            pass
        os.close(self.descriptor)
        if self._forked is not None:
            return self._forked.wait()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.mark.parametrize(
    "moment", [0, 1, 2, 3, STORIES_CAME], ids=["start", "robots", "feed", "first story", "stories"]
)
def test_ctrl_c_ends_a_crawl_in_order_with_one_line_and_130(moment: int, tmp_path: Path) -> None:
    """moment: Ctrl-C comes with this request; 0: when the progress is shown first."""
    desk = Desk(tmp_path)
    with serve() as web:
        links = [f"{web.base}/story/{number}" for number in range(STORIES)]
        web.pages["/rss.xml"] = Page(rss(links), "application/rss+xml")
        web.pages.update({f"/story/{number}": Page(article(number), delay=0.1) for number in range(STORIES)})
        politeness = {"delay": 0, "concurrent_requests": 2}
        entry = {"homepage": f"{web.base}/", "feeds": [f"{web.base}/rss.xml"], "politeness": politeness}
        desk.write_sites({"gazette": entry})
        environment = desk.environment() | {"COPYDESK_ALLOW_LOOPBACK": "1", "TERM": "xterm"}
        command = [sys.executable, "-m", "copydesk", "crawl"]
        # With the first stories the worker processes may be importing still.
        terminal = Terminal(command, environment, is_anew=moment < STORIES_CAME)

        def press(_: str) -> None:
            if len(web.log) >= moment and not pressed:
                pressed.append(True)
                terminal.press(CTRL_C)

        pressed: list[bool] = []
        if moment:
            web.gate = press
        else:
            terminal.read_until(b"1 site:")
            terminal.press(CTRL_C)
        status = terminal.end()
        said = terminal.output.decode().splitlines()
    assert status == 130, said
    assert sum("interrupted" in line for line in said) == 1, said
    assert not any("Traceback" in line or "ERROR" in line for line in said), said
    stored = {location.rpartition("/")[2] for location in desk.articles()}
    answered = {path.rpartition("/")[2] for path, _ in web.log if path.startswith("/story/")}
    assert stored == answered
    assert len(stored) < STORIES


def _members() -> dict[str, bytes]:
    page = "<html><head><title>Title {0}</title></head><body><h1>Title {0}</h1><p>{1}</p></body></html>"
    return {f"{number:04}.html": page.format(number, story(number)).encode() for number in range(MEMBERS)}


def _records() -> bytes:
    return warc(*(response(f"https://gazette.example/{name}", body) for name, body in _members().items()))


CONTAINERS: dict[str, Callable[[], bytes]] = {
    "zip": lambda: zipped(_members()),
    "tar": lambda: tarred(_members()),
    "warc": _records,
}


@pytest.mark.parametrize("suffix", CONTAINERS)
@pytest.mark.parametrize(
    ("shown", "seconds"),
    [(b"ingesting", 0.0), (b"ingesting", 0.5), (b" stored", 0.0), (b" stored", 0.4)],
    ids=["start", "begun", "first batch", "later"],
)
def test_ctrl_c_ends_the_reading_of_a_container_in_order_with_one_line_and_130(
    shown: bytes, seconds: float, suffix: str, tmp_path: Path
) -> None:
    """Ctrl-C comes so many seconds after the progress shows this."""
    container = tmp_path / f"pages.{suffix}"
    container.write_bytes(CONTAINERS[suffix]())
    desk = Desk(tmp_path)
    desk.write_sites({})
    command = [sys.executable, "-m", "copydesk", "ingest", str(container), "--workers", "2"]
    environment = desk.environment() | {"TERM": "xterm"}
    # What is imported before the container is opened is the same for all of them.
    terminal = Terminal(command, environment, is_anew=shown == b"ingesting" and suffix == "zip")
    terminal.read_until(shown)
    terminal.read_for(seconds)
    terminal.press(CTRL_C)
    status = terminal.end()
    wait_until(lambda: not in_sessions({terminal.pid}))
    said = terminal.output.decode().splitlines()
    assert status == 130, said
    assert sum("interrupted" in line for line in said) == 1, said
    assert not any("Traceback" in line or "ERROR" in line for line in said), said
    engine = open_database(desk.url, create=False)
    stored = {row["location"] for row in view(engine, "articles")}
    runs = view(engine, "runs")
    assert view(engine, "rejections") == []
    engine.dispose()
    in_order = (f"#{n + 1}" if suffix == "warc" else f"!{n:04}.html" for n in range(len(stored)))
    assert stored == {f"{container}{place}" for place in in_order}
    assert sum(run["stored"] for run in runs) == len(stored)
    assert all(run["finished_at"] for run in runs), "it may be over before it begins"
    assert (b"stored" in shown) <= len(stored) < MEMBERS
