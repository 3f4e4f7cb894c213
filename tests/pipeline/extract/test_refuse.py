"""Pages that are no articles, and articles that look like them."""

from __future__ import annotations

import pytest

from pipeline.document import DocumentRejected, Reason
from pipeline.extract.html import extract_html
from tests.pipeline.extract.harbour import FETCHED, SETTINGS, page, paragraphs, texts


@pytest.mark.parametrize(
    ("body", "head", "reason"),
    [
        ("<h1>404</h1><p>The page you asked for could not be found.</p>", "", Reason.ERROR_PAGE),
        (
            "<h1>Sign in</h1><form><p>Welcome back to the Post.</p><input type=password></form>",
            "",
            Reason.LOGIN_PAGE,
        ),
        (
            '<div id="cookie-consent"><h2>Your privacy</h2><p>We and our partners use cookies to measure'
            " audiences.</p><p>With your consent we store cookies on this device.</p></div>",
            "",
            Reason.CONSENT_WALL,
        ),
        (
            "".join(
                f'<div class="card"><h2><a href="/{n}">Council votes on bridge number {n}</a></h2>'
                f"<p>The vote on bridge {n} is due on Thursday evening.</p></div>"
                for n in range(8)
            ),
            "",
            Reason.SECTION_FRONT,
        ),
    ],
)
def test_pages_that_are_no_articles_are_refused(body: str, head: str, reason: Reason) -> None:
    with pytest.raises(DocumentRejected) as caught:
        extract_html(page(body, head), "https://lindenpost.example/", FETCHED, SETTINGS)
    assert caught.value.reason is reason


def test_an_article_about_an_error_page_is_taken() -> None:
    about = [
        f"The error page 404 of the town is now number {n} in a list of the loveliest pages."
        for n in range(20)
    ]
    assert texts(page(f"<article><h1>404: a love story</h1>{paragraphs(*about)}</article>"))[-20:] == about


def test_a_story_without_spaces_is_no_line_of_a_front_page() -> None:
    story = "历时两年的古桥修缮工程十八日完工，桥头的十六只石狮重新安放到原位，行人可以再次走过。" * 2
    more = "工程负责人说，桥面的石板有三成换成了新料，其余的都按原来的编号放回去了，一块也没有丢失。" * 2
    links = "".join(f"<li><a href=/{n}>the headline number {n} of today</a></li>" for n in range(8))
    html = (
        f"<html lang=zh><body><div><p>{story}</p><p>{more}</p></div><div><ul>{links}</ul></div></body></html>"
    )
    assert texts(html) == [story, more]
