"""Decides which IP addresses are on the public internet."""

from __future__ import annotations

import ipaddress
import socket

from crawler.sites import is_loopback_host

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Azure's platform channel is on an address in the public range.
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Networks of the IANA special-purpose registries that `is_global` of some Python versions calls public:
# protocol assignments (one cloud's metadata service among them), 6to4 relays, documentation, site-local.
_SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "fec0::/10")))


def is_public(address: str, *, allow_loopback: bool = False) -> bool:
    """True for an IP address on the public internet: not private, link-local, loopback, multicast, ...

    An IPv6 address that contains an IPv4 address (mapped, 6to4, Teredo, NAT64) is public if that one is.
    """
    try:
        ip: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    embedded = _embedded_ipv4(ip)
    if embedded is not None:
        ip = embedded
    if ip.is_loopback:
        return allow_loopback
    is_special = ip in _METADATA or any(ip in network for network in _SPECIAL)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not is_special


def is_private_host(host: str, *, allow_loopback: bool = False) -> bool:
    """True for a host that is written as an address that is not public, in any notation, or is localhost."""
    bare = host.partition("%")[0].rstrip(".")
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        try:
            bare = socket.inet_ntoa(socket.inet_aton(bare))  # 2130706433, 0x7f.1 and the like
        except OSError:
            return is_loopback_host(bare) and not allow_loopback
    return not is_public(bare, allow_loopback=allow_loopback)


def _embedded_ipv4(ip: Address) -> ipaddress.IPv4Address | None:
    if not isinstance(ip, ipaddress.IPv6Address):
        return None
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
