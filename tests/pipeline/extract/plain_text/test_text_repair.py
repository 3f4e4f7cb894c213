"""Copied text without the traces of wrong decoding."""

import ftfy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.extract.plain_text.text_repair import repair_text


@pytest.mark.parametrize("page", ["cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1257"])
@pytest.mark.parametrize("text", ["“It’s the old boat,” she said — and sailed…"])
def test_quotes_read_in_a_wrong_code_page_are_restored(page: str, text: str) -> None:
    wrong = "".join(_as_read(byte, page) for byte in text.encode())
    assert repair_text(wrong) == text


def _as_read(byte: int, page: str) -> str:
    for encoding in (page, "cp1252", "latin-1"):
        try:
            return bytes([byte]).decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AssertionError(byte)


# Parts that ftfy changes, alone or next to one another, and parts that it leaves alone.
SCRAPS = [
    "é".encode().decode("cp1252"),
    "Â ",
    "à ",
    "&amp;",
    "&lt;",
    "<b>",
    "\r\n",
    "\r",
    "\x03",
    "\x1b[1m",
    "\x85",
]
SCRAPS += ["\u2028", "e\u0301", "\ufeff", "€", "œ", "“", "a", "the ", "\n", " ", "ß", "Привет", "\ufffd"]


@given(st.lists(st.sampled_from(SCRAPS), max_size=12).map("".join))
def test_a_text_is_repaired_as_ftfy_repairs_it_whole(text: str) -> None:
    fixes = ftfy.TextFixerConfig(uncurl_quotes=False, fix_latin_ligatures=False, fix_character_width=False)
    assert repair_text(text) == ftfy.fix_text(text, fixes)


@pytest.mark.parametrize("text", ["β-carotene costs 5 €.", "Η Αθήνα", "“quoted” ‘text’", "naïve café", "ﬁne"])
def test_sound_text_is_left_as_it_is(text: str) -> None:
    assert repair_text(text) == text
