"""Which addresses are public."""

from __future__ import annotations

import pytest

from crawler.public_addresses import is_private_host, is_public


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("172.32.0.1", True),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("100.100.100.200", False),
        ("169.254.169.254", False),
        ("168.63.129.16", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("2002:a00:1::1", False),
        ("2001:db8::1", False),
        ("not an address", False),
        ("", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_loopback_by_setting_allows_loopback_and_nothing_else() -> None:
    assert is_public("127.0.0.1", allow_loopback=True)
    assert is_public("::1", allow_loopback=True)
    assert is_public("::ffff:127.0.0.1", allow_loopback=True)
    assert not is_public("10.0.0.1", allow_loopback=True)
    assert not is_public("169.254.169.254", allow_loopback=True)


@pytest.mark.parametrize(
    "address",
    [
        "192.0.0.192",  # metadata of a cloud, among protocol assignments
        "192.88.99.1",
        "100.127.255.255",
        "169.254.170.2",
        "fec0::1",
        "3fff::1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "::ffff:a9fe:a9fe",
        "::ffff:0:7f00:1",
        "::7f00:1",
        "2002:7f00:1::",
        "2001:0:5db8:d822:0:0:80ff:fffe",  # Teredo, by way of 127.0.0.1
        "5f00::1",
        "4000::1",
        "2130706433",
        "0x7f.1",
        "127.1",
    ],
)
def test_further_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f.1",
        "10.0.0.1",
        "::1",
        "fe80::1%eth0",
        "localhost",
        "localhost.",
    ],
)
def test_hosts_that_are_private_addresses(host: str) -> None:
    assert is_private_host(host)


@pytest.mark.parametrize("host", ["gazette.example", "93.184.216.34", "1572395042"])
def test_hosts_that_are_names_or_public_addresses(host: str) -> None:
    assert not is_private_host(host)


def test_loopback_hosts_may_be_allowed() -> None:
    assert not is_private_host("127.1", allow_loopback=True)
    assert not is_private_host("localhost", allow_loopback=True)
    assert is_private_host("192.168.0.1", allow_loopback=True)
