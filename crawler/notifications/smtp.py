"""Sends mail by SMTP, with TLS and login, to a server at an allowed address."""

from __future__ import annotations

import smtplib
import socket
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP

from crawler.notifications.connecting import Reach, TimeLimit, connect, reason_of, time_limit
from crawler.notifications.errors import SendFailed
from crawler.notifications.settings import SmtpServer


def send_mail(
    mail: EmailMessage, recipient: str, server: SmtpServer, *, reach: Reach, seconds: float
) -> None:
    """Hand the mail to the server, for one recipient.

    Raises SendFailed if it is not accepted, and after so many seconds in all: permanent where the server
    refused the recipient or the mail for good. Its text has no password.
    """
    # Flattened before anything is connected: a header that cannot be written is no failure of the server.
    text = mail.as_bytes(policy=SMTP)
    with time_limit(seconds) as limit:
        try:
            session = _Session(server, reach, limit)
            try:
                if server.scheme == "smtp":
                    session.starttls(context=session.context)
                if server.user is not None and server.password is not None:
                    session.login(server.user, server.password)
                session.sendmail(server.sender, [recipient], text)
            finally:
                # Whether the mail was accepted is known, whatever becomes of the farewell.
                with suppress(OSError):
                    session.quit()
                session.close()
        except smtplib.SMTPAuthenticationError as error:
            # Its text may repeat what was sent.
            raise SendFailed(
                f"{server.host} refused the login of {server.user} ({error.smtp_code})", of_receiver=True
            ) from error
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise _refused(server, f"the recipient {recipient}", code, said, of_receiver=False) from error
        except smtplib.SMTPDataError as error:
            raise _refused(
                server, "the mail", error.smtp_code, error.smtp_error, of_receiver=False
            ) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(server, "to serve", error.smtp_code, error.smtp_error, of_receiver=True) from error
        except smtplib.SMTPException as error:
            # Of the library's own words, not the server's.
            raise SendFailed(f"{server.host}: {_one_line(str(error))}", of_receiver=True) from error
        except (OSError, ValueError) as error:
            raise SendFailed(f"{server.host}: {reason_of(error)}", of_receiver=True) from error


class _Session(smtplib.SMTP):
    """A session with an allowed address. TLS checks the certificate and the host's name."""

    def __init__(self, server: SmtpServer, reach: Reach, limit: TimeLimit) -> None:
        self.reach = reach
        self.limit = limit
        self.is_tls = server.scheme == "smtps"
        self.context = ssl.create_default_context()
        name = socket.gethostname()
        # As RFC 5321, 4.1.3, wants it of a client that knows no full name of its own.
        own = name if "." in name and name.isascii() else "[127.0.0.1]"
        super().__init__(server.host, server.port, local_hostname=own, timeout=limit.seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = connect(host, port, self.reach, self.limit)
        return self.context.wrap_socket(connection, server_hostname=host) if self.is_tls else connection


def _refused(server: SmtpServer, what: str, code: int, said: bytes | str, *, of_receiver: bool) -> SendFailed:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    if server.password:
        text = text.replace(server.password, "[password]")
    return SendFailed(
        f"{server.host} refused {what}: {code} {_one_line(text)}",
        permanent=code >= 500 and not of_receiver,
        of_receiver=of_receiver,
    )


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text[:1000]).split())[:200]
