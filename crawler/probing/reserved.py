"""Asks sites what they reserve, before any of them is added: `copydesk sites catalogue --reserved`.

A site says so in its robots.txt (lines of rights, and crawlers that it refuses) and in its tdmrep.json. What
single pages and the headers of an article say is not looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from protego import Protego

from crawler.fetch import product_name
from crawler.probing.client import Client, NoPage, probe, some_at_a_time
from crawler.sites import Outlet, Site, site_record
from pipeline.document import RightsStatement
from pipeline.metadata import (
    MAX_TDMREP_BYTES,
    TDMREP_PATH,
    joined_rights,
    read_robots_rights,
    read_tdm_rights,
)

# Names that stand for training in a robots.txt, by what their operators say: OpenAI, Anthropic and Meta of
# their crawlers, Google and Apple of names that no crawler has and that only say what texts may be used for.
TRAINING_AGENTS = ("GPTBot", "ClaudeBot", "meta-externalagent", "Google-Extended", "Applebot-Extended")

_MAX_ROBOTS_BYTES = 500_000  # what RFC 9309, 2.5 asks a crawler to read at least
_NOTHING_THERE = range(400, 500)  # RFC 9309, 2.3.1.3


@dataclass(frozen=True, slots=True)
class Reserved:
    """What a site says to reserve, each as a line. problem: why it could not be asked; None if it was."""

    reserves: tuple[str, ...] = ()
    problem: str | None = None


def ask_reserved(
    outlets: Sequence[Outlet],
    *,
    seconds: float = 60.0,
    done: Callable[[Outlet], None] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> list[Reserved]:
    """Ask the sites of outlets, several at a time, and return the answers in their order.

    Only once in a process, like every crawl. seconds: for each. done: is called when an outlet was asked.
    settings: override crawler.settings. Raises OperatorError for a missing contact address.
    """
    sites = [
        site_record("the catalogue", one.key, {"homepage": one.homepage, "feeds": (one.homepage,)})
        for one in outlets
    ]
    found: dict[int, Reserved] = {}

    async def work(client: Client) -> None:
        async def ask(number: int) -> None:
            try:
                async with asyncio.timeout(seconds):
                    found[number] = await _ask(client, sites[number])
            except TimeoutError:
                found[number] = Reserved(problem=f"no answer within {seconds:.0f} s")
            except NoPage as error:
                found[number] = Reserved(problem=str(error))
            if done is not None:
                done(outlets[number])

        await some_at_a_time(range(len(outlets)), ask)

    if outlets:
        probe(work, sites, settings=settings)
    return [found[number] for number in range(len(outlets))]


async def _ask(client: Client, site: Site) -> Reserved:
    """Raises NoPage if robots.txt cannot be read: then nothing of the site may be requested."""
    robots = await _file(client, site, "/robots.txt", _MAX_ROBOTS_BYTES)
    try:
        tdmrep = await _file(client, site, TDMREP_PATH, MAX_TDMREP_BYTES)
    except NoPage:
        tdmrep = b""  # robots.txt may forbid it, and most sites have none
    agent = product_name(client.settings)
    return Reserved(await client.run(read_reserved, robots, tdmrep, site.homepage, agent))


async def _file(client: Client, site: Site, path: str, maxsize: int) -> bytes:
    """The file of the site's host; empty if the host says that there is none."""
    try:
        response = await client.get(urljoin(site.homepage, path), site, site.hosts, maxsize=maxsize)
    except NoPage as error:
        if error.status in _NOTHING_THERE:
            return b""
        raise
    return bytes(response.body)


def read_reserved(robots: bytes, tdmrep: bytes, url: str, agent: str) -> tuple[str, ...]:
    """What a robots.txt and a tdmrep.json say to reserve of a page, in words. agent: the crawler's name."""
    stated = (*read_robots_rights(robots, agent).of(url), *read_tdm_rights(tdmrep).of(url))
    return (*in_words(joined_rights(stated) or ()), *read_refused(robots, url))


def in_words(rights: Iterable[RightsStatement]) -> tuple[str, ...]:
    """A line for each statement that reserves something."""
    return tuple(f"{one.name} {one.value} ({one.source})" for one in rights if one.reserved)


def read_refused(robots: bytes, url: str) -> tuple[str, ...]:
    """The names for training that a robots.txt refuses a page, in one line; empty if it refuses none."""
    rules = Protego.parse(robots.decode("utf-8", "replace"))
    refused = [name for name in TRAINING_AGENTS if not rules.can_fetch(url, name)]
    return (f"refuses {', '.join(refused)} (robots.txt)",) if refused else ()
