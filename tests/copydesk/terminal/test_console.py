"""Control characters of a page have no effect on the terminal that shows it."""

from __future__ import annotations

import io
import json
from typing import Literal

import pytest
from rich.text import Text

from copydesk.terminal import console

STEERING = "\x1b[2J\x1b]0;yours\x07\x9b31m\x7f\u202egnp.exe"


@pytest.mark.parametrize("colours", [None, "standard"])
@pytest.mark.parametrize(
    "shown", [STEERING, Text(STEERING, "red"), f"[bold]{STEERING.replace('[', chr(92) + '[')}[/bold]"]
)
def test_control_characters_are_shown_as_text(shown: str | Text, colours: Literal["standard"] | None) -> None:
    stream = io.StringIO()
    out = type(console.out)(file=stream, color_system=colours, force_terminal=colours is not None, width=200)
    out.print("a\tb", shown, "last\nline", highlight=False, soft_wrap=True)
    said = stream.getvalue()
    own = ("\x1b[31m", "\x1b[1m", "\x1b[1;31m", "\x1b[0m")  # rich's own colours
    for sequence in own if colours else ():
        said = said.replace(sequence, "")
    assert said.endswith("last\nline\n")
    assert not {"\x1b", "\x07", "\x9b", "\x7f", "\u202e"} & set(said)
    assert "gnp.exe" in said


def test_json_has_the_same_values_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_json({"title": STEERING, "plain": "é 新聞"})
    console.print_json_lines([STEERING])
    said = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\x9b", "\x7f", "\u202e"} & set(said)
    first, _, second = said.rstrip().rpartition("\n")
    assert json.loads(first) == {"title": STEERING, "plain": "é 新聞"}
    assert "é 新聞" in first
    assert json.loads(second) == STEERING


def test_a_line_break_begins_no_line() -> None:
    from copydesk.terminal.console import as_line

    assert as_line("a\nrejected 9\r\u2028\x85[red]") == "a\\nrejected 9\\r\\u2028\\x85\\[red]"
    assert as_line("plain, ünïcode 日本") == "plain, ünïcode 日本"


TITLE = "Passengers rescued after ferry strikes sandbar in the early hours of Tuesday"
ROWS = [
    ("*", "3", "2025-03-04 09:40", "369 words", "", "tessaryobserver.example", TITLE),
    (
        " ",
        "12",
        "2025-03-04 11:40",
        "196 words",
        "partial, 100% contained",
        "northmere.example",
        "same title",
    ),
    (
        " ",
        "13",
        "2025-03-04 12:40",
        "196 words",
        "near, 98% contained",
        "hibi.example",
        "首都で渡し船が座礁した" * 9,
    ),
]
HEAD = ("", "id", "published", "length", "kind", "site", "headline")


def _columns(monkeypatch: pytest.MonkeyPatch, width: int, *, head: bool = False, below: int = 2) -> list[str]:
    """What ROWS look like in a terminal of that width."""
    stream = io.StringIO()
    out = type(console.out)(file=stream, color_system=None, force_terminal=True, width=width, soft_wrap=True)
    monkeypatch.setattr(console, "out", out)
    console.print_columns([HEAD, *ROWS] if head else ROWS, right=(1,), head=head, below=below)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 62, 80, 100, 130, 160])
@pytest.mark.parametrize("head", [False, True])
def test_a_narrow_terminal_cuts_nothing_off(monkeypatch: pytest.MonkeyPatch, width: int, head: bool) -> None:
    lines = _columns(monkeypatch, width, head=head)
    assert max(Text(line).cell_len for line in lines) <= width
    said = "".join("".join(lines).split())
    for row in ROWS:
        for cell in row:
            assert "".join(cell.split()) in said, (width, cell)


def test_at_80_columns_a_row_has_its_kind_and_per_cent_in_the_first_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = _columns(monkeypatch, 80)
    assert lines[:4] == [
        "*   3  2025-03-04 09:40  369 words",
        "    tessaryobserver.example  Passengers rescued after ferry strikes sandbar in",
        "    the early hours of Tuesday",
        "   12  2025-03-04 11:40  196 words  partial, 100% contained",
    ]
    assert [Text(line).cell_len for line in lines[-3:-1]] == [80, 80], "a wide character takes two columns"


def test_a_wide_terminal_wraps_the_last_column_beside_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, *_ = _columns(monkeypatch, 130)
    assert first.index("Passengers") == len(second) - len(second.lstrip())


def test_no_color_leaves_the_marks_that_stand_for_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value, has_colours in (("NO_COLOR", "1", False), ("NO_COLOR", "", True)):
        monkeypatch.setenv(name, value)
        out = type(console.out)(file=io.StringIO(), force_terminal=True, color_system="truecolor")
        assert console.has_colours(out) is has_colours
