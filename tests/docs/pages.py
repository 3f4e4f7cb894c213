"""The pages of the documentation, and the code blocks on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)


@dataclass(frozen=True)
class Block:
    """A fenced code block; `language` is what stands after its opening fence."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(*languages: str, page: str | None = None) -> list[Block]:
    """The blocks in these languages, of one page or of all, in order."""
    found = []
    for path in PAGES:
        name = path.relative_to(ROOT).as_posix()
        if page not in (None, name):
            continue
        text = path.read_text(encoding="utf-8")
        for fenced in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            if fenced[1] in languages:
                found.append(Block(name, text.count("\n", 0, fenced.start()) + 1, fenced[1], fenced[2]))
    return found
