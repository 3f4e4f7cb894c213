"""Who may see the desk is decided when it is started."""

from __future__ import annotations

import pytest

from copydesk.web.settings import DeskSettings, from_environment, is_loopback
from pipeline.errors import OperatorError

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    assert DeskSettings("sqlite://", host).token is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "desk.example"])
def test_any_other_address_needs_one(host: str) -> None:
    with pytest.raises(OperatorError, match="set COPYDESK_TOKEN"):
        DeskSettings("sqlite://", host)
    assert DeskSettings("sqlite://", host, token=TOKEN).allowed_hosts == {host}


def test_a_short_token_is_refused_and_none_is_shown() -> None:
    with pytest.raises(OperatorError, match="shorter than 16"):
        DeskSettings("sqlite://", token="short")
    assert TOKEN not in repr(DeskSettings("sqlite://", token=TOKEN))


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_TOKEN", TOKEN)
    monkeypatch.setenv("COPYDESK_HOSTS", "News.example, desk.example")
    monkeypatch.setenv("COPYDESK_CORS", "https://app.example")
    found = from_environment("sqlite:///a.db", "127.0.0.1", 8017)
    assert found.token == TOKEN
    assert {"news.example", "desk.example", "localhost"} <= found.allowed_hosts
    assert found.origins == ("https://app.example",)
