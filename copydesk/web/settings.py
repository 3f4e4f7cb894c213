"""What the desk is started with."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field

from pipeline.errors import OperatorError

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8017
# Shorter ones can be guessed.
LEAST_TOKEN = 16


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """The database that the desk shows, and who may see it.

    host, port: where it listens. token: what every request needs; None for none, on loopback only.
    hosts: further names under which requests come in, behind a proxy or in a network; lower case.
    origins: other sites whose scripts may read the API (CORS). seconds: longest time of a query.
    Raises OperatorError for another address than loopback without a token, and for a short token.
    """

    database_url: str
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    token: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.token is not None and len(self.token) < LEAST_TOKEN:
            raise OperatorError(
                f"COPYDESK_TOKEN is shorter than {LEAST_TOKEN} characters: openssl rand -hex 16"
            )
        if self.token is None and not is_loopback(self.host):
            raise OperatorError(
                f"{self.host} can be reached by others: set COPYDESK_TOKEN (openssl rand -hex 16), or serve"
                f" on {DEFAULT_HOST}"
            )

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """The host names that a request may name, without a port."""
        own = {"localhost", "127.0.0.1", "::1"} if is_loopback(self.host) else {self.host.lower()}
        return frozenset({*own, *self.hosts})


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def from_environment(database_url: str, host: str, port: int) -> DeskSettings:
    """The settings of `copydesk serve`, with $COPYDESK_TOKEN, $COPYDESK_HOSTS and $COPYDESK_CORS."""
    return DeskSettings(
        database_url,
        host,
        port,
        token=os.environ.get("COPYDESK_TOKEN") or None,
        hosts=_names("COPYDESK_HOSTS", lower=True),
        origins=_names("COPYDESK_CORS", lower=False),
    )


def _names(variable: str, *, lower: bool) -> tuple[str, ...]:
    given = os.environ.get(variable, "")
    return tuple((name.lower() if lower else name) for name in given.replace(",", " ").split())
