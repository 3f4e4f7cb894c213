"""What a person reads of sites: cells of tables, and the pages that were tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from copydesk.terminal.console import as_line, out
from copydesk.terminal.rendering import visible
from pipeline.counts import counted

if TYPE_CHECKING:
    from crawler.probing import PageCheck


def header(*names: str) -> tuple[str, ...]:
    """The first row of a table."""
    return tuple(f"[dim]{name}" for name in names)


def shown(text: str) -> str:
    """Text of a stranger as one line of markup."""
    return as_line(visible(text))


def print_page(page: PageCheck) -> None:
    """Print whether a page is an article, and what is said to reserve its text, each on a line of its own."""
    if page.problem is None:
        title = shown(page.title or "without a title")
        out.print(f"  [green]article[/green]  {shown(page.url)}: {title}, {counted(page.words or 0, 'word')}")
        for statement in page.reserves:
            out.print(f"  [yellow]reserved[/yellow]  {shown(statement)}")
    else:
        out.print(f"  [yellow]no article[/yellow]  {shown(page.url)}: {shown(page.problem)}")
