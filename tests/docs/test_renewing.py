"""A renewed transcript agrees with what is printed, and keeps its omissions and its layout."""

from __future__ import annotations

import pytest

from tests.docs.pages import blocks
from tests.docs.renewing import renewed
from tests.docs.shell import is_as_printed, transcripts

PRINTED = """\
group 8 · 7 copies on 6 sites
   45  431 words  near, 100% contained     maid.html                A headline that is long
*  59  1369 words                          tessaryobserver.example  same title
    8  367 words  near, 98% contained      ferry-stranded.txt       Divers find no leak

512 lines removed
"""


@pytest.mark.parametrize(
    ("said", "new"),
    [
        (
            "[…]\n511 lines removed\n",
            "[…]\n512 lines removed\n",
        ),
        (
            "group 9 · 7 copies on 6 sites\n[…]\n*  59  369 words  tessaryobserver.example  same…\n[…]\n",
            "group 8 · 7 copies on 6 sites\n[…]\n*  59  1369 words  tessaryobserver.example  same…\n[…]\n",
        ),
        (
            "[…]\n    8  367 words  near, 98% contained  ferry.txt           Divers…\n\n512 lines\n",
            "[…]\n    8  367 words  near, 98% contained  ferry-stranded.txt  Divers…\n\n512 lines removed\n",
        ),
    ],
)
def test_words_that_differ_are_replaced(said: str, new: str) -> None:
    assert not is_as_printed(said, PRINTED)
    assert renewed(said, PRINTED) == new
    assert is_as_printed(new, PRINTED)


@pytest.mark.parametrize("said", ["", "[…]", "nothing of it\n", PRINTED, "group…\n[…]\n512 lines removed\n"])
def test_whatever_stood_there_agrees_afterwards(said: str) -> None:
    assert is_as_printed(renewed(said, PRINTED), PRINTED)


def test_what_agrees_stays_as_it_is() -> None:
    for block in blocks("console"):
        for _, said in transcripts(block):
            if "…" not in said:
                assert renewed(said, said) == said
