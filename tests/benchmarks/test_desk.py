"""The desk's benchmark: every address is answered, and its queries are found."""

from __future__ import annotations

from sqlalchemy import Engine

from benchmarks import desk
from copydesk.web import DeskSettings
from tests.storage.news import store, wire


def test_every_address_is_answered_and_asks_the_database(engine: Engine) -> None:
    store(engine, wire(40))
    url = engine.url.render_as_string(hide_password=False)
    found = list(desk.measure(DeskSettings(url), rounds=1))
    assert {asked.status for asked in found} == {200}
    assert sum("cursor=" in asked.address for asked in found) == 3
    assert all(asked.queries > 0 for asked in found)
