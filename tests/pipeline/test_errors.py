"""Errors that a person can mend: whatever raises one says what is wrong in one line."""

from __future__ import annotations

import ast
import importlib
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import OperatorError

ROOT = Path(__file__).parents[2]
PACKAGES = ("copydesk", "crawler", "pipeline", "storage")


def _kinds() -> dict[str, type[OperatorError]]:
    """OperatorError and what inherits from it, by name."""
    for module in ("storage.database", "storage.search"):
        importlib.import_module(module)
    found, waiting = {}, [OperatorError]
    while waiting:
        kind = waiting.pop()
        found[kind.__name__] = kind
        waiting += kind.__subclasses__()
    return found


KINDS = _kinds()


def _messages() -> Iterator[tuple[str, str]]:
    """Where such an error is made from a text that stands there, and the text; {} for each value in it."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                    message = _text(node.args[0])
                    if message:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", message


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def test_every_message_is_one_line_and_no_sentence_of_its_own() -> None:
    """The command line puts `copydesk: ` before it."""
    messages = list(_messages())
    assert len(messages) > 50
    for place, message in messages:
        assert "\n" not in message, place
        assert not message.endswith((".", " ")), place


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_it_comes_whole_out_of_a_worker_process(kind: type[OperatorError]) -> None:
    error = pickle.loads(pickle.dumps(kind("sites.toml: cannot be read")))
    assert (type(error), str(error)) == (kind, "sites.toml: cannot be read")
