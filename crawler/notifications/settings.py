"""What notifications are sent with: secrets, the mail server, what may be reached. All of it is in the
environment; secrets may stand in files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from crawler.notifications.command import command_environment
from crawler.notifications.connecting import PRIVATE_SETTING, Reach, parse_networks
from crawler.notifications.ways import check_address, read_secret
from crawler.notifications.webhook import parse_secrets
from pipeline.errors import OperatorError

_SMTP_URL = "COPYDESK_SMTP_URL"
_MAIL_FROM = "COPYDESK_MAIL_FROM"
_DIGEST_HOUR = "COPYDESK_DIGEST_HOUR"
_SECONDS = "COPYDESK_NOTIFY_SECONDS"

# What the scheme of COPYDESK_SMTP_URL means, and the usual port.
_SCHEMES = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
_SMTP_FORMS = (
    "write smtps://USER@HOST (TLS from the start), smtp://USER@HOST (STARTTLS), or smtp+plain://HOST (neither"
    " TLS nor login)"
)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The server that takes mail, and the address that it comes from.

    scheme: "smtps" for TLS from the start, "smtp" for STARTTLS, without which nothing is sent, "smtp+plain"
    for neither TLS nor login.
    """

    scheme: str
    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """What all ways out share.

    secrets: those that webhooks are signed with, the current one first. smtp: None where no mail can be sent.
    reach: which addresses may be connected to. commands: whether commands may be run. environment: the
    variables that they get. seconds: longest time of one message. digest_hour: the hour of daily digests, in
    the local time of the machine.
    """

    secrets: tuple[str, ...] = field(default=(), repr=False)
    smtp: SmtpServer | None = None
    reach: Reach = field(default_factory=Reach)
    commands: bool = True
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    seconds: float = 20.0
    digest_hour: int = 7


def from_environment(environment: Mapping[str, str] | None = None) -> NotificationSettings:
    """The settings of the environment. Raises OperatorError for a wrong one; it holds no secret."""
    given = os.environ if environment is None else environment
    secrets = _secret(given, "COPYDESK_WEBHOOK_SECRET", "COPYDESK_WEBHOOK_SECRET_FILE")
    networks = parse_networks(given.get(PRIVATE_SETTING, ""))
    return NotificationSettings(
        secrets=parse_secrets(secrets or "", "COPYDESK_WEBHOOK_SECRET"),
        smtp=_smtp(given),
        reach=Reach(networks, proxies=_is_on(given, "COPYDESK_USE_PROXY", default=False)),
        commands=_is_on(given, "COPYDESK_NOTIFY_COMMANDS", default=True),
        environment=command_environment(given),
        seconds=_number(given, _SECONDS, 20.0, 1, 120),
        digest_hour=int(_number(given, _DIGEST_HOUR, 7, 0, 23)),
    )


def _smtp(given: Mapping[str, str]) -> SmtpServer | None:
    text = given.get(_SMTP_URL, "").strip()
    if not text:
        return None
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    # The message must not show the URL, which may hold a password.
    if scheme not in _SCHEMES or not host or port == 0 or not re.fullmatch(r"[\w.:-]+", host):
        raise OperatorError(f"{_SMTP_URL}: no URL of a mail server; {_SMTP_FORMS}")
    if parts.password is not None:
        raise OperatorError(
            f"{_SMTP_URL}: holds a password; move it to COPYDESK_SMTP_PASSWORD, or into a file"
        )
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise OperatorError(f"{_SMTP_URL}: has more than a user, a host and a port; {_SMTP_FORMS}")
    user = unquote(parts.username) if parts.username else None
    password = _secret(given, "COPYDESK_SMTP_PASSWORD", "COPYDESK_SMTP_PASSWORD_FILE")
    if scheme == "smtp+plain" and user:
        raise OperatorError(f"{_SMTP_URL}: a login without TLS shows the password to others; {_SMTP_FORMS}")
    if user and not password:
        raise OperatorError(
            f"{_SMTP_URL}: names a user, but COPYDESK_SMTP_PASSWORD and COPYDESK_SMTP_PASSWORD_FILE are empty"
        )
    if not (user or "").isascii() or not (password or "").isascii():
        raise OperatorError(f"{_SMTP_URL}: user and password must be ASCII")
    sender = given.get(_MAIL_FROM, "").strip()
    if not sender:
        raise OperatorError(f"{_MAIL_FROM}: mail needs the address that it comes from; set it")
    return SmtpServer(
        scheme,
        host,
        port or _SCHEMES[scheme],
        check_address(sender, _MAIL_FROM),
        user,
        password if user else None,
    )


def _secret(given: Mapping[str, str], name: str, file_name: str) -> str | None:
    """A variable, or the text of the file that the other variable names; None for neither."""
    file = given.get(file_name)
    if given.get(name) and file:
        raise OperatorError(f"{name} and {file_name} are both set; unset one of them")
    text = given.get(name) or (read_secret(Path(file), f"{file_name}: {file}") if file else "")
    return text.strip() or None


def _is_on(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    return given[name] not in ("0", "false") if given.get(name) else default


def _number(given: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    text = given.get(name) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise OperatorError(f"{name}: {text!r} is no number from {least:g} to {most:g}")
    return number
