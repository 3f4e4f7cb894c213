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
expressions, attacked, rows = patterns.collect(), patterns.attacked(), []
for one in expressions:
    if one.digest in attacked:
        if attacked[one.digest]:
            rows.append((one.name, str(one.pattern), "", True))
    elif (found := patterns.runaway(one)) and not found.is_harmless:
        rows.append((one.name, str(one.pattern), found.attack, found.is_quadratic))
print(json.dumps([[one.module for one in expressions], rows]))
"""


@pytest.fixture(scope="module")
def collected() -> tuple[list[str], list[tuple[str, str, str, bool]]]:
    """The modules of all expressions, and those that run away: name, expression, attack, is quadratic."""
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stderr
    modules, rows = json.loads(done.stdout)
    return modules, [tuple(row) for row in rows]


def test_no_expression_of_the_program_runs_away(
    collected: tuple[list[str], list[tuple[str, str, str, bool]]],
) -> None:
    _, rows = collected
    worse = [(pattern, attack) for _, pattern, attack, is_quadratic in rows if not is_quadratic]
    assert worse == []
    known = patterns.known()
    assert [(name, pattern, attack) for name, pattern, attack, _ in rows if name not in known] == []


def test_what_was_attacked_is_forgotten_when_the_attacks_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = patterns.ATTACKED.read_text().partition("\n")[0]
    assert by.split()[0] == patterns._attacker().split()[0], "run python -m tests.patterns --record"
    monkeypatch.setattr(patterns, "ATTACKED", tmp_path / "attacked")
    patterns.ATTACKED.write_text(f"{patterns._attacker()}\n12 quadratic\n34\n")
    assert patterns.attacked() == {"12": True, "34": False}
    monkeypatch.setattr(patterns, "__file__", __file__)
    assert patterns.attacked() == {}


def test_a_changed_expression_is_another_one() -> None:
    made = [
        Expression("test", "a+", 0),
        Expression("test", "a+b", 0),
        Expression("test", "a+", int(re.IGNORECASE)),
        Expression("test", b"a+", 0),
        Expression(patterns.RULES, "a+", 0),
    ]
    assert len({one.digest for one in made}) == len(made)


@pytest.mark.parametrize(
    "pattern", [r"(a+)+$", r"(?:[\u0e31a]\W*){60}", r"(a|a)*b", r"(?:\w+\s?)*:", r"^(?:a?){40}a{40}b"]
)
def test_exponential_expressions_are_found(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "ENDLESS_SECONDS", 0.4)
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


def test_expressions_are_collected_with_their_module(
    collected: tuple[list[str], list[tuple[str, str, str, bool]]],
) -> None:
    modules, _ = collected
    assert {"pipeline.clean.rules", "pipeline.text.sentences", "crawler.discovery.feeds"} <= set(modules)


def test_the_list_of_known_ones_names_digests_and_modules() -> None:
    assert all(re.fullmatch(r"[0-9a-f]{16} [\w.]+", name) for name in patterns.known())
