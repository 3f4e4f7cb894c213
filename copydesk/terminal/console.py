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


# A last cell is wrapped beside the others if it gets so many columns, else below them.
_LEAST = 24
_INDENT = 4


def print_columns(
    rows: Sequence[Sequence[str]], right: Collection[int] = (), *, head: bool = False, below: int = 1
) -> None:
    """Print rows of markup in columns; `right`: those aligned right; `head`: the first row names them.

    Nothing is cut off. Where the rows are wider than the terminal, the last cell is wrapped beside the
    others, or, where that leaves it little room, the last `below` cells are wrapped on lines of their own.
    Where the others are too wide by themselves, the cells of a row follow each other behind their names.
    """
    from rich.text import Text

    cells = [[Text.from_markup(cell) for cell in row] for row in rows]
    widths = [max(cell.cell_len for cell in column) for column in zip(*cells, strict=True)]
    room = out.width if out.is_terminal else sum(widths) + 2 * len(widths)
    last = len(widths) - 1
    if sum(widths) + 2 * last > room:
        beside = sum(widths[:last]) + 2 * last
        front = sum(widths[:-below]) + 2 * (len(widths) - below - 1)
        if beside + min(widths[last], _LEAST) <= room:
            below = 0
        elif head and front > room:
            _print_named(cells[0], cells[1:], room)
            return
    else:
        beside, below = 0, 0
    for row in cells:
        padded = [
            _padded(cell, width, number in right)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        if below:
            _print_wrapped(Text("  ").join(padded[:-below]), room, 0, _INDENT)
            _print_wrapped(Text("  ").join(cell for cell in row[-below:] if cell), room, _INDENT, _INDENT)
        elif beside:
            first, *more = row[-1].wrap(out, room - beside) or [row[-1]]
            out.print(_stripped(Text("  ").join([*padded[:-1], first])))
            for line in more:
                out.print(_stripped(Text(" " * beside) + line))
        else:
            out.print(_stripped(Text("  ").join(padded)))


def _print_named(names: Sequence[Text], rows: Iterable[Sequence[Text]], room: int) -> None:
    """Each row as a paragraph: every cell that is not empty behind its name."""
    from rich.text import Text

    for row in rows:
        line, indent = Text(), 0
        for name, cell in zip(names, row, strict=True):
            if not cell.plain.strip():
                continue
            said = Text(" ").join([name, cell])
            if line and indent + line.cell_len + 2 + said.cell_len > room:
                _print_wrapped(line, room, indent, _INDENT)
                line, indent = Text(), _INDENT
            elif line:
                line.append("  ")
            line += said
        _print_wrapped(line, room, indent, _INDENT)


def print_wrapped(markup: str) -> None:
    """Print a line; on a terminal, in as many lines as it needs, broken between words."""
    from rich.text import Text

    line = Text.from_markup(markup)
    _print_wrapped(line, out.width, 0, _INDENT) if out.is_terminal else out.print(line)


def _print_wrapped(line: Text, room: int, first: int, further: int) -> None:
    """Print a line in as many as it needs; `first`, `further`: blanks before the first and the others."""
    from rich.text import Text

    for number, part in enumerate(line.wrap(out, max(room - max(first, further), 8))):
        out.print(_stripped(Text(" " * (further if number else first)) + part))


def _stripped(line: Text) -> Text:
    line.rstrip()
    return line


def _padded(cell: Text, width: int, to_the_right: bool) -> Text:
    missing = width - cell.cell_len
    cell.pad_left(missing) if to_the_right else cell.pad_right(missing)
    return cell


def has_colours(console: Console) -> bool:
    """Whether its colours can say something: there is a terminal, and NO_COLOR does not forbid them."""
    return console.color_system is not None and not console.no_color


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
