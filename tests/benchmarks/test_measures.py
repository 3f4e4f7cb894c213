"""Every measurement runs from start to table, on a few pages. Its figures need a quiet machine."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as everything
from benchmarks import instructions, latency, long_run, pages, parts, reactor, scaling, speed, writer_capacity
from benchmarks.own_process import apart
from benchmarks.repository import ROOT, article_pages


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one corpus of the repository's pages. One is gzipped, and one has no URL."""
    folder = tmp_path_factory.mktemp("corpora")
    (folder / "own" / "html").mkdir(parents=True)
    truths = []
    for number, page in enumerate(article_pages()[:6]):
        name = f"{number}.html" + (".gz" if number == 0 else "")
        body = gzip.compress(page.body) if number == 0 else page.body
        (folder / "own" / "html" / name).write_bytes(body)
        truths.append({"id": name, "text": "", **({"url": page.url} if number != 1 else {})})
    (folder / "own" / "truth.jsonl").write_text("".join(json.dumps(truth) + "\n" for truth in truths))
    return folder


def test_speed_is_measured_on_the_same_pages_for_both(corpora: Path) -> None:
    (corpus,) = pages.corpora_with_pages(corpora)
    documents = pages.read_pages(corpus)
    assert len(documents) == 6

    found = speed.measure("own", documents, rounds=2)
    assert len(found.rounds) == 2
    assert all(turn.ours > turn.storing > 0 and turn.theirs > 0 for turn in found.rounds)
    assert {turn.articles for turn in found.rounds} == {6}
    assert found.ratio.least <= found.ratio.median <= found.ratio.greatest
    table = speed.as_markdown([found])
    assert "| own | 6 |" in table
    assert "| store |" in table


def test_scaling_reports_the_share_of_the_parent() -> None:
    documents = article_pages()[:8]
    one, two = scaling.measure(documents, (1, 2), rounds=1)
    assert (one.workers, two.workers, one.documents) == (1, 2, 8)
    assert 0 < one.parent.median < 1
    assert one.times(one).median == 1
    alone = scaling.unaided(documents, (1, 2), rounds=1)
    assert alone[1].median == 1
    assert "| 2 |" in scaling.as_markdown([one, two], alone)


def test_replay_reports_how_many_workers_the_parent_can_serve() -> None:
    found = writer_capacity.measure(article_pages()[:8], rounds=1, workers=1)
    assert found.workers.median > 0
    assert writer_capacity.as_row("own", found).startswith("| own | 8 |")


def test_a_long_run_is_sampled_from_start_to_end() -> None:
    found = long_run.measure(120, workers=1, recycle=40)
    assert found.looks[0].documents == 0
    assert found.looks[-1].documents == 120
    assert "120 documents" in long_run.as_markdown(found)


def test_commands_are_measured_as_processes() -> None:
    processor, clock = latency.run([sys.executable, "-c", "sum(range(3_000_000))"])
    assert processor > 0
    assert clock > 0
    with pytest.raises(subprocess.CalledProcessError):
        latency.run([sys.executable, "-c", "raise SystemExit(3)"])


def test_the_watchdog_samples_a_crawl_from_start_to_end() -> None:
    found = reactor.measure(articles=8, listed=200, workers=1)
    assert len(found.late) == len(found.busy) > 100
    assert "over 50 ms" in reactor.as_markdown(found)


@pytest.mark.parametrize("name", list(instructions.FUNCTIONS))
def test_programs_whose_instructions_are_counted_run(name: str) -> None:
    instructions.run(name, 0)
    assert all(counts.keys() == instructions.FUNCTIONS.keys() for counts in instructions.recorded().values())


def test_growth_beyond_the_tolerance_is_reported() -> None:
    assert instructions.grown({"a": 104, "b": 106, "new": 1}, {"a": 100, "b": 100}) == ["b"]


def test_a_report_names_a_missing_part_and_continues(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "corpora").mkdir()
    out = tmp_path / "report"
    assert everything.main([str(tmp_path / "corpora"), "--parts", "speed", "replay", "--out", str(out)]) == 0
    told = (out / "report.md").read_text()
    assert f"Not measured, because they are not in {tmp_path / 'corpora'}: fundus-dev, multi-dev" in told
    assert told.count("Not measured: no corpus with pages") == 2
    assert "Python 3." in told
    assert "cores" in told
    assert str(out / "report.md") in capsys.readouterr().out


@pytest.mark.parametrize("is_fresh", [False, True])
def test_results_and_errors_of_another_process_are_returned(is_fresh: bool) -> None:
    assert apart(divmod, 7, 2, is_fresh=is_fresh) == (3, 1)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        apart(divmod, 7, 0, is_fresh=is_fresh)
    with pytest.raises(RuntimeError, match="ended without an answer"):
        apart(sys.exit, is_fresh=is_fresh)


def test_every_part_and_module_is_in_the_readme() -> None:
    readme = (ROOT / "benchmarks" / "README.md").read_text()
    assert [name for name in parts.PARTS if f"`{name}`" not in readme] == []
