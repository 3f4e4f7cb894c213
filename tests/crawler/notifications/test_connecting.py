"""Connections within a time limit, to allowed addresses."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from crawler.notifications import Reach, SendFailed
from crawler.notifications.connecting import TimeLimit, connect, time_limit
from tests.crawler.notifications.conftest import LOOPBACK


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def failure(host: str, port: int, reach: Reach = LOOPBACK, seconds: float = 60.0) -> SendFailed:
    with pytest.raises(SendFailed) as caught, time_limit(seconds) as limit:
        connect(host, port, reach, limit).close()
    assert caught.value.of_receiver
    return caught.value


def test_a_name_that_is_resolved_slowly_costs_no_more_than_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [] if release.wait(600) else None)
    begun = time.monotonic()
    assert "no answer within 0.3 s" in str(failure("slow.example", 80, seconds=0.3))
    assert time.monotonic() - begun < 60
    release.set()


@pytest.mark.parametrize("host", ["nowhere.invalid", f"{'a' * 70}.example", "a..example"])
def test_a_name_that_cannot_be_resolved(host: str) -> None:
    assert "its name cannot be resolved" in str(failure(host, 80))


def test_only_allowed_addresses_are_connected_to(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.settimeout(0.2)
    for host in ("127.0.0.1", "localhost"):
        assert "COPYDESK_NOTIFY_PRIVATE_ADDRESSES" in str(failure(host, port, Reach()))
    with pytest.raises(TimeoutError):
        listener.accept()
    with time_limit(60.0) as limit, connect("localhost", port, LOOPBACK, limit) as connection:
        assert connection.getpeername() == ("127.0.0.1", port)


def test_a_connection_that_is_made_when_time_is_over_is_shut_down(listener: socket.socket) -> None:
    limit = TimeLimit(0.0)
    with socket.create_connection(listener.getsockname()) as connection:
        limit.watch(connection)
        assert limit.is_over
        assert connection.recv(1) == b""
    limit.close()


def test_an_error_that_is_not_of_the_time_stays_what_it_is() -> None:
    with pytest.raises(KeyError), time_limit(60.0):
        raise KeyError("x")
