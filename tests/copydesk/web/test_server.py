"""`copydesk serve` on a socket of its own."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from tests.copydesk.conftest import Run
from tests.waiting import PATIENCE


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_a_signal_ends_it(desk_url: str, ending: signal.Signals) -> None:
    port = _free_port()
    command = [sys.executable, "-m", "copydesk", "serve", "--db", desk_url, "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        address = re.search(r"http://\S+", line)
        assert address is not None, line
        with urllib.request.urlopen(address[0], timeout=PATIENCE) as answer:
            assert b"Stories" in answer.read()
            assert "server" not in answer.headers
        process.send_signal(ending)
        rest = process.stderr.read()
        assert (process.wait(PATIENCE), rest) == (0, "")


def test_a_port_that_is_taken_is_said(desk_url: str, copydesk: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = copydesk("serve", "--db", desk_url, "--port", str(port))
    assert done.returncode == 2
    assert "choose another --port" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_address_needs_a_token(desk_url: str, copydesk: Run) -> None:
    done = copydesk("serve", "--db", desk_url, "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "set COPYDESK_TOKEN" in done.stderr


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
