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
