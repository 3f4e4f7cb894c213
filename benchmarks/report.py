"""Writes the report of a run of all benchmarks: Markdown, with the plots in the same folder."""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import machine


@dataclass(slots=True)
class Report:
    """A folder with report.md, which is rewritten after every part, so that a stopped run leaves a report."""

    folder: Path
    parts: list[str] = field(default_factory=list)
    has_failed: bool = False

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._add("# Benchmarks\n\n" + "\n".join(machine.described()))

    def note(self, text: str) -> None:
        self._add(text)

    def part(self, title: str, measured: Callable[[], str]) -> None:
        """Measure a part and add its results. If it fails, that is reported and the other parts go on."""
        print(f"\n… {title}", flush=True)
        try:
            body = measured()
        except Exception as error:
            traceback.print_exc()
            self.has_failed = True
            body = f"Not measured: {type(error).__name__}: {error}"
        self._add(f"## {title}\n\n{body}")

    def plot(self, name: str) -> str:
        """A line that shows a plot of the folder; empty if it was not drawn."""
        return f"\n\n![{name}]({name})" if (self.folder / name).exists() else ""

    def _add(self, text: str) -> None:
        self.parts.append(text.strip())
        print(text.strip(), flush=True)
        (self.folder / "report.md").write_text("\n\n".join(self.parts) + "\n", "utf-8")


def printed(run: Callable[[], object]) -> str:
    """The output of a function, as a block of Markdown."""
    output = io.StringIO()
    with redirect_stdout(output):
        run()
    return f"```text\n{output.getvalue().strip()}\n```"
