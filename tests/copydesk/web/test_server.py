"""`copydesk serve` on a socket of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.copydesk.conftest import Run
from tests.waiting import PATIENCE


@contextmanager
def serving(desk_url: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process of a desk that listens, and its address."""
    command = [sys.executable, "-m", "copydesk", "serve", "--db", desk_url, "--port", str(_free_port())]
    with subprocess.Popen(
        command, env=os.environ | environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        address = re.search(r"http://[^/\s]+", line)
        assert address is not None, line
        try:
            yield process, address[0]
        finally:
            process.kill()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_a_signal_ends_it(desk_url: str, ending: signal.Signals) -> None:
    with serving(desk_url) as (process, address):
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            assert b"Stories" in answer.read()
            assert "server" not in answer.headers
        process.send_signal(ending)
        assert process.stderr is not None
        rest = process.stderr.read()
        assert (process.wait(PATIENCE), rest) == (0, "")


def test_behind_a_proxy_with_tls_the_cookie_is_sent_by_https_alone(desk_url: str) -> None:
    token = "a token of the proxy's test"
    with serving(desk_url, COPYDESK_TOKEN=token) as (_, address):
        secure = {
            scheme: "secure"
            in httpx.post(
                f"{address}/login",
                data={"token": token},
                headers={"Accept": "text/html", "X-Forwarded-Proto": scheme},
                timeout=PATIENCE,
            )
            .headers["set-cookie"]
            .lower()
            for scheme in ("http", "https")
        }
    assert secure == {"http": False, "https": True}


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
