"""Ctrl-C where no command has anything to finish."""

from __future__ import annotations

import subprocess
import sys

import pytest

_HEAD = """
import os, signal, weakref
from copydesk.interrupt import end_at_interrupt
signal.signal(signal.SIGINT, signal.default_int_handler)
end_at_interrupt()

class Thing:
    pass

def press(*_):
    os.kill(os.getpid(), signal.SIGINT)
    sum(range(100_000))  # Python calls the handler between two instructions
"""


def run(program: str) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, "-c", _HEAD + program], check=False, capture_output=True, text=True, timeout=120
    )
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "program",
    [
        "press()",
        "thing = Thing(); held = weakref.ref(thing, press); del thing",
        "Thing.__del__ = press; thing = Thing(); del thing",
    ],
    ids=["anywhere", "callback of a weak reference", "finalizer"],
)
def test_the_program_ends_with_one_line_wherever_ctrl_c_comes(program: str) -> None:
    assert run(program + "\nprint('went on')") == (130, "copydesk: interrupted\n")


def test_different_errors_in_finalizers_are_reported_and_the_program_goes_on() -> None:
    status, said = run("Thing.__del__ = lambda self: 1 / 0; thing = Thing(); del thing\nprint('went on')")
    assert (status, "ZeroDivisionError" in said, said.startswith("went on")) == (0, True, True)


def test_an_ignored_interrupt_stays_ignored() -> None:
    ignored = "signal.signal(signal.SIGINT, signal.SIG_IGN); end_at_interrupt(); press(); print('went on')"
    assert run(ignored) == (0, "went on\n")
