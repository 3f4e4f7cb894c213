"""The commands of the pages that crawl, in the invented web."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs.shell import Shell
from tests.docs.test_commands import CRAWLING, FILLING, follow


@pytest.mark.parametrize("page", sorted(CRAWLING))
def test_the_commands_of_a_page_print_its_transcripts(
    page: str, web_shell: Shell, news_database: Path
) -> None:
    if page not in FILLING:
        shutil.copyfile(news_database, web_shell.folder / "copydesk.db")
        web_shell.patch.setenv("COPYDESK_SITES", str(web_shell.folder / "my-sites.toml"))
    follow(page, web_shell)
