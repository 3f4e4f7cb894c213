"""An article as a person reads it: its facts, its text, and what was taken out, where it stood."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from copydesk.console import out

if TYPE_CHECKING:
    from rich.console import RenderableType


class RemovedText(Protocol):
    """What both a pipeline's and a database's record of a removed line have."""

    @property
    def position(self) -> int: ...
    @property
    def rule(self) -> str: ...
    @property
    def text(self) -> str: ...


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Name and value, a line each; values that are empty are left out."""
    from rich.markup import escape

    for name, value in facts:
        if value not in (None, "", [], ()):
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            out.print(f"[dim]{name:>12}[/dim]  {escape(shown)}")


def print_text(text: str) -> None:
    """The clean text, a blank line between paragraphs."""
    from rich.markup import escape

    for line in text.splitlines():
        out.print(f"\n{escape(line)}")


def print_before_and_after(text: str, removed: Sequence[RemovedText]) -> None:
    """The page's own order: kept lines plain, removed ones marked with `-` and the rule that took them.

    A removed line's position is the number of kept lines before it.
    """
    for line in _interleaved(text.splitlines(), removed):
        out.print(line)


def _interleaved(kept: Sequence[str], removed: Sequence[RemovedText]) -> Iterable[RenderableType]:
    from rich.text import Text

    waiting = list(removed)
    for number, line in enumerate(kept):
        while waiting and waiting[0].position <= number:
            yield _removed_line(waiting.pop(0))
        yield Text(f"\n  {line}")
    for line_out in waiting:
        yield _removed_line(line_out)


def _removed_line(line: RemovedText) -> RenderableType:
    from rich.text import Text

    return Text.assemble(("- ", "red"), (line.text, "red"), ("   ", ""), (f"[{line.rule}]", "yellow"))
