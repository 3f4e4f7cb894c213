"""Copydesk's Scrapy settings: every path in them can be imported, and unsafe servers stay off."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from scrapy.utils.misc import load_object

from crawler import settings

NAMES = [name for name in dir(settings) if name.isupper()]


def paths(value: object) -> Iterator[str]:
    """The paths of Copydesk's objects in the value of a setting."""
    if isinstance(value, dict):
        for part in (*value, *value.values()):
            yield from paths(part)
    elif isinstance(value, str) and value.startswith("crawler."):
        yield value


OBJECTS = sorted(
    {
        path
        for name in NAMES
        if name not in ("COMMANDS_MODULE", "NEWSPIDER_MODULE")
        for path in paths(getattr(settings, name))
    }
)


@pytest.mark.parametrize("path", OBJECTS)
def test_paths_name_classes(path: str) -> None:
    assert isinstance(load_object(path), type)


def test_the_paths_are_found() -> None:
    assert {settings.SCHEDULER, settings.LOG_FORMATTER, settings.TWISTED_DNS_RESOLVER} <= set(OBJECTS)
    assert set(settings.ITEM_PIPELINES) | set(settings.EXTENSIONS) | set(settings.ADDONS) <= set(OBJECTS)


def test_modules_of_commands_and_spiders_can_be_imported() -> None:
    for module in (settings.COMMANDS_MODULE, settings.NEWSPIDER_MODULE, *settings.SPIDER_MODULES):
        assert importlib.import_module(module).__name__ == module


def test_hosts_that_are_not_allowed_are_refused_before_their_robots_txt_is_requested() -> None:
    order = settings.DOWNLOADER_MIDDLEWARES
    guard, private = (
        order[f"crawler.fetch.guard.{name}"] for name in ("GuardMiddleware", "PrivateAddressMiddleware")
    )
    robots = order["crawler.fetch.politeness.RobotsMiddleware"]
    retry = order["crawler.fetch.politeness.PoliteRetryMiddleware"]
    assert guard is not None
    assert robots is not None
    assert retry is not None
    assert private is not None
    assert guard < 100 < robots
    assert retry < private


def test_every_scheme_but_http_is_off() -> None:
    assert {scheme for scheme, handler in settings.DOWNLOAD_HANDLERS.items() if handler} == {"http", "https"}
    assert not settings.TELNETCONSOLE_ENABLED
    assert not settings.REMOTE_CONTROL_ENABLED
