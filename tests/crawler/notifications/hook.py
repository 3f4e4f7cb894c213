"""A webhook on loopback, for the tests of alerts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hook:
    """A webhook on loopback: the messages posted to it, and its answer."""

    url: str = ""
    told: list[tuple[str, Any]] = field(default_factory=list)
    status: int = 204
    drip: bool = False


@contextmanager
def listening() -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.told.append((self.headers["Content-Type"], json.loads(body)))
            try:
                while hook.drip:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX-More: of it\r\n")
                    time.sleep(0.1)
                self.send_response(hook.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
            except OSError:
                pass

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook.url = f"http://127.0.0.1:{server.server_address[1]}/hook?token=secret"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
