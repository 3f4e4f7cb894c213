"""Wire conventions together: no line is lost, however odd, and the title names an agency last."""

from __future__ import annotations

import pytest

from pipeline.clean.wire import parse_wire
from tests.pipeline.clean.wire_copy import BODY, paragraphs, texts_of


def test_the_title_names_the_agency_when_nothing_else_does() -> None:
    assert parse_wire(paragraphs(BODY), "Old ferry sails on - Reuters").agency == "Reuters"
    assert parse_wire(paragraphs(BODY), "Reuters sells its ferry").agency is None


@pytest.mark.parametrize(
    "text", ["By AP" + "/AP" * 60, "(AP" + "/AP" * 90, "A-" * 200, "A Ap, " * 60, "AP/" * 130]
)
def test_endless_names_are_read_to_their_end(text: str) -> None:
    copy = parse_wire(paragraphs(text, BODY, text), text)
    assert BODY in texts_of(copy.blocks)


def test_nothing_in_nothing_out() -> None:
    assert parse_wire((), "") == parse_wire((), "Old ferry sails on")
