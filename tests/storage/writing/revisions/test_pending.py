"""The current text of an article."""

from __future__ import annotations

import pytest

from storage.writing.revisions.pending import PendingArticle, TextRevision
from tests.storage.news import START


def text_of(fetched_us: int, hash: bytes) -> TextRevision:
    return TextRevision({"fetched_us": fetched_us, "text_hash": hash}, (), None, None)


@pytest.mark.parametrize(
    ("texts", "current"),
    [
        ([(5, b"a")], b"a"),
        ([(5, b"a"), (6, b"b"), (4, b"c")], b"b"),
        ([(5, b"b"), (5, b"a")], b"b"),
    ],
)
def test_the_text_fetched_last_is_current_and_at_the_same_moment_the_greater_hash(
    texts: list[tuple[int, bytes]], current: bytes
) -> None:
    pending = PendingArticle(1, "https://a.example/1", "a.example", START)
    pending.texts = {hash: text_of(at, hash) for at, hash in texts}

    assert pending.current.columns["text_hash"] == current
