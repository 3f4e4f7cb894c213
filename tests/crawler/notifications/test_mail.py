"""Mail that is made of notifications: what a page says is text, wherever it stands."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from html.parser import HTMLParser
from typing import Any, cast

import pytest

from crawler.notifications.mail import compose
from storage.watching import Due
from tests.crawler.notifications.outbox import BODY, NOW

READER, SENDER = "reader@desk.example", "news@desk.example"


def due(id: str = "n1", body: dict[str, Any] | None = None, watchlist: str = "ferries") -> Due:
    return Due(id, watchlist, f"mail:{READER}", "story", body or BODY, 0, NOW, NOW)


def with_article(**changes: object) -> dict[str, Any]:
    return {**BODY, "article": {**cast("dict[str, Any]", BODY["article"]), **changes}}


def sent(*dues: Due) -> EmailMessage:
    """The mail as a receiver reads its bytes."""
    raw = compose(dues, READER, SENDER).as_bytes(policy=SMTP)
    assert raw.isascii()
    assert max(map(len, raw.splitlines())) <= 998
    return cast("EmailMessage", message_from_bytes(raw, policy=cast("Any", default)))


def forms(mail: EmailMessage) -> tuple[str, str]:
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    return str(plain.get_content()), str(html.get_content())


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def parsed(html: str) -> _Tags:
    parser = _Tags()
    parser.feed(html)
    return parser


def test_a_mail_has_a_text_and_an_html_form() -> None:
    mail = sent(due())
    assert mail["Subject"] == "[ferries] Fähre läuft vor Port Callan auf"
    assert (mail["From"], mail["To"]) == (SENDER, READER)
    assert mail["Message-ID"] == "<n1@desk.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    plain, html = forms(mail)
    for part in ("Fähre läuft vor Port Callan auf", "ferries", "herald.example", "Siebzehn Menschen"):
        assert part in plain
        assert part in html
    assert "https://gazette.example/ferry?a=1&b=2" in plain
    assert ("href", "https://gazette.example/ferry?a=1&b=2") in parsed(html).attributes


def test_a_digest_has_all_and_its_id_follows_from_theirs() -> None:
    first, second = due("n1"), due("n2", with_article(title="Second story"), "ports")
    mail = sent(first, second)
    assert mail["Subject"] == "2 notifications: ferries, ports"
    for form in forms(mail):
        assert form.index("Fähre") < form.index("Second story")
    assert mail["Message-ID"] == sent(second, first)["Message-ID"]
    assert mail["Message-ID"] not in (sent(first)["Message-ID"], sent(second)["Message-ID"])


@pytest.mark.parametrize(
    "title",
    [
        "A\r\nBcc: victim@x.example",
        "A\nX-Evil: 1\n\n<script>alert(1)</script>",
        "A\u2028Bcc: victim@x.example",
        "A\x0bBcc: victim@x.example\x00",
        "=?utf-8?q?A=0D=0ABcc=3A_victim=40x=2Eexample?=",
        "<img src=x onerror=alert(1)>\"'><b>",
        "</h3></body></html><script>alert(1)</script>",
        "\u202egnp.exe",
        "x" * 100_000,
        "ä" * 5_000,
        "\ud800",
        "",
    ],
)
def test_what_a_page_says_is_no_header_and_no_markup(title: str) -> None:
    mail = sent(due(body=with_article(title=title, description=title, site=title), watchlist=title or "x"))
    assert set(mail.keys()) == {
        "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert mail["To"] == READER
    assert "\n" not in mail["Subject"]
    assert "\u202e" not in mail["Subject"]
    plain, html = forms(mail)
    assert len(plain) < 3_000
    assert set(parsed(html).tags) <= {"html", "head", "meta", "body", "h3", "a", "p", "small"}
    assert {name for name, _ in parsed(html).attributes} <= {"charset", "href", "rel"}


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//x.example/", "https://", "http://[x", " ", None, 7, ["https://x.example/"]],
)  # fmt: skip
def test_only_http_addresses_become_links(url: object) -> None:
    plain, html = forms(sent(due(body=with_article(url=url))))
    assert "a" not in parsed(html).tags
    assert "javascript" not in plain


def test_a_body_without_anything() -> None:
    for body in ({"article": None, "outlets": "x"}, {"x": 1}, {"article": {"title": None, "url": None}}):
        assert sent(due(body=body))["Subject"] == "[ferries] (no title)"


def test_a_removal_tells_the_address_alone() -> None:
    removal = Due("n1", "ferries", "x", "removal", {"article": {"url": "https://x.example/1"}}, 0, NOW, NOW)
    mail = sent(removal)
    assert mail["Subject"] == "[ferries] https://x.example/1"
    assert "Removed" in forms(mail)[0]


def test_the_date_is_that_of_the_newest_notification() -> None:
    later = Due("n2", "ferries", "x", "story", BODY, 0, NOW + timedelta(hours=1), NOW)
    assert sent(due(), later)["Date"] == "Mon, 01 Dec 2025 13:30:00 +0000"
