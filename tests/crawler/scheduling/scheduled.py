"""Sites with a schedule, for the tests of units and crontabs."""

from __future__ import annotations

from crawler.sites.site import Site


def scheduled_site(key: str, schedule: str) -> Site:
    return Site(
        key=key,
        name=key,
        homepage="https://x.example/",
        feeds=("https://x.example/rss",),
        schedule=schedule,
    )
