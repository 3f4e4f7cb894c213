"""Reads pages of a folder of corpora as documents for the pipeline."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.extraction import key_of, read_bytes
from benchmarks.repository import as_document
from pipeline.document import Document


def arguments_of(description: str | None, rounds: int) -> argparse.ArgumentParser:
    """The arguments of a measurement on pages: which corpora, how much of them, how often."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path, help="folder of corpora")
    parser.add_argument("--only", nargs="*", default=(), help="names of corpora, default all with pages")
    parser.add_argument("--sample", type=int, default=1, help="every Nth page only")
    parser.add_argument("--rounds", type=int, default=rounds)
    return parser


def corpora_with_pages(folder: Path, only: Sequence[str] = ()) -> Iterator[Path]:
    """The corpora of a folder that hold pages, in order of name."""
    for truth in sorted(folder.glob("*/truth.jsonl")):
        has_pages = any((truth.parent / name).is_dir() for name in ("html", "pages"))
        if has_pages and (not only or truth.parent.name in only):
            yield truth.parent


def missing(folder: Path, only: Sequence[str]) -> list[str]:
    """Corpora that were named, but that are not in the folder or have no pages."""
    found = {corpus.name for corpus in corpora_with_pages(folder)}
    return [name for name in only if name not in found]


def read_pages(corpus: Path, step: int = 1, most: int | None = None) -> list[Document]:
    """Every `step`-th page of a corpus, up to a limit."""
    with (corpus / "truth.jsonl").open(encoding="utf-8") as lines:
        truths = [json.loads(line) for line in lines if line.strip()][::step][:most]
    return [
        as_document(
            read_bytes(corpus, key_of(truth)), str(truth.get("url") or f"https://page.example/{number}")
        )
        for number, truth in enumerate(truths)
    ]
