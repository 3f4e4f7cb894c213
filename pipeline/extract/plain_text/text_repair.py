"""Repairs copied text: wrong decoding, control characters and unusual line ends."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import ftfy
from ftfy.badness import is_bad

from pipeline.text import without_invisible

_FIXES = ftfy.TextFixerConfig(uncurl_quotes=False, fix_latin_ligatures=False, fix_character_width=False)
# What ftfy may change besides wrong decoding: escaped characters, line ends, controls, marks of annotations.
_CHANGED = re.compile(
    "[&\r\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u2028\u2029\u206a-\u206f\ud800-\udfff\ufeff\ufff9-\ufffc]"
)
# ftfy splits longer lines.
_LONGEST_LINE = 100_000
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def repair_text(text: str) -> str:
    """The text without the traces of wrong decoding, control and invisible characters, and unusual line ends.

    ftfy knows the code pages of Western and Central Europe. In those that it leaves out (Greek, Hebrew,
    Arabic, Baltic, Vietnamese) curly quotes become different letters, which are replaced here.
    """
    found, punctuation = _mojibake()
    text = found.sub(lambda match: punctuation[match.group()], text)
    fixes = _FIXES
    lines: list[str] = _LINE.findall(text)
    for number, line in enumerate(lines):
        if not _is_sound(line):
            lines[number] = ftfy.fix_text(line, fixes)
        if "<" in line:  # From here on the text quotes markup, and what is escaped in it is meant so.
            fixes = fixes._replace(unescape_html=False)
    return without_invisible("".join(lines))


def _is_sound(line: str) -> bool:
    """Whether ftfy would leave the line alone. Nearly all are sound, and ftfy takes long for each."""
    if _CHANGED.search(line):
        return False
    return line.isascii() or (
        len(line) < _LONGEST_LINE and unicodedata.is_normalized("NFC", line) and not is_bad(line)
    )


@cache
def _mojibake() -> tuple[re.Pattern[str], dict[str, str]]:
    """What typographic punctuation becomes when its UTF-8 is decoded by those code pages.

    An expression that finds any of it, and the punctuation by what it became.
    """
    punctuation: dict[str, str] = {}
    for page in ("cp1253", "cp1255", "cp1256", "cp1257", "cp1258"):
        for char in "‘’‚“”„–—…•€™‹›\u2009\u200a\u200b\u202f":
            # Bytes that a code page leaves free are decoded as Windows-1252, or as controls.
            for spare in ("cp1252", "latin-1"):
                wrong = "".join(_read(byte, page, spare) for byte in char.encode())
                punctuation.setdefault(wrong, char)
    alternatives = sorted(punctuation, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, alternatives))), punctuation


def _read(byte: int, page: str, spare: str) -> str:
    for encoding in (page, spare, "latin-1"):
        try:
            return bytes([byte]).decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AssertionError("latin-1 reads every byte")
