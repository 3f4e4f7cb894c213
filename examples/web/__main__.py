"""`python -m examples.web [--port N] [--edition N]`: serves the world until Ctrl-C."""

from __future__ import annotations

import argparse

from .server import World, serve
from .world import EDITIONS


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m examples.web", description="Serve the invented news world."
    )
    parser.add_argument("--port", type=int, default=8090, help="on 127.0.0.1; 0 for a free one")
    parser.add_argument("--edition", type=int, choices=EDITIONS, default=1)
    options = parser.parse_args()
    world = World()
    world.publish(options.edition)
    with serve(world, options.port):
        print(f"The world is at {world.proxy}; crawl it in another terminal:")
        print(f"  http_proxy={world.proxy} COPYDESK_CONTACT=me@home.example \\")
        print("    copydesk crawl --sites examples/web/sites.toml --db sqlite:///world.db")
        print(f"Let time pass with: curl {world.proxy}/edition/2")
        try:
            world.closing.wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
