"""Signals: the first ends a run in order, the second at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from crawler.runs.stopping import stopping
from tests.waiting import PATIENCE

TWICE = """
import os, signal, time
from crawler.runs.stopping import stopping
with stopping() as is_stopped:
    os.kill(os.getpid(), signal.SIGTERM)
    assert is_stopped()
    print("stopped", flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(600)
"""


def test_the_first_signal_is_reported_and_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stopping() as is_stopped:
        assert not is_stopped()
        os.kill(os.getpid(), signal.SIGINT)
        assert is_stopped()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_the_second_signal_ends_the_program() -> None:
    done = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.returncode) == ("stopped\n", 128 + signal.SIGINT)


def test_another_thread_catches_no_signals() -> None:
    found: list[bool] = []

    def run() -> None:
        with stopping() as is_stopped:
            found.append(is_stopped())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [False]
