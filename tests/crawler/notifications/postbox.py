"""A mail server on loopback, by aiosmtpd."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "news@desk.example", "pass:w%rd"


@dataclass
class Postbox:
    """What a mail server got, and how it answers.

    taken: sender, recipient and mail of each. refused: answers by recipient. answer: what it says of a mail.
    logins: the mechanism of each try to log in.
    """

    port: int = 0
    taken: list[tuple[str, str, EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    answer: str = "250 OK"
    logins: list[str] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            content = cast("bytes", envelope.original_content)
            mail = cast("EmailMessage", message_from_bytes(content, policy=cast("Any", default)))
            assert envelope.mail_from is not None
            self.raw.append(content)
            self.taken += [(envelope.mail_from, recipient, mail) for recipient in envelope.rcpt_tos]
        return self.answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        is_good = isinstance(given, LoginPassword) and (given.login, given.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        self.logins.append(mechanism)
        # handled: the server itself answers a refusal.
        return AuthResult(success=is_good, handled=False)


class _Controller(Controller):
    """A controller on a port that the system chose."""

    def _trigger_server(self) -> None:
        listening: Any = self.server
        self.port = listening.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def taking_mail(
    *, starttls: ssl.SSLContext | None = None, implicit: ssl.SSLContext | None = None, login: bool = False
) -> Iterator[Postbox]:
    """Serve SMTP: in the clear, with STARTTLS (required), or with TLS from the start."""
    postbox = Postbox()
    options: dict[str, Any] = {"auth_required": login, "authenticator": postbox.authenticate} if login else {}
    if implicit is not None and login:
        options["auth_require_tls"] = False  # it does not count TLS from the start
    controller = _Controller(
        postbox,
        hostname="127.0.0.1",
        port=0,
        ssl_context=implicit,
        tls_context=starttls,
        require_starttls=starttls is not None,
        **options,
    )
    controller.start()
    try:
        postbox.port = controller.port
        yield postbox
    finally:
        controller.stop()
