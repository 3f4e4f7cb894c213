"""Messages to a command."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from crawler.notifications import SendFailed
from crawler.notifications.command import command_environment, run_command, split_command
from pipeline.errors import OperatorError
from tests.waiting import wait_until


def test_a_command_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    left = tmp_path / "child"
    command = ["sh", "-c", 'sleep 600 & echo $! > "$0"; wait', str(left)]
    with pytest.raises(SendFailed, match="killed after 3 s"):
        run_command(command, b"{}", 3.0, {"PATH": os.environ["PATH"]})
    pid = int(left.read_text())
    wait_until(lambda: not _is_running(pid), lambda: "it is still there")


def _is_running(pid: int) -> bool:
    try:
        # After the kill it may be a zombie until its new parent reaps it.
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_a_failing_command_says_how_it_failed() -> None:
    with pytest.raises(SendFailed, match="no-such-command cannot be run: No such file"):
        run_command(["no-such-command"], b"{}", 5.0, {"PATH": os.environ["PATH"]})
    with pytest.raises(SendFailed, match="cannot be run"):
        run_command(["a\0b"], b"{}", 5.0, {})
    with pytest.raises(SendFailed, match="exit status 7"):
        run_command([sys.executable, "-c", "raise SystemExit(7)"], b"x" * 1_000_000, 60.0, {})


def test_words_are_split_as_a_shell_splits_them_and_no_shell_runs_them(tmp_path: Path) -> None:
    assert split_command(" ", "X") == ()
    words = split_command("mail -s 'a site' desk@example.org", "X")
    assert words == ("mail", "-s", "a site", "desk@example.org")
    with pytest.raises(OperatorError, match=r"^X: .*close the quotation"):
        split_command("mail 'desk", "X")
    told = tmp_path / "told"
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2] + sys.stdin.read())"
    run_command([sys.executable, "-c", code, str(told), "$HOME; touch x"], b"{}", 60.0, {})
    assert told.read_text() == "$HOME; touch x{}"


def test_a_command_gets_no_secret_of_the_environment(tmp_path: Path) -> None:
    secrets = {
        "COPYDESK_TOKEN": "s3cret of the desk",
        "COPYDESK_DB": "postgresql://desk:s3cret@db.example/news",
        "COPYDESK_WEBHOOK_SECRET": "whsec_s3cret",
        "COPYDESK_SMTP_PASSWORD": "s3cret",
        "PGPASSWORD": "s3cret",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "CHAT_HOOK": "https://chat.example/s3cret",
        "https_proxy": "http://desk:s3cret@proxy.example",
        "LC_S3CRET_KEY": "s3cret",
    }
    plain = {"PATH": os.environ["PATH"], "HOME": "/home/desk", "LC_TIME": "C.UTF-8", "TZ": "Europe/Lisbon"}
    told = tmp_path / "told"
    command = ["sh", "-c", 'env > "$0"', str(told)]
    run_command(command, b"{}", 60.0, command_environment(secrets | plain))
    assert "s3cret" not in told.read_text().lower()
    for name, text in plain.items():
        assert f"{name}={text}\n" in told.read_text()
    named = {"COPYDESK_COMMAND_ENVIRONMENT": "CHAT_HOOK, DESK_NAME\nNOT_SET", "DESK_NAME": "North"}
    run_command(command, b"{}", 60.0, command_environment(secrets | plain | named))
    lines = told.read_text().splitlines()
    assert "DESK_NAME=North" in lines
    assert [line for line in lines if "s3cret" in line] == ["CHAT_HOOK=https://chat.example/s3cret"]


@pytest.mark.parametrize("name", ["COPYDESK_TOKEN", "COPYDESK_DB", "PGPASSWORD", "KEY=s3cret", "*"])
def test_settings_of_copydesk_cannot_be_named_for_commands(name: str) -> None:
    with pytest.raises(OperatorError, match=r"^COPYDESK_COMMAND_ENVIRONMENT: ") as failed:
        command_environment({"COPYDESK_COMMAND_ENVIRONMENT": f"HOME {name}"})
    assert "s3cret" not in str(failed.value)
