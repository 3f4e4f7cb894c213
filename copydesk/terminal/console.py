"""Output of commands: the consoles for results and for messages, columns, JSON, questions."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from rich.text import Text

# Control characters except tab and line feed, and marks that change the writing direction.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class _Console(Console):
    """rich's console, which removes control characters, because titles come from strangers."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or not _STEERING.search(segment.text):
                yield segment
            else:
                yield Segment(_STEERING.sub("\ufffd", segment.text), segment.style)


# Results go to `out`, messages to `err`, so that results can be piped.
out = _Console(highlight=False, soft_wrap=True)
err = _Console(stderr=True, highlight=False, soft_wrap=True)


# What begins another line. In what strangers name or write it would forge one.
_LINE_BREAKS = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


def as_line(text: str) -> str:
    """A text as markup that shows it as it is, in one line: line breaks are written as escapes."""
    from rich.markup import escape

    return escape(_LINE_BREAKS.sub(lambda found: ascii(found[0])[1:-1], text))


def plain(value: Any) -> Any:
    """A JSON-ready form: records as objects, times as ISO 8601 ending in Z, sequences as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    return value


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(_dumped(value, indent=2) + "\n")


def print_json_lines(values: Iterable[Any]) -> None:
    """One JSON object a line on standard output, as the values come."""
    for value in values:
        sys.stdout.write(_dumped(value) + "\n")


def _dumped(value: Any, indent: int | None = None) -> str:
    """JSON with unescaped letters; characters that a terminal would obey are escaped."""
    text = json.dumps(plain(value), ensure_ascii=False, indent=indent)
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def print_columns(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> None:
    """Print rows of markup in columns; `right`: those aligned right. Only a terminal's edge cuts a row."""
    from rich.text import Text

    cells = [[Text.from_markup(cell) for cell in row] for row in rows]
    widths = [max(cell.cell_len for cell in column) for column in zip(*cells, strict=True)]
    for row in cells:
        line = Text("  ").join(
            _padded(cell, width, number in right)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        line.rstrip()
        if out.is_terminal:
            line.truncate(out.width, overflow="ellipsis")
        out.print(line)


def _padded(cell: Text, width: int, to_the_right: bool) -> Text:
    missing = width - cell.cell_len
    cell.pad_left(missing) if to_the_right else cell.pad_right(missing)
    return cell


def when(time: datetime | None) -> str:
    """A time for tables, in UTC to the minute; an em dash for none."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if time else "—"


def confirmed(question: str, yes: bool) -> bool:
    """Whether the operator agrees, by `yes` or by an answer on the terminal. Enter means no.

    Raises OperatorError without a terminal.
    """
    if yes:
        return True
    if not (sys.stdin.isatty() and err.is_terminal):
        raise OperatorError("nothing was changed: there is no terminal to ask on, so give --yes")
    import typer

    if typer.confirm(question, err=True):
        return True
    err.print("nothing was changed")
    return False
