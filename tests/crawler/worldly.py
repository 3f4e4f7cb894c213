"""A desk whose crawls go through the proxy that serves the invented world of examples/web."""

from __future__ import annotations

from dataclasses import dataclass

from examples.web.server import World
from tests.crawler.crawling import ROOT, Desk

SITES = ROOT / "examples" / "web" / "sites.toml"
CONTACT = "desk@copydesk.example"


@dataclass
class WorldDesk(Desk):
    """A desk with a world. Loopback is refused: the sites have names, and only the proxy is there."""

    world: World

    def command(self, *arguments: str, spider: str = "news", **settings: str) -> list[str]:
        own = {"HTTPPROXY_ENABLED": "True", "COPYDESK_ALLOW_LOOPBACK": "False", "COPYDESK_CONTACT": CONTACT}
        return super().command(*arguments, spider=spider, **{**own, **settings})

    def environment(self) -> dict[str, str]:
        plain = {name: v for name, v in super().environment().items() if not name.lower().endswith("_proxy")}
        return {**plain, "http_proxy": self.world.proxy}
