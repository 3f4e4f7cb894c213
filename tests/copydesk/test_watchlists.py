"""Watchlists in a program."""

from __future__ import annotations

import pytest

import copydesk
from pipeline.errors import OperatorError


def test_a_program_keeps_watchlists(own: str) -> None:
    with copydesk.open(own) as db:
        made = db.watchlists.add("ferries", "ferry aground", tells=["copies"], ways=["feed"])
        assert db.watchlists.list() == [made] == [db.watchlists.get("ferries")]
        assert made.rule.tells == ("story", "copies")
        (story,) = db.watchlists.test("ferries", days=9999)
        assert story.title.startswith("Divers find no leak in ferry stranded off Velmora")
        assert db.watchlists.matched("ferries") == []
        for days in (1e9, float("nan")):
            with pytest.raises(OperatorError, match="no number of days"):
                db.watchlists.test("ferries", days=days)

        changed = db.watchlists.edit("ferries", rename="boats", outlets=4, ways=[])
        assert (changed.id, changed.name, changed.rule.ways) == (made.id, "boats", ())
        assert changed.rule.tells == ("story", "copies", "outlets")
        assert db.watchlists.edit("boats", outlets=None).rule.tells == ("story", "copies")
        with pytest.raises(OperatorError, match="nothing to look for"):
            db.watchlists.edit("boats", query="-aground")
        assert db.watchlists.remove("boats").id == made.id
        assert db.watchlists.list() == []


def test_a_site_is_one_of_the_database_or_of_the_sites_file(own: str) -> None:
    with copydesk.open(own) as db:
        made = db.watchlists.add("here", site="https://www.TessaryObserver.example/")
        assert made.rule.site == "tessaryobserver.example"
        with pytest.raises(OperatorError, match=r"nothing of tesaryobserver.example .* did you mean"):
            db.watchlists.add("there", site="tesaryobserver.example")
        # A site that is gone meanwhile does not keep the rest from being changed.
        assert db.watchlists.edit("here", query="ferry").rule.site == "tessaryobserver.example"
