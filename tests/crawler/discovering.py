"""A program that looks at the front pages of several sites in one process, for tests; prints what it found.

Standard input is a JSON list of jobs, each with `url` and, where wanted, `name`, `allow` (hosts), `seconds`,
and what is given (`feeds`, `news_sitemaps`, `sitemaps`, `takes_all`); standard output a JSON list of
discoveries, or {"error": …}.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from copydesk.terminal.console import plain
from crawler.probing.client import Client, probe
from crawler.probing.discover import Wanted, discover_site
from crawler.probing.limits import Limits
from crawler.sites.reader import site_record
from pipeline.errors import OperatorError
from tests.crawler.crawling import QUICK
from tests.waiting import PATIENCE


def _wanted(job: dict[str, Any]) -> Wanted:
    given: dict[str, Any] = {
        kind: tuple(job.get(kind, ())) for kind in ("feeds", "news_sitemaps", "sitemaps")
    }
    return Wanted(job["url"], name=job.get("name"), takes_all=job.get("takes_all", False), **given)


def main() -> None:
    jobs = json.load(sys.stdin)
    sites = [
        site_record(
            "job",
            f"job-{number}",
            {
                "homepage": job["url"],
                "sections": (job["url"],),
                "allowed_hosts": tuple(job.get("allow", ())),
                "politeness": {"delay": 0},
            },
        )
        for number, job in enumerate(jobs)
    ]
    found: list[Any] = [None] * len(jobs)

    async def one(client: Client, number: int) -> None:
        limits = Limits(pages=1, seconds=jobs[number].get("seconds", PATIENCE))
        try:
            found[number] = plain(await discover_site(client, sites[number], limits, _wanted(jobs[number])))
        except OperatorError as error:
            found[number] = {"error": str(error)}

    async def work(client: Client) -> None:
        await asyncio.gather(*(one(client, number) for number in range(len(jobs))))

    probe(work, sites, settings=QUICK)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
