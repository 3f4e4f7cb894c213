"""Messages to a webhook: their signature, and what a receiver may do."""

from __future__ import annotations

import base64
import secrets as random
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import trustme
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from crawler.notifications import Reach, SendFailed, check_url, post
from crawler.notifications.webhook import MAX_ANSWER_BYTES, parse_secrets, signed_headers
from pipeline.errors import OperatorError
from tests.crawler.notifications.conftest import LOOPBACK, server_context
from tests.crawler.notifications.hook import Hook, listening


def secret(size: int = 32) -> str:
    return f"whsec_{base64.b64encode(random.token_bytes(size)).decode()}"


def send(url: str, message: bytes = b"{}", seconds: float = 60.0, reach: Reach = LOOPBACK) -> None:
    post(url, message, {}, reach=reach, seconds=seconds)


def failure(url: str, seconds: float = 60.0, reach: Reach = LOOPBACK) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        send(url, seconds=seconds, reach=reach)
    assert "secret" not in str(caught.value)
    return caught.value


def test_a_user_and_a_password_are_sent_as_a_login_and_never_shown(hook: Hook) -> None:
    place = f"127.0.0.1:{hook.port}"
    send(f"http://desk:secret%3A%40@{place}/hook")
    [(headers, _)] = hook.requests
    assert headers["authorization"] == f"Basic {base64.b64encode(b'desk:secret:@').decode()}"
    assert headers["host"] == place
    hook.status = 401
    assert str(failure(f"http://desk:secret@{place}/hook")) == "answered 401 Unauthorized"
    for address in ("http://desk:secret@name.invalid/", "http://secret@name.invalid:8080/"):
        assert str(failure(address)).startswith("name.invalid: ")


def test_a_receiver_verifies_the_signature_with_each_secret_and_no_other(hook: Hook) -> None:
    new, old = secret(24), secret(64)
    message = '{"type":"story.matched","data":{"title":"Fähre läuft auf"}}'.encode()
    headers = signed_headers((new, old), "msg_1", message, datetime.now(UTC))
    post(hook.url, message, headers, reach=LOOPBACK, seconds=60)
    [(received, body)] = hook.requests
    assert body == message
    assert received["webhook-id"] == "msg_1"
    assert received["content-type"] == "application/json"
    for key in (new, old):
        assert Webhook(key).verify(body, received)["type"] == "story.matched"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret()).verify(body, received)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(body + b" ", received)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(body, {**received, "webhook-id": "msg_2"})


