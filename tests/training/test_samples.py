"""Labelled pages as training reads them, and the odds of the names on them."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.extract.model.page_features import PAGE_FEATURES
from pipeline.extract.model.reader_features import READER_FEATURES
from pipeline.extract.trafilatura_adapter import TrafilaturaFailed
from training.name_odds import ballots, learn_odds
from training.samples import Sample, read_corpus

STORY = [
    f"Sentence {number} of the story says what the harbour board decided on Tuesday about the channel."
    for number in range(6)
]
TEASER = "Read in our newsletter every Friday what else the harbour board has decided about the channel."


def page(site: str) -> str:
    story = "".join(f"<p>{text} {site}</p>" for text in STORY)
    box = f'<div class="newsletter-box"><p>{TEASER}</p></div>'
    return f"<html><body><main><div class='story-text'>{story}</div>{box}</main></body></html>"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "news"
    (folder / "html").mkdir(parents=True)
    records = []
    for number in range(5):
        name, site = f"site{number}_1.html.gz", f"site{number}"
        (folder / "html" / name).write_bytes(gzip.compress(page(site).encode()))
        text = "\n".join(f"{line} {site}" for line in STORY)
        records.append({"id": name, "url": f"https://{site}.example/1", "text": text})
    (folder / "html" / "empty.html").write_text("<html><body></body></html>")
    records.append({"id": "empty.html", "text": ""})
    (folder / "truth.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n")
    return folder


@pytest.fixture
def samples(corpus: Path) -> list[Sample]:
    return list(read_corpus(corpus))


def test_every_page_that_shows_text_is_a_sample_of_its_site(samples: list[Sample]) -> None:
    assert [sample.site for sample in samples] == [f"site{number}" for number in range(5)]
    assert {sample.corpus for sample in samples} == {"news"}
    sample = samples[0]
    assert sample.features.shape == (len(PAGE_FEATURES) + len(READER_FEATURES), len(sample.label))
    assert sample.label.tolist() == [1.0] * 6 + [0.0]
    assert "Sentence 5" in sample.ruled_text
    assert TEASER not in sample.ruled_text


def test_a_sample_has_the_text_of_trafilatura_and_what_either_reader_took(samples: list[Sample]) -> None:
    sample = samples[0]
    assert "Sentence 5" in sample.read_text
    assert sample.candidates.share.tolist()[:6] == sample.candidates.own.tolist()[:6] == [1.0] * 6


def test_a_page_on_which_trafilatura_fails_is_a_sample_without_its_text(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(root: object) -> list[str]:
        raise TrafilaturaFailed("of a tree")

    monkeypatch.setattr("pipeline.extract.candidates.article_lines", broken)
    sample = next(read_corpus(corpus))
    assert sample.read_text == ""
    assert sample.candidates.share.max() == 0.0
    assert "Sentence 5" in sample.ruled_text


def test_a_ballot_holds_the_text_of_the_article_and_all_text_under_each_word(samples: list[Sample]) -> None:
    sample = samples[0]
    everything = np.ones(len(sample.label), dtype=np.float32)
    taken, others = ballots(sample.candidates.columns.pages[0], everything, sample.label)
    assert others == {}
    assert taken["story"] == taken["text"]
    kept, weight = taken["story"]
    assert kept == weight > 0
    assert taken["newsletter"][0] == 0.0
    assert taken[""][1] == pytest.approx(weight + taken["newsletter"][1])


def test_words_of_names_get_odds_if_enough_sites_use_them(samples: list[Sample]) -> None:
    taken = {"": (60.0, 100.0), "body": (50.0, 50.0), "share": (0.0, 30.0), "wide": (12.0, 20.0)}
    voted = [replace(sample, ballots=(taken, {})) for sample in samples]
    odds = learn_odds(voted)
    assert odds["body"][0] > 0.3
    assert odds["share"][0] < -0.3
    assert "wide" not in odds  # as often as all text: no evidence
    assert learn_odds(voted[:3]) == {}
