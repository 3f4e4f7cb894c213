"""Kept and removed lines in the order of the page."""

from __future__ import annotations

from copydesk.page_order import PageLine, in_page_order
from pipeline.document import Removed


def test_removed_lines_stand_between_the_kept_ones() -> None:
    removed = [Removed(0, "Menu", "a.menu"), Removed(1, "Ad", "a.ad"), Removed(1, "More", "a.more")]
    end = [Removed(2, "Share", "a.share"), Removed(9, "Imprint", "a.imprint")]
    assert list(in_page_order("One.\nTwo.", [*removed, *end])) == [
        PageLine("Menu", "a.menu"),
        PageLine("One."),
        PageLine("Ad", "a.ad"),
        PageLine("More", "a.more"),
        PageLine("Two."),
        PageLine("Share", "a.share"),
        PageLine("Imprint", "a.imprint"),
    ]
    assert list(in_page_order("", removed[:1])) == [PageLine("Menu", "a.menu")]
