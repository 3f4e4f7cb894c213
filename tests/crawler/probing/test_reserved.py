"""What sites say to reserve in their robots.txt and tdmrep.json."""

from __future__ import annotations

import pytest

from crawler.probing.reserved import TRAINING_AGENTS, read_reserved

HOME = "https://gazette.example/"


def said(robots: str, tdmrep: str = "") -> tuple[str, ...]:
    return read_reserved(robots.encode(), tdmrep.encode(), HOME, "Copydesk")


@pytest.mark.parametrize(
    ("robots", "reserves"),
    [
        ("", ()),
        ("User-agent: *\nDisallow: /private\n", ()),
        ("User-agent: GPTBot\nDisallow: /private\n", ()),
        ("User-agent: SomeBot\nDisallow: /\n", ()),
        ("User-agent: *\nContent-Signal: search=yes, ai-train=yes\n", ()),
        (
            "User-agent: gptbot\nUser-agent: Google-Extended\nDisallow: /\n\nUser-agent: *\nAllow: /\n",
            ("refuses GPTBot, Google-Extended (robots.txt)",),
        ),
        ("User-agent: GPTBot\nDisallow: /\nAllow: /$\n", ()),
        ("User-agent: *\nDisallow: /\n", (f"refuses {', '.join(TRAINING_AGENTS)} (robots.txt)",)),
        (
            "User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n",
            ("content-signal search=yes, ai-train=no (robots.txt)",),
        ),
        ("User-agent: *\nContent-Usage: train-ai=n\n", ("content-usage train-ai=n (robots.txt)",)),
        ("\x00\xff User-agent", ()),
    ],
)
def test_a_robots_txt_reserves_by_lines_of_rights_and_by_refusing_crawlers(
    robots: str, reserves: tuple[str, ...]
) -> None:
    assert said(robots) == reserves


def test_a_tdmrep_json_reserves() -> None:
    assert said("", '[{"location": "/", "tdm-reservation": 1}]') == ("tdm-reservation 1 (tdmrep.json)",)
    assert said("", '[{"location": "/", "tdm-reservation": 0}]') == ()
    assert said("", "<html>no such page</html>") == ()