def test_the_signature_is_that_of_the_specification() -> None:
    # Its example, with the tests of the reference library.
    headers = signed_headers(
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        datetime.fromtimestamp(1614265330, UTC).astimezone(),
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert "webhook-signature" not in signed_headers((), "msg_1", b"{}", datetime.now(UTC))


@pytest.mark.parametrize(
    "wrong",
    [
        "hunter2",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_****",
        f"whsec_{base64.b64encode(bytes(65)).decode()}",
        base64.b64encode(bytes(32)).decode(),
    ],
)
def test_a_wrong_secret_is_refused_and_not_repeated(wrong: str) -> None:
    with pytest.raises(OperatorError, match=r"^X: a secret is whsec_") as caught:
        parse_secrets(f"{secret()} {wrong}", "X")
    assert wrong.removeprefix("whsec_") == "" or wrong not in str(caught.value)
    assert parse_secrets(" ", "X") == ()


def test_a_redirect_is_refused(hook: Hook) -> None:
    for hook.status in (301, 302, 303, 307, 308):
        failed = failure(hook.url)
        assert f"answered {hook.status}" in str(failed)
        assert "give the new address" in str(failed)
        assert not failed.permanent
    assert len(hook.told) == 5  # urllib would follow with GET, without the message


@pytest.mark.parametrize(
    ("status", "permanent", "of_receiver"),
    [
        (410, True, True),
        (413, True, False),
        (400, False, False),
        (404, False, False),
        (429, False, True),
        (500, False, True),
        (503, False, True),
        (599, False, False),
    ],
)
def test_what_an_answer_means(hook: Hook, status: int, permanent: bool, of_receiver: bool) -> None:
    hook.status = status
    failed = failure(hook.url)
    assert (failed.permanent, failed.of_receiver) == (permanent, of_receiver)
    assert f"answered {status}" in str(failed)


def test_retry_after_is_read_as_a_number_and_as_a_date(hook: Hook) -> None:
    hook.status = 503
    later = datetime.now(UTC) + timedelta(hours=1)
    for value, least, most in (
        ("120", 120, 120),
        (format_datetime(later, usegmt=True), 3500, 3600),
        (format_datetime(later - timedelta(days=1), usegmt=True), 0, 0),
        ("9" * 90, 1e80, 1e90),
    ):
        hook.headers = {"Retry-After": value}
        seconds = failure(hook.url).retry_after
        assert seconds is not None
        assert least <= seconds <= most
    for value in ("soon", "-1", "1e3", "٣"):
        hook.headers = {"Retry-After": value.encode().decode("latin-1")}
        assert failure(hook.url).retry_after is None


def test_a_slow_receiver_is_left_after_the_time_in_all(hook: Hook) -> None:
    hook.drip = True
    begun = time.monotonic()
    assert failure(hook.url, seconds=1.0).of_receiver
    assert time.monotonic() - begun < 30
    hook.drip = False
    with socket.create_server(("127.0.0.1", 0)) as silent:
        failed = failure(f"http://127.0.0.1:{silent.getsockname()[1]}/secret", seconds=0.5)
        assert "no answer within 0.5 s" in str(failed)
        failed = failure(f"https://127.0.0.1:{silent.getsockname()[1]}/secret", seconds=0.5)
        assert "no answer within 0.5 s" in str(failed)


def test_no_thread_and_no_connection_is_left_behind(hook: Hook) -> None:
    before = threading.active_count()
    hook.drip = True
    for _ in range(3):
        failure(hook.url, seconds=0.3)
    hook.drip = False
    end = time.monotonic() + 60
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_an_answer_without_an_end_is_read_in_bounds_and_is_an_acceptance(hook: Hook) -> None:
    hook.status, hook.body = 200, b"x" * 50_000
    send(hook.url)
    assert hook.sent < MAX_ANSWER_BYTES + 20_000_000  # what the buffers of both sides hold
    hook.status = 500
    assert failure(hook.url).of_receiver


def test_an_answer_that_is_no_http_is_a_failure() -> None:
    for answer in (b"220 mail.example ESMTP\r\n", b"", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000):
        with socket.create_server(("127.0.0.1", 0)) as server:

            def say(server: socket.socket = server, answer: bytes = answer) -> None:
                connection, _ = server.accept()
                with connection:
                    connection.recv(10_000)
                    connection.sendall(answer)

            thread = threading.Thread(target=say, daemon=True)
            thread.start()
            assert failure(f"http://127.0.0.1:{server.getsockname()[1]}/secret").of_receiver
            thread.join(60)


def test_tls_checks_the_authority_and_the_host_name(
    authority: trustme.CA,
    hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    with listening(server_context(authority, "127.0.0.1")) as good:
        assert "certificate" in str(failure(good.url))  # the authority is unknown
        file = tmp_path / "authority.pem"
        authority.cert_pem.write_to_path(str(file))
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        send(good.url, b'{"a": 1}')
        assert good.told == [("application/json", {"a": 1})]
        assert "127.0.0.1" in str(failure(hook.url.replace("http:", "https:")))  # speaks no TLS
    with listening(server_context(authority, "other.example")) as other:
        assert "certificate is not valid for '127.0.0.1'" in str(failure(other.url))
        assert other.told == []


def test_a_slow_receiver_is_left_under_tls_too(trusted: trustme.CA) -> None:
    with listening(server_context(trusted, "127.0.0.1")) as slow:
        slow.drip = True
        assert "no answer within 0.7 s" in str(failure(slow.url, seconds=0.7))


def test_addresses_that_are_not_public_are_refused(hook: Hook) -> None:
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0"):
        failed = failure(f"http://{host}:{hook.port}/hook?token=secret", reach=Reach())
        assert "COPYDESK_NOTIFY_PRIVATE_ADDRESSES" in str(failed), host
    assert hook.told == []
    send(hook.url.replace("127.0.0.1", "localhost"))
    send(hook.url, reach=Reach.anywhere())
    assert len(hook.told) == 2


def test_a_name_that_is_public_when_it_is_checked_is_not_resolved_again(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def rebinding(host: str, port: int, **options: int) -> object:
        """The name has a public address the first time that it is asked for, and loopback's after that."""
        asked.append(host)
        return resolve("192.0.2.1" if len(asked) == 1 else "127.0.0.1", port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    # 192.0.2.1 stands for a public address: nobody answers there.
    reach = Reach((ip_network("192.0.2.0/24"),))
    failed = failure(f"http://rebinding.example:{hook.port}/", seconds=1.0, reach=reach)
    assert asked == ["rebinding.example"]
    assert "no answer" in str(failed) or "cannot be reached" in str(failed)
    failed = failure(f"http://rebinding.example:{hook.port}/", reach=reach)
    assert "is not on the public internet" in str(failed)
    assert hook.told == []


def test_proxies_of_the_environment_are_used_only_if_allowed(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{hook.port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    send("http://hooks.example/x", b'{"a": 1}', reach=Reach(proxies=True))
    assert hook.told == [("application/json", {"a": 1})]
    assert hook.requests[0][0]["host"] == "hooks.example"
    for host in ("169.254.169.254", "10.0.0.1", "localhost"):
        failed = failure(f"http://{host}/x", reach=Reach(proxies=True))
        assert "is not on the public internet" in str(failed)
    assert "resolved" in str(failure("http://hooks.invalid/x", reach=Reach()))
    assert len(hook.told) == 1


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo

    def two(host: str, port: int, **options: int) -> list[Any]:
        # Nobody answers at 192.0.2.1, which is kept for documentation.
        return [*resolve("192.0.2.1", port, **options), *resolve("127.0.0.1", port, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    reach = Reach((*LOOPBACK.networks, ip_network("192.0.2.0/24")))
    send(f"http://hooks.example:{hook.port}/", seconds=4.0, reach=reach)
    assert len(hook.told) == 1


def test_a_port_where_nobody_listens(hook: Hook) -> None:
    failed = failure("http://127.0.0.1:9/secret")
    assert "127.0.0.1 cannot be reached: Connection refused" in str(failed)
    assert failed.of_receiver


def test_invalid_urls_are_reported() -> None:
    assert check_url("https://hooks.example/x", "X") == "https://hooks.example/x"
    for wrong in (
        "hooks.example/x",
        "file:///etc/passwd",
        "https://",
        "http://[x/",
        "https://a/\nb",
        "https://a/b c",
    ):
        with pytest.raises(OperatorError, match=r"^X: no http\(s\) URL"):
            check_url(wrong, "X")
