"""One browser and one desk for each test file; what every page may not do is looked at after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine

from copydesk.web import DeskSettings, make_app
from storage.database import open_database
from tests.copydesk.web.browser.running import TIMEOUT, Watch, browsing, serving
from tests.copydesk.web.browser.world import make_world


@pytest.fixture(scope="session")
def world_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def world(world_url: str) -> Iterator[Engine]:
    engine = open_database(world_url, create=False)
    yield engine
    engine.dispose()


# Not for the whole session: while Playwright runs, no other test of the process can have an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as running:
        yield running


@pytest.fixture(scope="module")
def desk_at(world_url: str) -> Iterator[str]:
    """Address of a desk that runs."""
    with serving(make_app(DeskSettings(world_url, seconds=120))) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def watched(browser: Browser, desk_at: str) -> Iterator[tuple[Page, Watch]]:
    """A page of its own, 1200 points wide, and what is seen of it."""
    with browser.new_context(
        base_url=desk_at, viewport={"width": 1200, "height": 800}, locale="en-GB", timezone_id="Asia/Tokyo"
    ) as context:
        context.set_default_timeout(TIMEOUT)
        yield context.new_page(), Watch(context, desk_at)


@pytest.fixture
def page(watched: tuple[Page, Watch]) -> Iterator[Page]:
    """A page, of which the test fails if it asks another host, breaks its policy or reports an error."""
    found, watch = watched
    yield found
    assert watch.requests
    assert watch.faults == []
