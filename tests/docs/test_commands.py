"""Every command on the pages runs, and transcripts are what the commands print. Crawls: `test_crawls`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import PostgresServer
from tests.docs import renewing
from tests.docs.pages import ROOT, Block, blocks
from tests.docs.shell import Shell, commands, is_as_printed, transcripts

# Pages whose commands crawl, which takes longest.
CRAWLING = {
    "README.md",
    "docs/how-to/operations.md",
    "docs/how-to/schedule.md",
    "docs/how-to/scrapy.md",
    "docs/how-to/sites.md",
    "docs/tutorial.md",
}
# Its commands send to receivers: test_notifications.
NOTIFYING = "docs/how-to/notifications.md"
# Pages whose commands fill the database.
FILLING = {"README.md", "docs/tutorial.md"}
_WITH_COMMANDS = sorted({block.page for block in blocks("sh", "console")})


def follow(page: str, shell: Shell) -> None:
    """Run all commands of a page in order, and compare its transcripts with what they print."""
    for block in blocks("sh", "console", page=page):
        if block.language == "sh":
            for command in commands(block):
                shell.run(command)
        else:
            for command, said in transcripts(block):
                printed = shell.run(command)
                if renewing.IS_WANTED and not is_as_printed(said, printed):
                    path = ROOT / page
                    text, old = path.read_text(encoding="utf-8"), f"$ {command}\n{said}"
                    new = f"$ {command}\n{renewing.renewed(said, printed)}"
                    path.write_text(text.replace(old, new, 1), encoding="utf-8")
                    continue
                assert is_as_printed(said, printed), (
                    f"{block}: $ {command}\nprinted:\n{printed}\nnot:\n{said}"
                )


@pytest.mark.parametrize("page", [page for page in _WITH_COMMANDS if page not in CRAWLING | {NOTIFYING}])
def test_the_commands_of_a_page_print_its_transcripts(
    page: str, shell: Shell, request: pytest.FixtureRequest
) -> None:
    shutil.copyfile(request.getfixturevalue("news_database"), shell.folder / "copydesk.db")
    if page == "docs/how-to/postgresql.md":
        server: PostgresServer = request.getfixturevalue("postgres")
        shell.replaced["postgresql://news@localhost/copydesk"] = server.create("template1")
    follow(page, shell)


def test_pages_with_commands_are_known() -> None:
    assert set(_WITH_COMMANDS) >= CRAWLING | FILLING


@pytest.mark.parametrize(
    ("said", "printed", "is_it"),
    [
        ("one two\nthree", "one  two three\n", True),
        ("one two", "one two three", False),
        ("one\n[…]\nfour", "one\ntwo\nthree\nfour", True),
        ("one\n[…]\nfive", "one\ntwo\nthree\nfour", False),
        ("Maid of…", "Maid of Aldane", True),
        ("Maid of…\nnext", "Maid of Aldane\nnext", True),
        ("Maid in…", "Maid of Aldane", False),
        ("id 5", "id 55", False),
        ("rules 2-419f2e67", "rules 3-00000000", True),
        ("2025-03-04 09:40", "2025-03-04 09:41", False),
    ],
)
def test_how_a_transcript_is_compared(said: str, printed: str, is_it: bool) -> None:
    assert is_as_printed(said, printed) is is_it


def test_a_command_that_fails_fails_the_page(shell: Shell) -> None:
    for command in ("copydesk show 99", "copydesk groups --no-such-option", "false"):
        with pytest.raises(AssertionError):
            shell.run(command)


def test_comments_and_continued_lines() -> None:
    block = Block("x", 1, "sh", "a b   # why\n# all of it\nc \\\n    -d #x\n")
    assert commands(block) == ["a b", "c -d #x"]


def test_the_database_is_empty_before_a_page_fills_it(shell: Shell) -> None:
    assert not list(Path(shell.folder).glob("*.db"))
