"""Measures the processor time of a page stage by stage, by timing the functions of the stages.

A stage is a list of functions. They are also replaced in modules that imported them by name, so every call is
timed. A missing function ends the measurement with its name, because a profile without it would be wrong.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

# In the order in which they run. The time of a stage within another one is subtracted from that one.
STAGES: Mapping[str, tuple[str, ...]] = {
    "compress": ("pipeline.page.compress.compressed_page",),
    "decode": ("pipeline.page.decode.decode_body",),
    "parse": ("pipeline.extract.parse.parse",),
    "segment": ("pipeline.page.blocks.segment_page",),
    "metadata": ("pipeline.metadata.read.read_metadata",),
    "scripts": ("pipeline.extract.script_story.story_from_scripts",),
    "cut": ("pipeline.extract.cut_tree.cut_tree",),
    "trafilatura": ("pipeline.extract.trafilatura_adapter.article_lines",),
    "align": ("pipeline.page.align.align_lines",),
    "rules": (
        "pipeline.extract.repair.repair",
        "pipeline.extract.structure.judge.judge_passages",
        "pipeline.extract.refuse.refuse_non_article",
    ),
    "model": (
        "pipeline.extract.candidates.prose_regions",
        "pipeline.extract.model.columns.block_columns",
        "pipeline.extract.model.predict.shares_of_blocks",
        "pipeline.extract.model.predict.keep_probabilities",
        "pipeline.extract.model.selection.select_blocks",
    ),
    "language": ("pipeline.text.language.identify_language",),
    "clean": ("pipeline.clean.boilerplate.clean",),
    "wire": ("pipeline.clean.wire.parse_wire",),
    "search words": ("pipeline.text.search_words.make_search_words",),
    "fingerprint": ("pipeline.copies.fingerprint.fingerprint",),
    "store": ("storage.writer.batches.write_batch",),
}
# The time of a page outside of its stages.
REST = "rest"
_WHOLE = "pipeline.process.process_documents"


class StageGone(LookupError):
    """A stage's function is not where it was. Raised by `timed`; ends the measurement: correct STAGES."""


@dataclass(slots=True)
class Spent:
    """Seconds of processor time by stage, without what is called within it, and how often each was called."""

    seconds: dict[str, float] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    within: list[float] = field(default_factory=lambda: [0.0])

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            {name: self.seconds.get(name, 0) + other.seconds.get(name, 0) for name in (*STAGES, REST)},
            {name: self.calls.get(name, 0) + other.calls.get(name, 0) for name in (*STAGES, REST)},
        )


@contextmanager
def timed(stages: Mapping[str, tuple[str, ...]] = STAGES) -> Iterator[Spent]:
    """While it lasts, every call of a stage is timed. Raises StageGone."""
    spent = Spent(dict.fromkeys((*stages, REST), 0.0), dict.fromkeys((*stages, REST), 0))
    replaced: list[tuple[Any, str, Any]] = []
    try:
        for stage, functions in (*stages.items(), (REST, (_WHOLE,))):
            for path in functions:
                found = _function(stage, path)
                replaced += _replaced(found, _clocked(found, stage, spent))
        yield spent
    finally:
        for module, name, found in reversed(replaced):
            setattr(module, name, found)


def _function(stage: str, path: str) -> Callable[..., Any]:
    module, _, name = path.rpartition(".")
    found = getattr(importlib.import_module(module), name, None)
    if not callable(found):
        raise StageGone(f"stage {stage}: there is no {path}: say in benchmarks/stages.py what it is now")
    function: Callable[..., Any] = found
    return function


def _replaced(found: Callable[..., Any], by: Callable[..., Any]) -> list[tuple[Any, str, Any]]:
    """Replaces a function in every module of ours that has it; returns what to restore."""
    ours = [
        module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in ("pipeline", "storage", "crawler", "benchmarks")
    ]
    places = [(module, name) for module in ours for name, value in vars(module).items() if value is found]
    for module, name in places:
        setattr(module, name, by)
    return [(module, name, found) for module, name in places]


def _clocked(function: Callable[..., Any], stage: str, spent: Spent) -> Callable[..., Any]:
    @wraps(function)
    def run(*arguments: Any, **named: Any) -> Any:
        spent.within.append(0.0)
        began = time.process_time()
        try:
            return function(*arguments, **named)
        finally:
            took = time.process_time() - began
            spent.seconds[stage] += took - spent.within.pop()
            spent.calls[stage] += 1
            spent.within[-1] += took

    return run
