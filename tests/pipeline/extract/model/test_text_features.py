"""Features of a block from its text."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract.model.columns import block_columns
from pipeline.extract.model.text_features import TEXT_FEATURES, text_features
from tests.pipeline.extract.pages import page_of


def features_of(html: str) -> list[dict[str, float]]:
    """The features of the text of every block of a page."""
    columns = block_columns([page_of(html)])
    links = np.array(columns.links_in, dtype=np.float32)
    found = text_features(columns.texts, columns.words, columns.chars, links)
    assert found.shape == (len(TEXT_FEATURES), len(columns.words))
    return [dict(zip(TEXT_FEATURES, row, strict=True)) for row in found.T.tolist()]


def test_characters_are_counted_in_each_text_by_itself() -> None:
    first, second = features_of(
        "<p>At 10:45 the <a>Mayor</a> said: «No.» Then, in 1999; he left /Łódź/.</p><p>a | b © c</p>"
    )
    assert first["upper"] * first["chars"] == pytest.approx(4)  # A, M, N, T; Ł is not among those counted
    assert first["capitalised"] * first["words"] == pytest.approx(4)
    assert first["commas"] * first["words"] == pytest.approx(2)
    assert first["stops"] == 0  # none of its full stops stands before a blank
    assert first["quotes"] == 2
    assert first["separators"] * first["words"] == pytest.approx(3)  # » and two strokes
    assert (first["clock"], first["address"], first["sentence_end"]) == (1, 0, 1)
    assert (second["clock"], second["address"], second["sentence_end"]) == (0, 1, 0)
    assert second["separators"] * second["words"] == pytest.approx(1)
    assert (second["lower_start"], first["lower_start"], first["upper_start"]) == (1, 0, 1)


@pytest.mark.parametrize(
    ("text", "clock", "address"),
    [
        ("since 2019", 1, 0),
        ("room 12019 or 1999x", 0, 0),
        ("9.30 p.m.", 1, 0),
        ("two: three", 0, 0),
        ("see https://example.org", 0, 1),
        ("write to desk@example.org", 0, 1),
        ("1", 0, 0),
        ("20", 0, 0),
    ],
)
def test_times_years_and_addresses_are_found_at_any_place(text: str, clock: int, address: int) -> None:
    # also where the next text could be read on from this one
    rows = features_of(f"<p>{text}</p><p>19 was the number</p><p>{text}</p>")
    assert [(row["clock"], row["address"]) for row in rows[::2]] == [(clock, address)] * 2
    assert rows[1]["clock"] == 0


def test_a_character_beyond_the_basic_plane_is_one_character() -> None:
    plain, other = features_of("<p>A dog and a Cat.</p><p>A 🐕🐕🐕 and a Cat.</p>")
    assert other["chars"] == plain["chars"]
    assert other["capitalised"] * other["words"] == pytest.approx(1)


def counted(pattern: str, text: str) -> int:
    return len(re.findall(pattern, text))


def plain_features(text: str, words: int, links: int) -> dict[str, float]:
    """The features of one text, by regular expressions."""
    upper = "[A-ZÀ-ÞА-ЯЁ]"
    return {
        "words": words,
        "chars": len(text),
        "word_length": len(text) / words,
        "links_per_word": links / words,
        "sentence_end": bool(re.search(r"[.!?…。।؟][\"'”’»)\]]{0,3}\Z", text)),
        "lower_start": text[0].islower() and ord(text[0]) < 0x10000,
        "upper_start": bool(re.match(upper, text)),
        "mark_start": not re.match(r"\w", text),
        "upper": counted(upper, text) / len(text),
        "capitalised": counted(rf"(?<!\w){upper}(?=\w)", text) / words,
        "commas": counted("[,،、;]", text) / words,
        "stops": counted(r"[.!?。।](?=\s)", text),
        "quotes": counted('["“”„«»「」]', text),
        "separators": counted("[|·•»›→▶►/]", text) / words,
        "address": bool(re.search("[@©]|://", text)),
        "clock": bool(re.search(r"\d[:.]\d\d|(?<!\w)(?:19|20)\d\d(?!\w)", text)),
    }


_PARTS = st.sampled_from(
    [*"ÉŁ,.?!”»1٣@©|/…。「」؟।🐕ßЖ-", "Mayor", "a", "10:45", "9.30", "1999", "2019x", "20", "https://x"]
)
_TEXTS = st.lists(st.one_of(_PARTS, _PARTS, st.just(" ")), min_size=1, max_size=12).map("".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(_TEXTS, min_size=1, max_size=5))
def test_all_texts_in_one_pass_give_what_each_gives_by_itself(texts: list[str]) -> None:
    words = np.arange(1, len(texts) + 1, dtype=np.float32)
    links = np.arange(len(texts), dtype=np.float32)
    chars = np.array([*map(len, texts)], dtype=np.float32)
    found = text_features(texts, words, chars, links)
    for number, text in enumerate(texts):
        expected = plain_features(text, number + 1, number)
        row = dict(zip(TEXT_FEATURES, found[:, number].tolist(), strict=True))
        assert row == pytest.approx({name: float(value) for name, value in expected.items()}), text
