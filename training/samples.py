"""Reads labelled pages as extraction does, for training."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.folds import site_of_page
from pipeline.document import DocumentRejected, MediaType
from pipeline.extract.html import OpenPage, article_lines, read_page, seen_pieces
from pipeline.extract.model.columns import Array, View, columns_of, view_of
from pipeline.extract.model.page_features import PAGE_NAMES, Stated, page_evidence
from pipeline.extract.model.trees import shares
from pipeline.extract.structure import judge_pieces
from pipeline.page.blocks import segment_page
from pipeline.page.decode import decode_body
from training.labels import label_blocks
from training.name_odds import Ballot, ballots

# Pages of the corpora carry no time of fetching; they were all saved before this.
FETCHED_AT = datetime(2026, 12, 31, tzinfo=UTC)


@dataclass(slots=True)
class Sample:
    """One labelled page.

    truth: its true text. opened: the page as extraction has it. view, label, evidence: of the page cut into
    blocks link by link, which is how the model learns. extractor_text: Trafilatura's text, empty if it was
    not asked for. ruled_text: the first pass after the rules. evidence: page features, (features, blocks);
    name features are missing, because the odds of names depend on the pages in training.
    """

    corpus: str
    site: str
    truth: str
    opened: OpenPage
    view: View
    extractor_text: str
    ruled_text: str
    label: Array
    evidence: Array
    ballots: tuple[Ballot, Ballot]


def read_corpus(folder: Path, is_measured: bool = True) -> Iterator[Sample]:
    """The pages of a corpus that show any text. is_measured: with Trafilatura's text, which takes longest."""
    # Not splitlines(): texts hold line separators that JSON does not escape.
    for line in (folder / "truth.jsonl").read_text(encoding="utf-8").strip("\n").split("\n"):
        record = json.loads(line)
        name = str(record.get("path") or record["id"])
        path = next(p for p in (folder / "html" / name, folder / "pages" / name) if p.exists())
        body = path.read_bytes()
        if name.endswith(".gz"):
            body = gzip.decompress(body)
        sample = _read_page(decode_body(body, None, MediaType.HTML), record, folder.name, is_measured)
        if sample is not None:
            yield sample


def _read_page(html: str, record: Mapping[str, Any], corpus: str, is_measured: bool) -> Sample | None:
    url = str(record.get("url") or "")
    try:
        root, whole, about = read_page(html, url, FETCHED_AT)
    except DocumentRejected:
        return None
    page = segment_page(root, link_by_link=True)
    columns = columns_of([page])
    (pieces,) = seen_pieces(columns, [about])
    judged = judge_pieces(page, pieces, about)
    verdict = shares(page, ((piece.index, piece.text) for piece in pieces))
    ruled = shares(page, ((piece.index, piece.text) for piece, rule in judged if rule is None))
    view = view_of(columns, verdict, ruled)
    evidence = np.empty((len(PAGE_NAMES), len(page.blocks)), dtype=np.float32)
    page_evidence(evidence, view, [Stated(about.titles, about.descriptions)])
    label = label_blocks(page.blocks, record["text"])
    return Sample(
        corpus=corpus,
        site=site_of_page(corpus, record),
        truth=record["text"],
        opened=OpenPage(root, whole, about),
        view=view,
        extractor_text="\n".join(article_lines(root)) if is_measured else "",
        ruled_text="\n".join(piece.text for piece, rule in judged if rule is None),
        label=label,
        evidence=evidence,
        ballots=ballots(page, verdict, label),
    )
