"""Commands as they are stored: as they were given, but without what must not be read in a database."""

from __future__ import annotations

import re
import shlex

_HIDDEN = "***"
# All before the @ in the address of a page, and a password in any other URL, such as a database's.
_OF_PAGE = re.compile(r"(?<=https://)[^\s/@]{1,400}(?=@)|(?<=http://)[^\s/@]{1,400}(?=@)")
_PASSWORD = re.compile(r"(?<=://)([^\s:/@]{0,200}):[^\s@]{1,200}(?=@)")
# Names whose value is secret: of a parameter of an address, a setting (-s NAME=VALUE), an option.
_NAME = (
    r"(?:[\w.-]{0,60}(?:password|passwd|pwd|secret|token|webhook|credential|signature|api_?key|auth|session)s?"
    r"|(?:[\w.-]{0,60}[_.-])?(?:key|sig))"
)
_VALUE = re.compile(rf"((?:\A-{{0,2}}|[?&;]){_NAME}=)[^&;#]{{1,4000}}", re.IGNORECASE)
_OPTION = re.compile(rf"\A--?{_NAME}\Z", re.IGNORECASE)


def without_secrets(command: str) -> str:
    """The command, words as a shell would read them, with `***` for passwords, tokens and keys in it."""
    try:
        words = shlex.split(command)
    except ValueError:  # not written by us, and no shell would read it
        return _masked(command)
    shown, is_value = [], False
    for word in words:
        shown.append(_HIDDEN if is_value and not word.startswith("-") else _masked(word))
        is_value = bool(_OPTION.match(word))
    return command if shown == words else shlex.join(shown)


def _masked(word: str) -> str:
    return _VALUE.sub(rf"\1{_HIDDEN}", _PASSWORD.sub(rf"\1:{_HIDDEN}", _OF_PAGE.sub(_HIDDEN, word)))
