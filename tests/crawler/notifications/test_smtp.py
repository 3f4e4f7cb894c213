"""Mail handed to a server, with TLS and login."""

from __future__ import annotations

import socket
import threading
from email.message import EmailMessage

import pytest
import trustme

from crawler.notifications import Reach, SendFailed, SmtpServer
from crawler.notifications.smtp import send_mail
from tests.crawler.notifications.conftest import LOOPBACK, server_context
from tests.crawler.notifications.postbox import PASSWORD, USER, Postbox, taking_mail

# aiosmtpd does not count TLS from the start.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

READER = "reader@desk.example"


def mail() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = USER, READER, "Fähre"
    made.set_content("Die Fähre läuft auf.\n.\nEnde\n")
    return made


def server(postbox: Postbox, scheme: str, *, user: str | None = USER, password: str = PASSWORD) -> SmtpServer:
    return SmtpServer(scheme, "127.0.0.1", postbox.port, USER, user, password if user else None)


def failure(to: SmtpServer, seconds: float = 60.0, reach: Reach = LOOPBACK) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        send_mail(mail(), READER, to, reach=reach, seconds=seconds)
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_mail_goes_by_starttls_and_by_tls_from_the_start_with_a_login(trusted: trustme.CA) -> None:
    context = server_context(trusted, "127.0.0.1")
    with taking_mail(starttls=context, login=True) as postbox:
        send_mail(mail(), READER, server(postbox, "smtp"), reach=LOOPBACK, seconds=60)
        assert len(postbox.logins) == 1
        [(sender, recipient, got)] = postbox.taken
        assert (sender, recipient, got["Subject"]) == (USER, READER, "Fähre")
        assert got.get_content().splitlines() == ["Die Fähre läuft auf.", ".", "Ende"]
    with taking_mail(implicit=context, login=True) as postbox:
        send_mail(mail(), READER, server(postbox, "smtps"), reach=LOOPBACK, seconds=60)
        assert len(postbox.taken) == 1
        assert len(postbox.logins) == 1


def test_a_wrong_password_is_a_failure_that_can_be_mended(trusted: trustme.CA) -> None:
    with taking_mail(starttls=server_context(trusted, "127.0.0.1"), login=True) as postbox:
        failed = failure(server(postbox, "smtp", password="guess"))
        assert "refused the login of news@desk.example (535)" in str(failed)
        assert (failed.permanent, failed.of_receiver) == (False, True)
        assert postbox.taken == []


def test_nothing_is_sent_without_the_tls_that_was_asked_for() -> None:
    with taking_mail() as postbox:
        assert "STARTTLS" in str(failure(server(postbox, "smtp")))
        assert failure(server(postbox, "smtps")).of_receiver
        assert postbox.taken == []
        send_mail(mail(), READER, server(postbox, "smtp+plain", user=None), reach=LOOPBACK, seconds=60)
        assert len(postbox.taken) == 1


def test_tls_checks_the_authority_and_the_host_name(authority: trustme.CA) -> None:
    good = server_context(authority, "127.0.0.1")
    with taking_mail(starttls=good, login=True) as postbox:
        assert "certificate" in str(failure(server(postbox, "smtp")))
        assert postbox.logins == []
    with taking_mail(implicit=good, login=True) as postbox:
        assert "certificate" in str(failure(server(postbox, "smtps")))


def test_a_certificate_of_another_host(trusted: trustme.CA) -> None:
    other = server_context(trusted, "mail.example")
    with taking_mail(starttls=other, login=True) as postbox:
        assert "not valid for '127.0.0.1'" in str(failure(server(postbox, "smtp")))
        assert postbox.logins == []
    with taking_mail(implicit=other, login=True) as postbox:
        assert "not valid for '127.0.0.1'" in str(failure(server(postbox, "smtps")))


def test_what_is_refused_for_good_is_not_tried_again() -> None:
    with taking_mail() as postbox:
        to = server(postbox, "smtp+plain", user=None)
        postbox.refused[READER] = "550 5.1.1 no such user"
        failed = failure(to)
        assert (failed.permanent, failed.of_receiver) == (True, False)
        assert f"refused the recipient {READER}: 550 5.1.1 no such user" in str(failed)
        postbox.refused[READER] = "450 4.2.1 mailbox is busy"
        assert not failure(to).permanent
        postbox.refused.clear()
        postbox.answer = "554 5.7.1 looks like spam\x1b[31m"
        failed = failure(to)
        assert failed.permanent
        assert str(failed).isprintable()
        postbox.answer = "452 4.3.1 disk is full"
        assert not failure(to).permanent
        assert postbox.taken == []


def test_private_addresses_and_silent_servers() -> None:
    with taking_mail() as postbox:
        to = server(postbox, "smtp+plain", user=None)
        assert "COPYDESK_NOTIFY_PRIVATE_ADDRESSES" in str(failure(to, reach=Reach()))
        assert postbox.taken == []
    for scheme in ("smtp", "smtps", "smtp+plain"):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            to = SmtpServer(scheme, "127.0.0.1", silent.getsockname()[1], USER)
            failed = failure(to, seconds=0.5)
            assert "no answer within 0.5 s" in str(failed)
            assert failed.of_receiver


def test_a_server_that_goes_away_after_it_took_the_mail_has_taken_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"220 here\r\n")
                is_text = False
                for line in lines:
                    if is_text and line != b".\r\n":
                        continue
                    if line == b".\r\n":
                        connection.sendall(b"250 taken\r\n")
                        return
                    is_text = line.upper().startswith(b"DATA")
                    connection.sendall(b"354 go on\r\n" if is_text else b"250 yes\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        to = SmtpServer("smtp+plain", "127.0.0.1", listener.getsockname()[1], USER)
        send_mail(mail(), READER, to, reach=LOOPBACK, seconds=60)
        thread.join(60)
