"""What a request is told that is refused because of its address."""

from __future__ import annotations

LOOPBACK_SETTING = "COPYDESK_ALLOW_LOOPBACK"


def not_public_message(host: str) -> str:
    """The message of a request that is refused because of its address."""
    return f"{host} is not on the public internet ({LOOPBACK_SETTING} allows loopback)"
