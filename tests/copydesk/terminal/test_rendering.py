"""Output has the same meaning with and without colours."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from copydesk.terminal import rendering
from copydesk.terminal.rendering import snippet_line, visible
from pipeline.copies.differences import compare
from pipeline.document import RightsStatement
from storage.search.query import Snippet
from tests.storage.news import article

OLD = "The ferry had 214 people aboard when it ran aground. Nobody was hurt. The hull is sound."
NEW = "The ferry had 219 people aboard when it ran aground. Nobody was hurt. Divers went down [twice]."


def printed(monkeypatch: pytest.MonkeyPatch, **options: object) -> str:
    stream = io.StringIO()
    console = Console(file=stream, highlight=False, soft_wrap=True, **options)  # type: ignore[arg-type]
    monkeypatch.setattr(rendering, "out", console)
    rendering.print_changes(compare(OLD, NEW))
    return stream.getvalue()


def test_changes_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(monkeypatch).splitlines() == [
        "  1 sentence the same, 1 added, 1 dropped, 1 changed, 1 with other figures",
        "    ~ The ferry had [-214-] {+219+} people aboard when it ran aground.",
        "    - The hull is sound.",
        "    + Divers went down [twice].",
    ]


def test_changes_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    said = printed(monkeypatch, force_terminal=True, color_system="standard", _environ={})
    assert "\x1b[1;9;31m214\x1b[0m \x1b[1;32m219\x1b[0m people" in said
    assert "[-" not in said
    assert "\x1b[32mDivers went down [twice].\x1b[0m" in said


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [bold]text[/bold]", "plain [bold]text[/bold]"),
        ("\x1b[31mred\x07\x9b", "\ufffd[31mred\ufffd\ufffd"),
        ("one\ntwo\tthree\u2028four\u3000five", "one two three four five"),
        ("a\u202egnp\u202c.exe \u2066b\u2069\ufeff", "agnp.exe b"),
        ("می\u200cروم \U0001f468\u200d\U0001f469", "می\u200cروم \U0001f468\u200d\U0001f469"),
    ],
)
def test_control_characters_do_not_reach_the_terminal(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_matches_are_coloured_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Snippet("The [red]\x1b[2J ferry sails.", ((14, 19),))
    assert printed_snippet(monkeypatch, found) == "The [red]\ufffd[2J [ferry] sails.\n"

    on_terminal = printed_snippet(
        monkeypatch, found, force_terminal=True, color_system="standard", _environ={}
    )
    assert on_terminal == "The [red]\ufffd[2J \x1b[1;33mferry\x1b[0m sails.\n"


def test_what_is_said_besides_the_text_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(rendering, "out", Console(file=stream, highlight=False, soft_wrap=True))
    rights = (
        RightsStatement("tdm-reservation", "1", "header"),
        RightsStatement("robots", "noai", "meta", "gptbot"),
    )
    made = article("https://a.example/1", "It sails.", description="[b]It[/b] sails.", rights=rights)
    rendering.print_article(made, (), with_removed=False)
    shown = {line.split("  ")[0].strip(): line.strip() for line in re.split(r"\n\s+", stream.getvalue())}
    assert shown["section"] == "section  Harbour"
    assert shown["summary"] == "summary  [b]It[/b] sails."
    assert shown["keywords"] == "keywords  ferry, harbour"
    assert shown["image"] == "image  https://images.example/ferry.jpg"
    assert shown["rights"] == "rights  tdm-reservation 1 (header); robots noai for gptbot (meta)"


def printed_snippet(monkeypatch: pytest.MonkeyPatch, found: Snippet, **options: object) -> str:
    stream = io.StringIO()
    console = Console(file=stream, highlight=False, soft_wrap=True, **options)  # type: ignore[arg-type]
    monkeypatch.setattr(rendering, "out", console)
    console.print(snippet_line(found))
    return stream.getvalue()
