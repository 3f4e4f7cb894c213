"""Runs the desk on a socket until a signal ends it."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

import uvicorn

from copydesk.web.app import make_app
from copydesk.web.settings import DeskSettings
from pipeline.errors import OperatorError

# How long answers that are under way may take when the desk ends.
_GRACE_SECONDS = 5


class _Server(uvicorn.Server):
    """Calls a function when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.ready()


def serve(settings: DeskSettings, ready: Callable[[], None]) -> None:
    """Serve the desk until SIGINT or SIGTERM, and finish the answers that are under way.

    ready: called when it listens. Raises DatabaseError if the database cannot be read, and OperatorError if
    the address cannot be used.
    """
    app = make_app(settings)
    with _listening(settings.host, settings.port) as listening:
        config = uvicorn.Config(
            app,
            log_level="warning",
            server_header=False,
            # A proxy on this machine says whether it was asked by HTTPS; from elsewhere nobody is believed.
            proxy_headers=True,
            forwarded_allow_ips="127.0.0.1,::1",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        # The server has handlers of its own while it runs, and raises the signal again when it has ended.
        before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            _Server(config, ready).run([listening])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise OperatorError(f"cannot listen on {host}, port {port}: {said}: choose another --port") from error
