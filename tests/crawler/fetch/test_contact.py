"""The contact address in the user agent."""

from __future__ import annotations

import pytest
from scrapy.settings import Settings

from crawler.addon import CopydeskAddon
from crawler.fetch.contact import has_contact
from pipeline.errors import OperatorError


@pytest.mark.parametrize(
    ("agent", "contact", "is_enough"),
    [
        (None, None, False),
        (None, "desk@gazette.example", True),
        (None, "https://gazette.example/crawler", True),
        ("gazette/1.0", None, False),
        ("gazette/1.0 (desk@gazette.example)", None, True),
        ("gazette/1.0 (+https://gazette.example/)", None, True),
        ("gazette/1.0", "desk@gazette.example", True),
    ],
)
def test_a_contact_address_in_the_user_agent(agent: str | None, contact: str | None, is_enough: bool) -> None:
    settings = Settings({"COPYDESK_CONTACT": contact, **({"USER_AGENT": agent} if agent else {})})
    assert has_contact(settings) is is_enough
    CopydeskAddon().update_settings(settings)
    assert has_contact(settings) is is_enough
    assert settings["USER_AGENT"].count("gazette.example") == (1 if is_enough else 0)
    assert settings["ROBOTSTXT_USER_AGENT"] == ("gazette" if agent else "copydesk")


@pytest.mark.parametrize(
    "contact", ["me", "desk@", "http://", "a@b c.example", "desk@gazette.example\r\nX: y"]
)
def test_texts_that_are_not_a_contact_address(contact: str) -> None:
    with pytest.raises(OperatorError, match="is no contact address; set COPYDESK_CONTACT"):
        has_contact(Settings({"COPYDESK_CONTACT": contact}))
