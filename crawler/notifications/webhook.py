"""Posts messages to webhooks, signed after the Standard Webhooks specification 1.0.0
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
"""

from __future__ import annotations

import base64
import binascii
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from crawler.notifications.connecting import (
    Reach,
    TimeLimit,
    connect,
    not_allowed_message,
    reason_of,
    time_limit,
)
from crawler.notifications.errors import SendFailed
from pipeline.errors import OperatorError

# Bytes that are read of an answer. What they say is not used.
MAX_ANSWER_BYTES = 65_536

# The same request will not be accepted later: the method, its length or its type are refused, or the receiver
# wants no more of them (410).
PERMANENT = frozenset({405, 410, 413, 414, 415, 431, 501, 505})
# The receiver is down or wants fewer requests; it says nothing about the message.
_OF_RECEIVER = frozenset({408, 410, 421, 425, 429, 500, 502, 503, 504})

# The specification asks for 24 to 64 bytes.
_LEAST_SECRET, _MOST_SECRET = 24, 64


def check_url(url: str, where: str) -> str:
    """Return the URL. where: what names it, for the message. Raises OperatorError unless it is http(s)."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or not url.isascii() or not url.isprintable() or " " in url:
        raise OperatorError(f"{where}: no http(s) URL; write a whole one, https://HOST/PATH")
    return url


def parse_secrets(text: str, where: str) -> tuple[str, ...]:
    """Return the secrets, which stand between blanks; the first is the current one.

    Raises OperatorError for one that is not `whsec_` and 24 to 64 bytes in base64. It does not say which one.
    """
    secrets = tuple(text.split())
    for secret in secrets:
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not secret.startswith("whsec_") or not _LEAST_SECRET <= len(key) <= _MOST_SECRET:
            raise OperatorError(
                f"{where}: a secret is whsec_ and {_LEAST_SECRET} to {_MOST_SECRET} bytes in base64; make one"
                ' with: echo "whsec_$(openssl rand -base64 32)"'
            )
    return secrets


def signed_headers(secrets: Sequence[str], message_id: str, message: bytes, at: datetime) -> dict[str, str]:
    """Return the headers of an attempt at that time: its id, its time, and a signature for each secret."""
    headers = {"webhook-id": message_id, "webhook-timestamp": str(int(at.timestamp()))}
    if secrets:
        from standardwebhooks import Webhook

        text = message.decode()
        # The library reads the time without its zone.
        signatures = [Webhook(secret).sign(message_id, at.astimezone(UTC), text) for secret in secrets]
        headers["webhook-signature"] = " ".join(signatures)
    return headers


def post(url: str, message: bytes, headers: Mapping[str, str], *, reach: Reach, seconds: float) -> None:
    """Post the message as JSON. Redirects are not followed.

    A user and a password in the URL are sent as Basic authentication (RFC 7617). Raises SendFailed if it is
    not accepted, and after so many seconds in all. Its text names no more of the URL than its host, because
    many webhooks have a secret in their address.
    """
    url, login = _split_login(url)
    host = urlsplit(url).hostname or ""
    # The addresses that a proxy connects to are not seen here, so the host's name has to do.
    if reach.proxies and not reach.allows_host(host):
        raise SendFailed(not_allowed_message(host), of_receiver=True)
    all_headers = {"Content-Type": "application/json", "User-Agent": "copydesk/0.1", **login, **headers}
    request = urllib.request.Request(url, message, all_headers, method="POST")
    with time_limit(seconds) as limit:
        try:
            answer = _opener(reach, limit).open(request, timeout=seconds)
            if limit.is_over:  # headers that were cut off look like their end
                raise TimeoutError
            # It is accepted, whatever becomes of the rest; some servers take unread bytes for an error.
            with answer, suppress(OSError, http.client.HTTPException):
                answer.read(MAX_ANSWER_BYTES)
        except urllib.error.HTTPError as error:
            with error:
                raise _failure(error) from error
        except urllib.error.URLError as error:
            why = reason_of(error.reason if isinstance(error.reason, BaseException) else error)
            raise SendFailed(f"{host}: {why}", of_receiver=True) from error
        except (OSError, http.client.HTTPException) as error:
            raise SendFailed(f"{host}: {reason_of(error)}", of_receiver=True) from error


def _split_login(url: str) -> tuple[str, dict[str, str]]:
    """The URL without its user and password, which urllib takes for a part of the host, and their header."""
    parts = urlsplit(url)
    login, at, place = parts.netloc.rpartition("@")
    if not at:
        return url, {}
    user, _, password = login.partition(":")
    encoded = base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
    return parts._replace(netloc=place).geturl(), {"Authorization": f"Basic {encoded}"}


def _failure(error: urllib.error.HTTPError) -> SendFailed:
    status = error.code
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    remedy = "; redirects are not followed, so give the new address" if 300 <= status < 400 else ""
    return SendFailed(
        f"answered {status}{phrase}{remedy}",
        permanent=status in PERMANENT,
        gone=status == HTTPStatus.GONE,
        of_receiver=status in _OF_RECEIVER,
        retry_after=_seconds_to_wait(error.headers.get("Retry-After")),
    )


def _seconds_to_wait(retry_after: str | None) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date; None for none that can be read."""
    if retry_after is None:
        return None
    text = retry_after.strip()[:100]
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _opener(reach: Reach, limit: TimeLimit) -> urllib.request.OpenerDirector:
    # None: those of the environment.
    proxies = urllib.request.ProxyHandler(None if reach.proxies else {})
    return urllib.request.build_opener(
        proxies, _NoRedirects, _HttpHandler(reach, limit), _HttpsHandler(reach, limit)
    )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would turn the POST into a GET without the message."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


class _Connection(http.client.HTTPConnection):
    """Connects to allowed addresses only; to a proxy wherever it is, because the operator chose it."""

    def __init__(self, *arguments: Any, make: Callable[[str, int], Any], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = lambda address, *_: make(*address)


class _TlsConnection(http.client.HTTPSConnection):
    def __init__(self, *arguments: Any, make: Callable[[str, int], Any], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = lambda address, *_: make(*address)


class _HttpHandler(urllib.request.HTTPHandler):
    def __init__(self, reach: Reach, limit: TimeLimit) -> None:
        super().__init__()
        self.reach = reach
        self.limit = limit

    def http_open(self, request: urllib.request.Request) -> Any:
        reach = Reach.anywhere() if request.has_proxy() else self.reach
        make = partial(connect, reach=reach, limit=self.limit)
        return self.do_open(partial(_Connection, make=make), request)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def __init__(self, reach: Reach, limit: TimeLimit) -> None:
        # Checks the certificate and its host name. Read anew for each message: SSL_CERT_FILE may change.
        self.context = ssl.create_default_context()
        super().__init__(context=self.context)
        self.reach = reach
        self.limit = limit

    def https_open(self, request: urllib.request.Request) -> Any:
        is_through_proxy = getattr(request, "_tunnel_host", None) is not None
        reach = Reach.anywhere() if is_through_proxy else self.reach
        make = partial(connect, reach=reach, limit=self.limit)
        return self.do_open(partial(_TlsConnection, make=make, context=self.context), request)
