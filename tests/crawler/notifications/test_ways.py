"""Ways out as they are written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crawler.notifications import parse_way, shown_way
from crawler.notifications.ways import Command, Digest, Feed, Mail, Webhook
from pipeline.errors import OperatorError


@pytest.mark.parametrize(
    ("text", "way", "shown"),
    [
        (
            "webhook:https://hooks.example:8443/news?to=desk",
            Webhook("https://hooks.example:8443/news?to=desk"),
            "webhook at hooks.example",
        ),
        ("webhook:$CHAT_HOOK", Webhook(variable="CHAT_HOOK"), "webhook $CHAT_HOOK"),
        ("webhook:@/etc/news/hook", Webhook(file=Path("/etc/news/hook")), "webhook @/etc/news/hook"),
        ("command:tell 'the desk' $HOME", Command(("tell", "the desk", "$HOME")), "command tell"),
        ("mail:desk@news.example", Mail("desk@news.example"), "mail to desk@news.example"),
        (
            "mail:a+b@x.example?digest=daily",
            Mail("a+b@x.example", Digest.DAILY),
            "mail to a+b@x.example",
        ),
        (
            "mail:desk@bücher.example?digest=hourly",
            Mail("desk@xn--bcher-kva.example", Digest.HOURLY),
            "mail to desk@xn--bcher-kva.example",
        ),
        (" feed ", Feed(), "feed"),
    ],
)
def test_ways(text: str, way: object, shown: str) -> None:
    parsed = parse_way(text)
    assert parsed == way
    assert shown_way(parsed) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "feed:x",
        "webhook:",
        "webhook:ftp://hooks.example/x",
        "webhook:hooks.example",
        "webhook:$",
        "webhook:$A-B",
        "webhook:@relative/file",
        "command:",
        "command:say 'it",
        "mail:",
        "mail:desk",
        "mail:desk@",
        "mail:@news.example",
        "mail:a@b.example,c@d.example",
        "mail:a@b.example\nBcc: c@d.example",
        "mail:<a@b.example>",
        "mail:Desk <a@b.example>",
        "mail:a b@c.example",
        "mail:ä@news.example",
        f"mail:{'a' * 300}@news.example",
        "mail:a@news.example?digest=weekly",
        "mail:a@news.example?digest=daily&digest=hourly",
        "mail:a@news.example?subject=x",
        "https://hooks.example/x",
    ],
)
def test_what_is_no_way_is_refused(text: str) -> None:
    with pytest.raises(OperatorError):
        parse_way(text)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@hooks.example/x",
        "https://hunter2@hooks.example/x",
        "https://hooks.example/x?token=hunter2",
        "https://hooks.example/x?api_key=hunter2",
        "https://hooks.chat.example/services/T00000000/B00000000/hunter2XXXXXXXXXXXXXXXXXX",
        "https://chat.example/api/webhooks/1180000000000000000/hunter2_Kq-7Zr0LmXv4TgYw-9bNcS1dFhJ3pQ",
        "https://api.chat.example/bot110201543:AAHdqTcvhunter2GWJxfSeofSAs0K5PALDsaw/sendMessage",
        "https://hooks.example/0b0a4ab6-51b5-4f2b-8f5d-5a77hunter2".replace("hunter2", "00000002"),
    ],
)
def test_a_url_that_holds_a_secret_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(OperatorError, match=r"webhook:\$NAME") as caught:
        parse_way(f"webhook:{url}")
    assert "hunter2" not in str(caught.value)
    assert "00000002" not in str(caught.value)


def test_ordinary_urls_are_not_taken_for_secrets() -> None:
    for path in (
        "story-notifications-v2-production",
        "Copydesk-News-Production-2026",
        "StoryNotificationsOfTheDesk/v2",
        "a/b/c?keyword=x",
        "notificationsendpoint",
        "20261201120000000000",
    ):
        assert parse_way(f"webhook:https://hooks.example/{path}") == Webhook(f"https://hooks.example/{path}")


def test_a_url_is_no_part_of_what_is_shown() -> None:
    assert "hunter2" not in repr(Webhook("https://hooks.example/hunter2"))


def test_a_url_of_the_environment_is_read_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    way = Webhook(variable="CHAT_HOOK")
    monkeypatch.delenv("CHAT_HOOK", raising=False)
    with pytest.raises(OperatorError, match=r"^\$CHAT_HOOK: holds no URL"):
        way.current_url()
    monkeypatch.setenv("CHAT_HOOK", "https://user:hunter2@hooks.example/x")
    assert way.current_url() == "https://user:hunter2@hooks.example/x"
    monkeypatch.setenv("CHAT_HOOK", "hunter2")
    with pytest.raises(OperatorError, match=r"^\$CHAT_HOOK: no http") as caught:
        way.current_url()
    assert "hunter2" not in str(caught.value)
    with pytest.raises(OperatorError, match="settings"):
        parse_way("webhook:$COPYDESK_HOOK")  # `copydesk schedule` writes such variables into units


def test_a_url_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "hook"
    way = parse_way(f"webhook:@{file}")
    assert isinstance(way, Webhook)
    with pytest.raises(OperatorError, match="cannot be read"):
        way.current_url()
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(OperatorError, match="it is no text"):
        way.current_url()
    file.write_text("https://hooks.example/secret\n")
    assert way.current_url() == "https://hooks.example/secret"
    file.unlink()
    os.mkfifo(file)  # nobody writes into it
    with pytest.raises(OperatorError, match="no file"):
        way.current_url()
