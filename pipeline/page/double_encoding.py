"""Undoes UTF-8 that was encoded twice: "weâ€™ll" where the page means "we’ll".

A page may be wrong as a whole, or in one part that a template took from elsewhere. ftfy knows which
characters are such traces. It takes long to load and long to read a page, so it sees only pages in which a
quick test finds several traces, and of these only the pieces of text that are not ASCII.
"""

from __future__ import annotations

import re
from html import unescape
from itertools import islice

# What the first and the following bytes of a character become when they are encoded again: a letter from À
# to ô, and a control or one of the symbols that Windows-1252 has in place of the controls.
_TRACE = re.compile(
    rb"\xc3[\x82-\xb4](?:\xc2[\x80-\xbf]|\xe2(?:\x80[\x93-\xba]|\x82\xac|\x84\xa2)"
    rb"|\xc5[\x92\x93\xa0\xa1\xb8\xbd\xbe]|\xc6\x92|\xcb[\x86\x9c])"
)
# The same as references: an editor escaped the wrong text.
_ESCAPED_TRACE = re.compile(rb"&(?:Atilde|Acirc|acirc);(?:&[A-Za-z]{2,8};|[\xc2-\xe2])")
_ESCAPED = re.compile(r"&(?:Atilde|Acirc|acirc);(?:&[A-Za-z]{2,8};|[^\x00-\x7f]){1,2}")
# Fewer traces are an accident ("é»" in French) or an example in a story about encodings.
_FEWEST_TRACES = 3
# Where markup, attributes and strings in scripts begin and end.
_BETWEEN_PIECES = re.compile(r'([<>"\n])')

# Controls that no page means: bytes of Windows-1252 which were taken for Latin-1.
_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")
_CONTROLS = {code: bytes([code]).decode("cp1252", "ignore") or None for code in range(0x80, 0xA0)}


def undo_double_encoding(body: bytes, text: str) -> str:
    """The text of a page in UTF-8, without the traces of an encoding that was applied twice.

    body: the bytes that the text was decoded from.
    """
    if _has_several(_ESCAPED_TRACE, body):
        text = _ESCAPED.sub(_repaired, text)
    if b"\xc3" in body and _has_several(_TRACE, body):
        # Imported here because few pages need it.
        from ftfy import fix_encoding

        pieces = _BETWEEN_PIECES.split(text)
        text = "".join(piece if piece.isascii() else fix_encoding(piece) for piece in pieces)
    return text.translate(_CONTROLS) if b"\xc2" in body and _CONTROL.search(body) else text


def _has_several(trace: re.Pattern[bytes], body: bytes) -> bool:
    return next(islice(trace.finditer(body), _FEWEST_TRACES - 1, None), None) is not None


def _repaired(found: re.Match[str]) -> str:
    """The character that a run of references stands for."""
    from ftfy import fix_encoding

    fixed = fix_encoding(unescape(found[0]))
    return found[0] if fixed.isascii() else fixed
