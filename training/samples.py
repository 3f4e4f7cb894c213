"""Reads labelled pages as extraction does, for training."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.folds import site_of_page
from pipeline.document import DocumentRejected, MediaType
from pipeline.extract.candidates import first_pass
from pipeline.extract.model.columns import Array, CandidateBlocks, block_columns, candidate_blocks
from pipeline.extract.model.page_features import StatedTexts, page_features
from pipeline.extract.model.predict import shares_of_blocks
from pipeline.extract.open_page import OpenPage, open_page
from pipeline.extract.structure import judge_passages
from pipeline.extract.trafilatura_adapter import article_lines
from pipeline.page.blocks import segment_page
from pipeline.page.decode import decode_body
from pipeline.settings import Settings
from training.labels import label_blocks
from training.name_odds import Ballot, ballots

# Pages of the corpora have no time of fetching. All were saved before this time.
FETCHED_AT = datetime(2026, 12, 31, tzinfo=UTC)


@dataclass(slots=True)
class Sample:
    """One labelled page.

    truth: its true text. opened: the page as extraction has it. candidates, label, features: of the page cut
    into blocks link by link, which is how the model learns. extractor_text: Trafilatura's text, empty if it
    was not asked for. ruled_text: the first pass after the rules. features: page features,
    (features, blocks); name features are missing, because the odds of names depend on the pages in training.
    """

    corpus: str
    site: str
    truth: str
    opened: OpenPage
    candidates: CandidateBlocks
    extractor_text: str
    ruled_text: str
    label: Array
    features: Array
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
        opened = open_page(html, url, FETCHED_AT, Settings())
    except DocumentRejected:
        return None
    page, about = segment_page(opened.root, link_by_link=True), opened.about
    columns = block_columns([page])
    (passages,) = first_pass(columns, [about])
    judged = judge_passages(page, passages, about)
    kept = [passage for passage, rule in judged if rule is None]
    share = shares_of_blocks(page, passages)
    candidates = candidate_blocks(columns, share, shares_of_blocks(page, kept))
    label = label_blocks(page.blocks, record["text"])
    return Sample(
        corpus=corpus,
        site=site_of_page(corpus, record),
        truth=record["text"],
        opened=opened,
        candidates=candidates,
        extractor_text="\n".join(article_lines(opened.root)) if is_measured else "",
        ruled_text="\n".join(passage.text for passage in kept),
        label=label,
        features=page_features(candidates, [StatedTexts(about.titles, about.descriptions)]),
        ballots=ballots(page, share, label),
    )
