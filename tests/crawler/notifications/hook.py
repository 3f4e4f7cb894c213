"""A webhook on loopback."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hook:
    """A webhook on loopback: what was posted to it, and how it answers.

    told: content type and JSON of each request. requests: headers, in lower case, and body of each. statuses:
    those of the next answers, before `status` is that of all. drip: headers of the answer without an end.
    body: chunks of the answer, sent until the client goes.
    """

    url: str = ""
    told: list[tuple[str, Any]] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    drip: bool = False
    body: bytes = b""
    sent: int = 0

    @property
    def port(self) -> int:
        return int(self.url.split(":")[2].split("/")[0])


@contextmanager
def listening(context: ssl.SSLContext | None = None) -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hook.told.append(("GET", None))
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            hook.told.append((self.headers["Content-Type"], json.loads(body)))
            try:
                while hook.drip:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX-More: of it\r\n")
                    time.sleep(0.1)
                self.send_response(hook.statuses.pop(0) if hook.statuses else hook.status)
                self.send_header("Location", "/elsewhere")
                for name, value in hook.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                while hook.body:
                    self.wfile.write(hook.body)
                    hook.sent += len(hook.body)
            except OSError:
                pass

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "https" if context else "http"
    hook.url = f"{scheme}://127.0.0.1:{server.server_address[1]}/hook?token=secret"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
