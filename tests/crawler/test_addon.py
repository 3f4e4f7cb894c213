"""Copydesk as an add-on of any Scrapy project."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy.settings import Settings

from crawler import settings as own
from crawler.addon import CopydeskAddon


def _project(**settings: Any) -> Settings:
    project = Settings()
    project.update(settings, priority="project")
    CopydeskAddon.update_pre_crawler_settings(project)
    CopydeskAddon().update_settings(project)
    return project


def test_a_project_gets_the_guard_the_politeness_and_the_pipeline() -> None:
    project = _project()
    assert project["TWISTED_DNS_RESOLVER"] == own.TWISTED_DNS_RESOLVER
    assert project.getbool("ROBOTSTXT_OBEY")
    for name in ("DOWNLOADER_MIDDLEWARES", "EXTENSIONS", "ITEM_PIPELINES"):
        assert getattr(own, name).items() <= project.getdict(name).items()


def test_settings_of_the_project_stay() -> None:
    middlewares = {"gazette.Middleware": 1, "crawler.fetch.compression.CompressionMiddleware": None}
    project = _project(DOWNLOAD_TIMEOUT=99, DOWNLOADER_MIDDLEWARES=middlewares)
    assert project["DOWNLOAD_TIMEOUT"] == 99
    found = project.getdict("DOWNLOADER_MIDDLEWARES")
    assert middlewares.items() <= found.items()
    assert found["crawler.fetch.guard.GuardMiddleware"] is not None


def test_the_project_keeps_its_name_and_spiders() -> None:
    project = _project(BOT_NAME="gazette", SPIDER_MODULES=["gazette.spiders"])
    assert (project["BOT_NAME"], project["SPIDER_MODULES"]) == ("gazette", ["gazette.spiders"])
    assert _project()["SPIDER_MODULES"] == []


@pytest.mark.parametrize(
    ("settings", "agent", "product"),
    [
        ({"USER_AGENT": "gazette/1.0", "COPYDESK_CONTACT": "desk@gazette.example"},
         "gazette/1.0 (+desk@gazette.example)", "gazette"),
        ({"USER_AGENT": "gazette/1.0 (desk@gazette.example)", "COPYDESK_CONTACT": "else@gazette.example"},
         "gazette/1.0 (desk@gazette.example)", "gazette"),
        ({"USER_AGENT": "gazette/1.0", "ROBOTSTXT_USER_AGENT": "herald"}, "gazette/1.0", "herald"),
    ],
)  # fmt: skip
def test_the_user_agent_names_a_contact_once_and_robots_txt_is_read_for_the_product(
    settings: dict[str, str], agent: str, product: str
) -> None:
    project = _project(**settings)
    assert (project["USER_AGENT"], project["ROBOTSTXT_USER_AGENT"]) == (agent, product)
