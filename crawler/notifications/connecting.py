"""Connections to receivers: to addresses that are allowed, and within a time limit in all.

The host's name is resolved once, and the address that was checked is the one that is connected to. So a name
cannot be public when it is checked and private when it is used.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from crawler.notifications.errors import SendFailed
from crawler.public_addresses import is_private_host, is_public
from pipeline.errors import OperatorError

PRIVATE_SETTING = "COPYDESK_NOTIFY_PRIVATE_ADDRESSES"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ALL: tuple[Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


@dataclass(frozen=True, slots=True)
class Reach:
    """Which addresses may be connected to: the public internet, and the networks that are named.

    proxies: use the proxies of the environment. A proxy resolves names itself, so what it connects to cannot
    be checked here.
    """

    networks: tuple[Network, ...] = ()
    proxies: bool = False

    @classmethod
    def anywhere(cls, *, proxies: bool = False) -> Reach:
        """Every address."""
        return cls(_ALL, proxies)

    def allows(self, address: str) -> bool:
        """True for an IP address that may be connected to."""
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
        return is_public(address) or any((mapped or ip) in network for network in self.networks)

    def allows_host(self, host: str) -> bool:
        """True unless the host is written as an address that is not allowed, or is localhost."""
        return self.networks == _ALL or not is_private_host(host) or self.allows(host)


def not_allowed_message(host: str) -> str:
    """Why a host is not connected to."""
    return f"{host} is not on the public internet ({PRIVATE_SETTING} allows further addresses)"


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of COPYDESK_NOTIFY_PRIVATE_ADDRESSES: addresses and networks, or `1` for all.

    Raises OperatorError.
    """
    if text.strip() in ("", "0", "false"):
        return ()
    if text.strip() in ("1", "true"):
        return _ALL
    try:
        return tuple(ipaddress.ip_network(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        raise OperatorError(
            f"{PRIVATE_SETTING}: {error}; write addresses and networks such as 127.0.0.1 10.0.0.0/8, or 1"
        ) from error


class TimeLimit:
    """Seconds that may pass in all. When they are over, the watched connections are shut down.

    A socket's own time limit is for each of its reads, so a slow server could exceed it for ever.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._watched: list[socket.socket] = []
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """Seconds that are left; never 0, which would make a socket non-blocking."""
        return max(0.001, self._end - time.monotonic())

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._end

    def watch(self, connection: socket.socket) -> None:
        """Shut the connection down when time is over, also if TLS is put on it later."""
        with self._lock:
            # TLS takes the descriptor out of the socket that it is put on; a second one stays valid.
            self._watched.append(connection.dup())
        if self.is_over:
            self.expire()

    def expire(self) -> None:
        with self._lock:
            for connection in self._watched:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            for connection in self._watched:
                connection.close()
            self._watched.clear()


@contextmanager
def time_limit(seconds: float) -> Iterator[TimeLimit]:
    """A limit for all that happens within; raises SendFailed if it is exceeded."""
    limit = TimeLimit(seconds)
    timer = threading.Timer(seconds, limit.expire)
    timer.daemon = True
    timer.start()
    try:
        yield limit
    except Exception as error:
        if limit.is_over:
            raise SendFailed(f"no answer within {seconds:g} s", of_receiver=True) from error
        raise
    finally:
        timer.cancel()
        limit.close()


def connect(host: str, port: int, reach: Reach, limit: TimeLimit) -> socket.socket:
    """Return a connection to an allowed address of the host.

    Raises SendFailed if the name cannot be resolved, if no address is allowed, and if none answers.
    """
    allowed = [found for found in _resolve(host, port, limit) if reach.allows(str(found[4][0]))]
    if not allowed:
        raise SendFailed(not_allowed_message(host), of_receiver=True)
    failure: OSError | None = None
    for tried, (family, kind, protocol, _, address) in enumerate(allowed):
        connection = socket.socket(family, kind, protocol)
        try:
            # An address that does not answer leaves time for those after it.
            connection.settimeout(limit.left / (len(allowed) - tried))
            limit.watch(connection)
            connection.connect(address)
            connection.settimeout(limit.left)
        except OSError as error:
            connection.close()
            failure = error
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    raise SendFailed(f"{host} cannot be reached: {reason_of(failure)}", of_receiver=True) from failure


def reason_of(error: BaseException | None) -> str:
    """What an error of the network says, without anything that a server sent."""
    words = getattr(error, "verify_message", None) or getattr(error, "strerror", None)
    return str(words or type(error).__name__)


def _resolve(host: str, port: int, limit: TimeLimit) -> list[Any]:
    """`getaddrinfo` within the time limit; it cannot be interrupted, so a thread of its own waits for it."""
    found: list[Any] = []
    failures: list[Exception] = []

    def look_up() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:  # UnicodeError: a label that is too long
            failures.append(error)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(limit.left)
    if thread.is_alive():
        raise SendFailed(f"{host}: its name was not resolved within {limit.seconds:g} s", of_receiver=True)
    if failures:
        raise SendFailed(
            f"{host}: its name cannot be resolved ({reason_of(failures[0])})", of_receiver=True
        ) from failures[0]
    return found
