"""Name resolution gives public addresses only."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.address import IPv4Address

from crawler.fetch.guard.resolver import PublicResolver


class _Receiver:
    """Keeps the addresses that a resolution gives."""

    def __init__(self) -> None:
        self.hosts: list[str] = []

    def resolutionBegan(self, resolution: object) -> None:
        pass

    def addressResolved(self, address: IPv4Address) -> None:
        self.hosts.append(address.host)

    def resolutionComplete(self) -> None:
        pass


class _Names:
    """A name server: each resolution gives the next of its answers."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.nameResolver = self

    def resolveHostName(self, receiver: Any, host: str, port: int = 0, *_: object) -> Any:
        receiver.resolutionBegan(self)
        for address in self.answers.pop(0):
            receiver.addressResolved(IPv4Address("TCP", address, port))
        receiver.resolutionComplete()
        return self


@pytest.mark.parametrize("cache_size", [0, 100])
def test_a_name_that_is_public_when_checked_and_private_when_used_gives_no_private_address(
    cache_size: int,
) -> None:
    names = _Names(["93.184.216.34"], ["127.0.0.1"], ["10.0.0.1", "93.184.216.34"])
    resolver = PublicResolver(names, cache_size, allow_loopback=False)
    host = f"rebinding-{cache_size}.example"
    found = []
    for _ in range(3):
        receiver: Any = _Receiver()
        resolver.resolveHostName(receiver, host)
        found.append(receiver.hosts)
    public = ["93.184.216.34"]
    assert found == ([public] * 3 if cache_size else [public, [], public])


def test_a_cached_private_host_stays_refused() -> None:
    names = _Names(["10.0.0.1"])
    resolver = PublicResolver(names, 100, allow_loopback=False)
    for _ in range(2):
        receiver: Any = _Receiver()
        resolver.resolveHostName(receiver, "inside.example")
        assert receiver.hosts == []
    assert resolver.refused == {"inside.example"}
    assert names.answers == []
