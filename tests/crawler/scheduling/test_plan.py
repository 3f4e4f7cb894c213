"""A plan has the defaults of `copydesk schedule`, and cannot be changed while it is carried out."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError

import pytest

from copydesk.commands.schedule import schedule
from crawler.scheduling.plan import Plan


def test_the_defaults_are_those_of_the_command() -> None:
    plan, options = Plan("sqlite:///news.db"), inspect.signature(schedule).parameters
    for name in ("sites_file", "concurrent", "jitter"):
        assert getattr(plan, name) == options[name].default, name
    assert plan.names == tuple(options["sites"].default or ())


def test_a_plan_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Plan("sqlite:///news.db").concurrent = 8  # type: ignore[misc]
