"""The profile by stage: every stage is found, and a missing stage is an error."""

from __future__ import annotations

import pytest

from benchmarks.repository import article_pages
from benchmarks.stages import REST, STAGES, StageGone, timed
from pipeline import process
from pipeline.settings import Settings


def test_every_stage_of_a_page_is_timed_and_their_sum_is_the_whole() -> None:
    before = process.process_documents
    pages = article_pages()
    with timed() as spent:
        process.process_documents(pages, Settings())

    assert process.process_documents is before
    called = {stage for stage, count in spent.calls.items() if count}
    assert called >= {*STAGES, REST} - {"store"}  # nothing is stored here
    assert spent.calls["parse"] >= len(pages)
    assert spent.calls[REST] == 1
    assert 0 < spent.calls["fingerprint"] <= len(pages)
    assert sum(spent.seconds.values()) == pytest.approx(spent.within[0])
    assert min(spent.seconds.values()) >= 0


def test_a_missing_stage_ends_the_measurement_and_is_named() -> None:
    with (
        pytest.raises(StageGone, match=r"stage wire: there is no pipeline\.clean\.wire\.parse_lines"),
        timed({"decode": STAGES["decode"], "wire": ("pipeline.clean.wire.parse_lines",)}),
    ):
        pass
    assert not hasattr(vars(process)["decode_body"], "__wrapped__")
