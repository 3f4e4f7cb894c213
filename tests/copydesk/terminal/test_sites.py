"""What a person reads of sites and their pages."""

from __future__ import annotations

import pytest

from copydesk.terminal.sites import print_page, shown
from crawler.probing import PageCheck

URL = "http://gazette.example/1"


def test_what_a_page_says_takes_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    print_page(
        PageCheck(URL, "Ferry\x1b[2J [red]aground", 120, reserves=("content-signal\nai-train=no (link)",))
    )
    print_page(PageCheck(URL, problem="no article: a login form"))
    assert capsys.readouterr().out.splitlines() == [
        f"  article  {URL}: Ferry\ufffd[2J [red]aground, 120 words",
        "  reserved  content-signal ai-train=no (link)",
        f"  no article  {URL}: no article: a login form",
    ]


def test_text_of_a_stranger_is_no_markup() -> None:
    assert shown("[red]x\n\x07y") == "\\[red]x \ufffdy"
