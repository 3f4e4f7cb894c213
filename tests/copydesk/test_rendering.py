"""What is coloured on a terminal says the same without colours."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from copydesk import rendering
from pipeline.copies.differences import compare

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
