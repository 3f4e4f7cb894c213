"""Messages that quote what an operator typed or a file is named: one line each, and without passwords."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from typer.core import TyperGroup

# A password before the host of a URL, and one among parameters.
_BEFORE_HOST = re.compile(r"(://[^\s:/@]{0,200}):(?!\d{1,5}[/?])[^\s@]{1,200}(?:@[^\s@]{1,200}){0,3}(?=@)")
_PARAMETER = re.compile(r"((?:password|passwd|pwd|secret)=)[^&\s'\")]{1,200}", re.IGNORECASE)
# What would begin another line, steer a terminal, or change the direction of writing.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def safe_line(message: str) -> str:
    """The message as one line without passwords, whose unsafe characters are written as escapes."""
    return escaped(without_passwords(message))


def without_passwords(text: str) -> str:
    """The text with `***` for what looks like a password in the URL of a database."""
    return _PARAMETER.sub(r"\1***", _BEFORE_HOST.sub(r"\1:***", text))


def escaped(text: str) -> str:
    """The text with `\\n`, `\\x1b` and so on for characters that forge lines or steer a terminal."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


_given = "copydesk"


def given_command() -> str:
    """The command as it was given, as a shell would take it; passwords are still in it."""
    return _given


class SafeGroup(TyperGroup):
    """The commands; a mistake on the command line is told without the passwords that were typed there."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        global _given
        if parent is None:
            _given = shlex.join(["copydesk", *args])
        with _told_safely():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        with _told_safely():
            return super().invoke(ctx)


@contextmanager
def _told_safely() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # Typer's own class of these is private, and different from one version to the next.
        if isinstance(told := getattr(error, "message", None), str):
            error.message = safe_line(told)  # type: ignore[attr-defined]
        raise
