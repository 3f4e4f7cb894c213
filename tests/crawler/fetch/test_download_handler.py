"""The limit for the size of a response's headers."""

from __future__ import annotations

from typing import Any

from twisted.internet.testing import StringTransport
from twisted.web._newclient import Request
from twisted.web.http_headers import Headers

from crawler.fetch.download_handler import MAX_HEADER_BYTES, _BoundedFactory

LINE = b"X-Filler: " + b"x" * 989 + b"\r\n"


class _Connection:
    """A connection on which a page was requested."""

    def __init__(self) -> None:
        # Twisted's classes have no types.
        factory: Any = _BoundedFactory
        transport: Any = StringTransport
        request: Any = Request
        self.transport = transport()
        self.protocol = factory(lambda _: None, None).buildProtocol(None)
        self.protocol.makeConnection(self.transport)
        headers = Headers({b"Host": [b"gazette.example"]})
        asked = request(b"GET", b"/", headers, None, persistent=True)
        self.responses: list[Any] = []
        self.protocol.request(asked).addCallbacks(self.responses.append, lambda _: None)

    def receive(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.protocol.dataReceived(piece)

    @property
    def is_aborted(self) -> bool:
        return bool(self.transport.disconnected)


def test_usual_headers_and_a_long_body_are_received() -> None:
    connection = _Connection()
    body = b"x" * 2 * MAX_HEADER_BYTES
    connection.receive(b"HTTP/1.1 200 OK\r\n", *[LINE] * 60, b"Content-Length: %d\r\n\r\n" % len(body))
    connection.receive(*(body[start : start + 65_536] for start in range(0, len(body), 65_536)))
    assert [response.code for response in connection.responses] == [200]
    assert not connection.is_aborted


def test_headers_without_an_end_close_the_connection() -> None:
    connection = _Connection()
    connection.receive(b"HTTP/1.1 200 OK\r\n", *[LINE] * (MAX_HEADER_BYTES // len(LINE) - 1))
    assert not connection.is_aborted
    connection.receive(*[LINE] * 2)
    assert connection.is_aborted
    assert connection.responses == []


def test_early_hints_without_an_end_close_the_connection() -> None:
    connection = _Connection()
    hint = b"HTTP/1.1 103 Early Hints\r\n" + LINE + b"\r\n"
    connection.receive(*[hint] * (MAX_HEADER_BYTES // len(hint) + 1))
    assert connection.is_aborted
