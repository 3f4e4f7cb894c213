"""Headers that are kept with a page: what no header may hold is left out, and there are never very many."""

from __future__ import annotations

import pytest

from pipeline.page import kept_headers


@pytest.mark.parametrize(
    "header",
    [
        ("Set-Cookie", "a=b"),
        ("connection", "close"),
        ("X-Long", "x" * 3000),
        ("X-Break", "a\r\nWARC/1.1"),
        ("X-Nul", "a\0"),
        ("X Blank", "a"),
        ("", "a"),
        ("X-Ünicode", "a"),
        ("X-Surrogate", "\udc80"),
    ],
)
def test_what_is_not_kept(header: tuple[str, str]) -> None:
    assert kept_headers([header, ("Server", "nginx\t1 é")]) == (("Server", "nginx\t1 é"),)


def test_there_are_never_very_many() -> None:
    assert len(kept_headers((f"X-{n}", "a") for n in range(10_000))) == 60
