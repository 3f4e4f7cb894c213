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
from pipeline.extract.candidates import find_candidates
from pipeline.extract.extractors.copydesk import block_evidence, judge
from pipeline.extract.model.columns import Array, CandidateBlocks, block_columns, candidate_blocks
from pipeline.extract.model.page_features import StatedTexts, page_features
from pipeline.extract.model.reader_features import reader_features
from pipeline.extract.open_page import OpenPage, open_page
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
    into blocks link by link, which is how the model learns. read_text: Trafilatura's text. ruled_text: what
    either reader took, after the rules. features: of page and readers, (features, blocks); name features are
    missing, because the odds of names depend on the pages in training.
    """

    corpus: str
    site: str
    truth: str
    opened: OpenPage
    candidates: CandidateBlocks
    read_text: str
    ruled_text: str
    label: Array
    features: Array
    ballots: tuple[Ballot, Ballot]


def read_corpus(folder: Path) -> Iterator[Sample]:
    """The pages of a corpus that show any text."""
    # Not splitlines(): texts hold line separators that JSON does not escape.
    for line in (folder / "truth.jsonl").read_text(encoding="utf-8").strip("\n").split("\n"):
        record = json.loads(line)
        name = str(record.get("path") or record["id"])
        path = next(p for p in (folder / "html" / name, folder / "pages" / name) if p.exists())
        body = path.read_bytes()
        if name.endswith(".gz"):
            body = gzip.decompress(body)
        sample = _read_page(decode_body(body, None, MediaType.HTML), record, folder.name)
        if sample is not None:
            yield sample


def _read_page(html: str, record: Mapping[str, Any], corpus: str) -> Sample | None:
    url = str(record.get("url") or "")
    try:
        opened = open_page(html, url, FETCHED_AT, Settings())
    except DocumentRejected:
        return None
    about = opened.about
    page = segment_page(opened.root, link_by_link=True)
    by_links = [OpenPage(opened.root, page, about)]
    columns = block_columns([page])
    found = find_candidates(columns, by_links)
    judged = judge(by_links, found)
    candidates = candidate_blocks(columns, block_evidence(columns, found, judged))
    label = label_blocks(page.blocks, record["text"])
    stated = [StatedTexts(about.titles, about.descriptions)]
    return Sample(
        corpus=corpus,
        site=site_of_page(corpus, record),
        truth=record["text"],
        opened=opened,
        candidates=candidates,
        read_text="\n".join(passage.text for passage in found[0].by_trafilatura or ()),
        ruled_text="\n".join(passage.text for passage, rule, _ in judged[0] if rule is None),
        label=label,
        features=np.concatenate([page_features(candidates, stated), reader_features(candidates)]),
        ballots=ballots(page, candidates.share, label),
    )
