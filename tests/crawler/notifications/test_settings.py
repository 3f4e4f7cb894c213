"""Settings of notifications."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from crawler.notifications import Reach, SmtpServer, from_environment
from pipeline.errors import OperatorError

SECRET = f"whsec_{base64.b64encode(b'hunter2 hunter2 hunter2 hunter2').decode()}"
_SERVER = {"COPYDESK_SMTP_URL": "smtp://mail.example"}
_LOGIN = {"COPYDESK_SMTP_URL": "smtp://news@mail.example"}
MAIL = {"COPYDESK_MAIL_FROM": "news@desk.example"}


def test_nothing_is_needed() -> None:
    settings = from_environment({})
    assert (settings.secrets, settings.smtp, settings.reach) == ((), None, Reach())
    assert (settings.commands, settings.seconds, settings.digest_hour) == (True, 20.0, 7)


def test_secrets_stand_in_the_environment_or_in_files_and_are_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text(f"{SECRET}\n{SECRET}\n")
    assert from_environment({"COPYDESK_WEBHOOK_SECRET": SECRET}).secrets == (SECRET,)
    settings = from_environment({"COPYDESK_WEBHOOK_SECRET_FILE": str(file)})
    assert settings.secrets == (SECRET, SECRET)
    assert SECRET not in repr(settings)
    password = tmp_path / "password"
    password.write_text("hunter2\n")
    url = {"COPYDESK_SMTP_URL": "smtps://news%40desk.example@mail.example", **MAIL}
    for given in (
        {"COPYDESK_SMTP_PASSWORD": "hunter2"},
        {"COPYDESK_SMTP_PASSWORD_FILE": str(password)},
    ):
        settings = from_environment({**url, **given})
        assert settings.smtp == SmtpServer(
            "smtps", "mail.example", 465, "news@desk.example", "news@desk.example", "hunter2"
        )
        assert "hunter2" not in repr(settings)


def test_mail_servers() -> None:
    def server(url: str) -> tuple[str, str, int]:
        smtp = from_environment({"COPYDESK_SMTP_URL": url, **MAIL}).smtp
        assert smtp is not None
        return smtp.scheme, smtp.host, smtp.port

    assert server("smtp://mail.example") == ("smtp", "mail.example", 587)
    assert server("smtps://mail.example:4650/") == ("smtps", "mail.example", 4650)
    assert server("smtp+plain://127.0.0.1") == ("smtp+plain", "127.0.0.1", 25)
    assert server("smtp+plain://[::1]:2525") == ("smtp+plain", "::1", 2525)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"COPYDESK_WEBHOOK_SECRET": "hunter2"}, "COPYDESK_WEBHOOK_SECRET: a secret is"),
        (
            {"COPYDESK_WEBHOOK_SECRET_FILE": "/nowhere/x"},
            "_FILE: /nowhere/x: cannot be read",
        ),
        ({**_LOGIN, "COPYDESK_SMTP_PASSWORD": "hunter2", "COPYDESK_SMTP_PASSWORD_FILE": "x"}, "both set"),
        ({"COPYDESK_SMTP_URL": "smtps://news:hunter2@mail.example"}, "COPYDESK_SMTP_URL: holds a password"),
        ({"COPYDESK_SMTP_URL": "mail.example"}, "COPYDESK_SMTP_URL: no URL"),
        ({"COPYDESK_SMTP_URL": "https://mail.example"}, "COPYDESK_SMTP_URL: no URL"),
        ({"COPYDESK_SMTP_URL": "smtp://[x"}, "COPYDESK_SMTP_URL: no URL"),
        ({"COPYDESK_SMTP_URL": "smtp://mail.example/path"}, "COPYDESK_SMTP_URL: has more"),
        (
            {"COPYDESK_SMTP_URL": "smtp+plain://news@mail.example", "COPYDESK_SMTP_PASSWORD": "hunter2"},
            "login without TLS",
        ),
        (_LOGIN, "are empty"),
        ({**_LOGIN, "COPYDESK_SMTP_PASSWORD": "hunter2ö"}, "ASCII"),
        ({**_SERVER, "COPYDESK_MAIL_FROM": ""}, "COPYDESK_MAIL_FROM: mail needs"),
        ({**_SERVER, "COPYDESK_MAIL_FROM": "x"}, "COPYDESK_MAIL_FROM: 'x' is no"),
        ({"COPYDESK_NOTIFY_PRIVATE_ADDRESSES": "10.0.0.1/8"}, "COPYDESK_NOTIFY_PRIVATE_ADDRESSES: "),
        ({"COPYDESK_NOTIFY_PRIVATE_ADDRESSES": "localhost"}, "COPYDESK_NOTIFY_PRIVATE_ADDRESSES: "),
        ({"COPYDESK_DIGEST_HOUR": "24"}, "COPYDESK_DIGEST_HOUR: '24' is no number from 0 to 23"),
        ({"COPYDESK_NOTIFY_SECONDS": "nan"}, "COPYDESK_NOTIFY_SECONDS: "),
    ],
)
def test_mistakes_are_reported_without_secrets(given: dict[str, str], message: str) -> None:
    with pytest.raises(OperatorError) as caught:
        from_environment({**MAIL, **given})
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_addresses_that_may_be_reached() -> None:
    def reach(text: str) -> Reach:
        return from_environment({"COPYDESK_NOTIFY_PRIVATE_ADDRESSES": text}).reach

    assert not reach("0").allows("127.0.0.1")
    assert reach("").allows("93.184.216.34")
    relay = reach("127.0.0.1, fd00::/8")
    assert relay.allows("127.0.0.1")
    assert relay.allows("::ffff:127.0.0.1")
    assert relay.allows("fd00::1")
    assert not relay.allows("127.0.0.2")
    assert not relay.allows("169.254.169.254")
    assert not relay.allows("localhost")
    everywhere = reach("1")
    assert everywhere.allows("10.0.0.1")
    assert everywhere.allows("fe80::1%eth0")
    assert everywhere.allows_host("localhost")
    assert not relay.allows_host("localhost")
    assert from_environment({"COPYDESK_USE_PROXY": "1"}).reach.proxies
    assert not from_environment({"COPYDESK_NOTIFY_COMMANDS": "0"}).commands
