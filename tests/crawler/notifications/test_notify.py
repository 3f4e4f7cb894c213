"""Messages to a command and a webhook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.notifications.notify import parse_command, parse_webhook, post, run_command
from pipeline.errors import OperatorError
from tests.crawler.notifications.hook import Hook, listening
from tests.waiting import wait_until


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as found:
        yield found


def test_a_command_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    left = tmp_path / "child"
    command = ["sh", "-c", 'sleep 600 & echo $! > "$0"; wait', str(left)]
    with pytest.raises(TimeoutError, match="killed after 3 s"):
        run_command(command, b"{}", 3.0)
    pid = int(left.read_text())
    wait_until(lambda: not _is_running(pid), lambda: "it is still there")


def _is_running(pid: int) -> bool:
    try:
        # After the kill it may be a zombie until its new parent reaps it.
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_a_failing_command_stops_nothing_else() -> None:
    with pytest.raises(OSError, match="no-such-command"):
        run_command(["no-such-command"], b"{}", 5.0)
    with pytest.raises(ChildProcessError, match="exit status 7"):
        run_command([sys.executable, "-c", "raise SystemExit(7)"], b"x" * 1_000_000, 60.0)


def test_a_failing_webhook_stops_nothing_else(hook: Hook) -> None:
    post(hook.url, b'{"a": 1}', 60.0)
    assert hook.told == [("application/json", {"a": 1})]
    hook.status = 302  # urllib would follow the redirect with GET, without the message
    with pytest.raises(OSError, match="302"):
        post(hook.url, b"{}", 60.0)
    hook.drip = True
    with pytest.raises(TimeoutError):
        post(hook.url, b"{}", 1.0)
    hook.drip = False
    with pytest.raises(OSError, match="refused"):
        post("http://127.0.0.1:9/", b"{}", 60.0)


def test_invalid_settings_are_reported_before_anything_is_fetched() -> None:
    assert parse_command(None) is parse_command(" ") is None
    assert parse_webhook("") is None
    assert parse_command("mail -s 'a site' desk@example.org") == ["mail", "-s", "a site", "desk@example.org"]
    with pytest.raises(OperatorError, match=r"COPYDESK_ALERT_COMMAND.*close the quotation"):
        parse_command("mail 'desk")
    for wrong in ("hooks.example/x", "file:///etc/passwd", "https://", "http://[x/"):
        with pytest.raises(OperatorError, match="COPYDESK_ALERT_WEBHOOK"):
            parse_webhook(wrong)
