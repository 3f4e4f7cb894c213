"""Every page for everybody: without script, by keyboard, on narrow screens, enlarged, in the dark."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from tests.copydesk.web.browser.addresses import addresses, further, page_routes
from tests.copydesk.web.browser.running import TIMEOUT

expect.set_options(timeout=TIMEOUT)

_OVERFLOW = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
# What can be reached, in the order of the page; a closed <details> hides its content.
_REACHABLE = """() => [...document.querySelectorAll(
    'a[href], button, input:not([disabled]), select, summary, [tabindex="0"]')]
    .filter(one => one.checkVisibility({visibilityProperty: true}))
    .map(one => one.outerHTML.slice(0, 200))"""
_FOCUSED = "document.activeElement.outerHTML.slice(0, 200)"
_REMEMBER = """() => {
    window.reached = [];
    document.addEventListener('focusin', event => window.reached.push([
        event.target.outerHTML.slice(0, 200), getComputedStyle(event.target).outlineStyle]));
}"""


@pytest.fixture(scope="module")
def every(world: Engine) -> dict[str, str]:
    """An address for each page."""
    routes = page_routes()
    assert len(routes) > 10
    known = addresses(world)
    assert routes <= known.keys(), "give each new page an address in addresses.py"
    return {**{route: known[route] for route in sorted(routes)}, **further(world)}


@pytest.fixture
def without_script(browser: Browser, desk_at: str) -> Iterator[Page]:
    with browser.new_context(base_url=desk_at, java_script_enabled=False) as context:
        context.set_default_timeout(TIMEOUT)
        yield context.new_page()


def test_every_page_without_script(without_script: Page, every: dict[str, str]) -> None:
    page = without_script
    for name, address in every.items():
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, name
        assert page.locator("h1").count() == 1, name
        assert page.locator("main").inner_text().strip(), name
        if name != "/login":
            assert page.locator("[data-zone]").inner_text() == "UTC", name
    page.goto(every["/articles/{id}"].partition("?")[0])
    assert not page.locator(".removed").first.is_visible()
    page.locator("#show-removed").check()
    expect(page.locator(".removed").first).to_be_visible()
    page.locator("#q").fill("ferry")
    page.locator("#q").press("Enter")
    expect(page.locator("li[data-article]").first).to_be_visible()
    page.goto("/")
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("link", name="Back to the first")).to_be_visible()


def _serious(page: Page, **options: object) -> list[str]:
    """Faults of the page as it is, by axe, which must be loaded."""
    ran = page.evaluate(
        "options => axe.run(document, options)", {"resultTypes": ["violations"], "preload": False, **options}
    )
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary']}"
        for one in ran["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def test_axe_finds_no_serious_fault(page: Page, every: dict[str, str]) -> None:
    """By light all rules; in the dark those that depend on it."""
    for name, address in every.items():
        page.emulate_media(color_scheme="light")
        page.goto(address)
        page.evaluate(AXE_SCRIPT)
        assert _serious(page) == [], name
        page.emulate_media(color_scheme="dark")
        assert _serious(page, runOnly=["color-contrast"]) == [], name


def test_axe_would_find_them(page: Page) -> None:
    page.goto("/search")
    page.evaluate(
        """() => {
            document.querySelector('label:has([name=site])').replaceWith(document.createElement('input'));
            const footer = document.querySelector('footer');
            footer.style.color = '#777';
            footer.style.backgroundColor = '#888';
        }"""
    )
    page.evaluate(AXE_SCRIPT)
    found = {fault.partition(":")[0] for fault in _serious(page)}
    assert found == {"label", "color-contrast"}


def test_narrow_and_enlarged_pages_do_not_scroll_sideways(page: Page, every: dict[str, str]) -> None:
    """320 points; 1280 points at 200 %, which are 640; and letters of twice the size."""
    found = []
    for name, address in every.items():
        page.set_viewport_size({"width": 320, "height": 640})
        page.goto(address)
        for width, letters in ((320, "100%"), (640, "100%"), (640, "200%")):
            page.set_viewport_size({"width": width, "height": 640})
            page.evaluate("size => { document.documentElement.style.fontSize = size }", letters)
            wanted, given = page.evaluate(_OVERFLOW)
            if wanted > given:
                found.append((name, width, letters, wanted))
    assert found == []


def test_the_keyboard_alone_reaches_everything(page: Page, every: dict[str, str]) -> None:
    for name, address in every.items():
        page.goto(address)
        wanted = page.evaluate(_REACHABLE)
        # The page of the login begins in its field.
        if (focused := page.evaluate(_FOCUSED)) in wanted:
            wanted = wanted[wanted.index(focused) + 1 :]
        page.evaluate(_REMEMBER)
        for _ in wanted:
            page.keyboard.press("Tab")
        reached = page.evaluate("window.reached")
        assert [html for html, _ in reached] == wanted, name
        assert all(outline != "none" for _, outline in reached), name


def test_the_keys_of_lists(page: Page, every: dict[str, str]) -> None:
    page.goto("/")
    titles = page.locator("[data-row] a[data-main]")
    for key, index in (("j", 0), ("j", 1), ("j", 2), ("k", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        expect(titles.nth(index)).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("j/k")
    expect(page.locator("#q")).to_have_value("j/k")
    page.locator("#q").fill("ferry")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=ferry"))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".story-text")).to_be_visible()
    page.goto(every["/articles/{id}"].partition("?")[0])
    page.locator("#show-removed").focus()
    page.keyboard.press("Space")
    expect(page.locator(".removed").first).to_be_visible()
    page.goto("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    # The skipped menu is behind.
    assert page.evaluate("document.activeElement.closest('main') !== null")
