"""`copydesk demo --crawl`: serves the world, crawls it twice while news breaks, and shows what came of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from .server import World, serve

SITES = Path(__file__).with_name("sites.toml")


def main() -> int:
    """Run the demonstration; the exit status is that of the first command that fails."""
    os.environ.setdefault("COPYDESK_DB", "sqlite:///demo/crawl.db")
    world = World()
    with serve(world):
        status = _told(world, "Edition 1 is out", ["crawl"])
        world.publish(2)
        status = status or _told(
            world, "Edition 2 is out: corrections, an earthquake, two pages gone", ["crawl"]
        )
    gone = next(a.url for a in world.articles().values() if a.id == "gateway/gatewaybees")
    for arguments in (
        ["stats", "--rejections"],
        ["stats", "--sites"],
        ["groups", "--limit", "3"],
        ["show", gone],
    ):
        status = status or _run(arguments, {})
    return status


def _told(world: World, headline: str, arguments: list[str]) -> int:
    """Run a command against the world, and say what it asked of it."""
    print(f"\n--- {headline} ---", flush=True)
    world.log.clear()
    status = _run(arguments, {"http_proxy": world.proxy})
    statuses = Counter(request.status for request in world.log)
    print(f"The world was asked {len(world.log)} times: ", end="")
    print(", ".join(f"{count} × {status}" for status, count in sorted(statuses.items())), flush=True)
    return status


def _run(arguments: list[str], proxy: dict[str, str]) -> int:
    print(f"$ copydesk {' '.join(arguments)}", flush=True)
    own = {
        "COPYDESK_SITES": str(SITES),
        "COPYDESK_CONTACT": "demo@copydesk.example",
        "COPYDESK_USE_PROXY": "1",
        **proxy,
    }
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(
        [sys.executable, "-P", "-m", "copydesk", *arguments], env={**environment, **own}, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
