"""Runs Chromium, and web applications on loopback, for as long as a test file needs them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, sync_playwright
from starlette.types import ASGIApp

from tests.copydesk.web.browser.chromium import ARGUMENTS, find_chromium
from tests.waiting import PATIENCE, wait_until

# Milliseconds after which something is broken, and not just slow.
TIMEOUT = 180_000
# Names of hosts that lead to this machine, for the browser alone.
DESK_HOST, FOREIGN_HOST = "desk.example", "evil.example"


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser without a window."""
    path = find_chromium()
    names = ", ".join(f"MAP {name} 127.0.0.1" for name in (DESK_HOST, FOREIGN_HOST))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[*ARGUMENTS, f"--host-resolver-rules={names}"],
            timeout=TIMEOUT,
        )
        yield browser
        browser.close()


@contextmanager
def serving(app: ASGIApp) -> Iterator[int]:
    """The application on a port of this machine; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive())
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


class Watch:
    """What pages of a context did that no page of the desk does."""

    def __init__(self, context: BrowserContext, own: str) -> None:
        self.own = own
        self.requests = 0
        self.faults: list[str] = []
        context.on("request", lambda request: self._see(request.url))
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        context.on("dialog", self._dismiss)

    def _see(self, url: str) -> None:
        self.requests += 1
        if not url.startswith(f"{self.own}/"):
            self.faults.append(f"request: {url}")

    def _dismiss(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")
