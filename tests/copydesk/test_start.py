"""What starts quickly, by what it does not import: seconds would tell of the machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = "tests/pages/articles/german.html"

# What takes a tenth of a second or more to import, with all that it brings.
STORING = frozenset({"sqlalchemy", "psycopg", "storage"})
CRAWLING = frozenset({"scrapy", "twisted"})
READING = frozenset({"lxml", "numpy", "py3langid", "trafilatura", "pipeline.process"})
MUCH = frozenset({"alembic", "datasketch", "scipy", "pandas", "pyarrow"})


def imported(*arguments: str) -> set[str]:
    """All modules that a `copydesk` of its own imports, and the packages that they are of."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "copydesk", *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    names = re.findall(r"^import time:.*\| +(\S+)$", done.stderr, re.MULTILINE)
    return {name.rsplit(".", n)[0] for name in names for n in range(name.count(".") + 1)}


@pytest.mark.parametrize(
    "arguments", [("--help",), ("ingest", "--help"), ("crawl", "--help"), ("db", "upgrade", "--help")]
)
def test_help_needs_no_library_of_those_that_do_the_work(arguments: tuple[str, ...]) -> None:
    found = imported(*arguments)
    assert {"typer", "copydesk.cli"} <= found
    assert sorted(found & (STORING | CRAWLING | READING | MUCH)) == []


def test_one_page_needs_what_reads_it_and_no_more() -> None:
    found = imported("extract", PAGE)
    assert {"lxml", "pipeline.process"} <= found
    not_of_a_page = {
        "crawler.sites.reader",
        "crawler.files.warc",
        "crawler.runs.pool",
        "ftfy",
        "pipeline.extract.plain_text",
        "warcio",
    }
    not_of_this_page = {"py3langid", "trafilatura"}
    assert sorted(found & (STORING | CRAWLING | MUCH | not_of_a_page | not_of_this_page)) == []


def test_what_reads_pages_brings_trafilatura_for_those_that_need_it_only() -> None:
    program = "import sys, pipeline.process; print(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pipeline.extract.html" in found.stdout
    assert "trafilatura" not in found.stdout.split()


def test_looking_at_a_base_needs_no_reader_of_pages(base: str) -> None:
    found = imported("stats", "--db", base)
    assert "storage.reader" in found
    assert sorted(found & (CRAWLING | READING - {"numpy"} | MUCH)) == []
