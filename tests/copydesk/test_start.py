"""Commands start quickly. Imports are checked, because times would depend on the machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = "tests/pages/articles/german.html"

# Libraries that take a tenth of a second or more to import, with their dependencies.
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
def test_help_imports_no_slow_library(arguments: tuple[str, ...]) -> None:
    found = imported(*arguments)
    assert {"typer", "copydesk.cli"} <= found
    assert sorted(found & (STORING | CRAWLING | READING | MUCH)) == []


def test_extracting_one_page_imports_only_the_extraction() -> None:
    found = imported("extract", PAGE)
    assert {"lxml", "pipeline.process", "trafilatura"} <= found
    not_of_a_page = {
        "crawler.sites.reader",
        "crawler.files.warc",
        "crawler.workers.pool",
        "ftfy",
        "pipeline.extract.plain_text",
        "warcio",
    }
    assert sorted(found & (STORING | CRAWLING | MUCH | not_of_a_page)) == []


def test_trafilatura_is_imported_only_once_a_page_is_read() -> None:
    program = "import sys, pipeline.process; print(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pipeline.extract.html" in found.stdout
    assert "trafilatura" not in found.stdout.split()


def test_a_worker_has_neither_a_database_nor_the_web() -> None:
    program = "import sys, crawler.workers.worker, pipeline.process; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert "crawler.workers.memory" in found
    assert sorted(found & (STORING | CRAWLING | MUCH)) == []


def test_the_desk_reads_neither_pages_nor_the_web() -> None:
    program = "import sys, copydesk.web.server; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert "fastapi" in found
    assert sorted(found & (CRAWLING | {"trafilatura", "pipeline.extract"} | MUCH)) == []


def test_reading_a_database_imports_no_extraction(news_url: str) -> None:
    found = imported("stats", "--db", news_url)
    assert "storage.reader" in found
    assert sorted(found & (CRAWLING | READING - {"numpy"} | MUCH)) == []
