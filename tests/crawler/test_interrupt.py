"""Ctrl-C on a terminal ends a crawl in order, at whatever point the crawl is."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

import pytest

from tests.crawler.crawling import ROOT, Desk
from tests.crawler.web import Page, article, rss, serve

STORIES = 30
CTRL_C = b"\x03"


class Terminal:
    """A command on a terminal of its own, so that Ctrl-C goes to all of its processes."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(command[0], command, environment)
        self.output = b""

    def press(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    def read_until(self, text: bytes) -> None:
        while text not in self.output:
            self.output += os.read(self.descriptor, 1 << 16)

    def end(self) -> int:
        """Read to the end of the output; returns the exit status."""
        try:
            while piece := os.read(self.descriptor, 1 << 16):
                self.output += piece
        except OSError:  # this is how Linux reports the end of a terminal
            pass
        os.close(self.descriptor)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.mark.parametrize(
    "moment", [0, 1, 2, 3, 12], ids=["start", "robots", "feed", "first story", "stories"]
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
        terminal = Terminal([sys.executable, "-m", "copydesk", "crawl"], environment)

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
