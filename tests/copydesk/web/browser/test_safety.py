"""What a real browser lets others do to the desk: nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from copydesk.web import DeskSettings, make_app
from copydesk.web.security import COOKIE
from tests.copydesk.web.browser.running import DESK_HOST, FOREIGN_HOST, TIMEOUT, Watch, serving

expect.set_options(timeout=TIMEOUT)

TOKEN = "a token that nobody guesses"


@pytest.fixture(scope="module")
def desk_at(desk_url: str) -> Iterator[str]:
    """Address of a desk on loopback, which needs no token."""
    with serving(make_app(DeskSettings(desk_url, seconds=120))) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def closed_port(desk_url: str) -> Iterator[int]:
    """Port of a desk that others can reach under the name of a host, so that it needs a token."""
    settings = DeskSettings(desk_url, "192.0.2.1", token=TOKEN, hosts=(DESK_HOST, "127.0.0.1"), seconds=120)
    with serving(make_app(settings)) as port:
        yield port


@pytest.fixture(scope="module")
def closed_at(closed_port: int) -> str:
    return f"http://{DESK_HOST}:{closed_port}"


@pytest.fixture(scope="module")
def foreign_at() -> Iterator[str]:
    """A page of another site: its form posts to the address that it is given, and it frames it."""

    def answer(request: Request) -> HTMLResponse:
        target = request.query_params["target"]
        return HTMLResponse(
            f'<form method="post" action="{target}/login"><input name="token" value="{TOKEN}">'
            f'<button>Win a prize</button></form><iframe src="{target}/"></iframe>'
        )

    with serving(Starlette(routes=[Route("/", answer)])) as port:
        yield f"http://{FOREIGN_HOST}:{port}"


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Page]:
    """A page that may see errors."""
    with browser.new_context() as context:
        context.set_default_timeout(TIMEOUT)
        yield context.new_page()


def _log_in(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button").click()
    expect(page.locator("[data-story]").first).to_be_visible()


def test_the_watch_sees_a_script_a_foreign_request_and_a_broken_policy(watched: tuple[Page, Watch]) -> None:
    page, watch = watched
    page.goto("/about")
    assert watch.faults == []
    with page.expect_event("pageerror"):
        page.evaluate(
            """() => {
            const script = document.createElement('script');
            script.textContent = 'alert(1)';
            document.body.append(script);
            const image = document.createElement('img');
            image.src = 'http://evil.example/pixel.png';
            document.body.append(image);
            console.error('oops');
            setTimeout(() => { throw new Error('broken') });
        }"""
        )
    said = " ".join(watch.faults)
    assert "script-src" in said
    assert "img-src" in said
    assert "console: oops" in said
    assert "script: broken" in said
    assert not any(fault.startswith("dialog") for fault in watch.faults)


@pytest.mark.parametrize("path", ["/", "/stories/1", "/search?q=ferry", "/about", "/nothing"])
def test_without_the_token_there_is_a_login_and_401(visitor: Page, closed_at: str, path: str) -> None:
    answer = visitor.goto(f"{closed_at}{path}")
    assert answer is not None
    assert answer.status == 401
    expect(visitor.get_by_label("Token")).to_be_focused()
    assert visitor.locator("[data-row]").count() == 0


def test_a_person_logs_in_over_plain_http(visitor: Page, closed_at: str) -> None:
    """On such an address a browser says less of where a form comes from than on loopback or over TLS."""
    visitor.goto(closed_at)
    visitor.get_by_label("Token").fill("a wrong token")
    visitor.get_by_role("button").click()
    expect(visitor.get_by_role("alert")).to_have_text("That is not the token.")
    _log_in(visitor, closed_at)
    visitor.get_by_role("link", name="About").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("About this desk")
    cookie = next(one for one in visitor.context.cookies() if one["name"] == COOKIE)
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert visitor.evaluate("document.cookie") == ""


@pytest.mark.parametrize("path", ["/", "/login", "/static/desk.css", "/healthz"])
def test_a_name_that_another_site_points_here_gets_400(visitor: Page, desk_at: str, path: str) -> None:
    """DNS rebinding: the browser takes the desk for a page of the other site."""
    port = desk_at.rpartition(":")[2]
    answer = visitor.goto(f"http://{FOREIGN_HOST}:{port}{path}")
    assert answer is not None
    assert answer.status == 400
    assert "ferry" not in visitor.content().lower()


@pytest.mark.parametrize("host", [DESK_HOST, "127.0.0.1"])
def test_a_form_of_another_site_gets_403(visitor: Page, foreign_at: str, closed_port: int, host: str) -> None:
    """With and without Sec-Fetch-Site, which browsers send to addresses that they trust alone."""
    target = f"http://{host}:{closed_port}"
    visitor.goto(f"{foreign_at}/?target={target}")
    with visitor.expect_response(f"{target}/login") as answer:
        visitor.get_by_role("button", name="Win a prize").click()
    assert answer.value.status == 403
    assert visitor.context.cookies() == []


def test_another_site_cannot_frame_the_desk(visitor: Page, foreign_at: str, desk_at: str) -> None:
    visitor.goto(f"{foreign_at}/?target={desk_at}")
    frame = next(one for one in visitor.frames if one.parent_frame is not None)
    assert frame.locator("[data-story]").count() == 0
    assert "Copydesk" not in frame.content()


def test_what_is_not_here_is_said_on_a_page(visitor: Page, desk_at: str) -> None:
    for path, status in (("/nothing", 404), ("/stories/987654", 404), ("/?since=soon", 400)):
        answer = visitor.goto(f"{desk_at}{path}")
        assert answer is not None
        assert answer.status == status
        expect(visitor.get_by_role("link", name="Stories")).to_be_visible()
