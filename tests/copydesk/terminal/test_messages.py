"""Messages are one line, and show no password that was typed."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from copydesk.cli import app
from copydesk.terminal.messages import escaped, safe_line, without_passwords

SECRET = "Zq7xKw"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("postgresql://desk:Zq7xKw@db/news: no such file", "postgresql://desk:***@db/news: no such file"),
        ("(postgresql://desk:Zq@7xKw@db/news)", "(postgresql://desk:***@db/news)"),
        ("'postgresql:///news?password=Zq7xKw&user=desk'", "'postgresql:///news?password=***&user=desk'"),
        ("postgresql:///news?sslpassword=Zq7xKw", "postgresql:///news?sslpassword=***"),
        ("host=db password=Zq7xKw", "host=db password=***"),
        ("https://www.example.com:8443/a?b=c@d", "https://www.example.com:8443/a?b=c@d"),
        ("sqlite:///news.db", "sqlite:///news.db"),
    ],
)
def test_passwords_are_hidden(text: str, said: str) -> None:
    assert without_passwords(text) == said


def test_a_message_is_one_line() -> None:
    assert safe_line("a\nb\r\x1b[31m\u2028\u202e\udcff é") == "a\\nb\\r\\x1b[31m\\u2028\\u202e\\udcff é"
    assert escaped("plain, ünïcode 日本") == "plain, ünïcode 日本"


@pytest.mark.parametrize(
    "arguments",
    [
        ["stats", f"postgresql://desk:{SECRET}@db/news"],
        [f"postgresql://desk:{SECRET}@db/news"],
        ["db", "check", f"postgresql:///news?password={SECRET}"],
        ["db", f"postgresql://desk:{SECRET}@db/news"],
        ["stats", f"--postgresql://desk:{SECRET}@db/news"],
        ["search", "ferry", "--limit", f"postgresql://desk:{SECRET}@db/news"],
    ],
)
def test_a_mistyped_command_shows_no_password(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert SECRET not in done.output.replace("\n", "")
