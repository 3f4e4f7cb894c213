"""Reads JSON values that follow each other in a stream: an array of objects, or objects on many lines each.

Only the value that is being read is in memory. A value that is larger than a document may be, or is no JSON,
ends the reading with a rejection: nothing says where the next one begins.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator

from crawler.files.unpack import Reader

# Bytes that are read at once, at least; more where a value is longer.
_STEP = 1 << 16
_BETWEEN = " \t\r\n,"


class BrokenValue(Exception):
    """What is in the stream is no JSON, or is too large; the message says which.

    Caught where values become documents.
    """


def json_values(reader: Reader, limit: int) -> Iterator[object]:
    """The values of the stream; those of an array if it is one. limit: bytes of a value.

    Raises BrokenValue. The time is linear in the bytes: each value is tried again when as much more was read.
    """
    decoder, decode = json.JSONDecoder(), codecs.getincrementaldecoder("utf-8-sig")("replace").decode
    text, at, is_end, is_begun = "", 0, False, False
    while True:
        while at < len(text) and text[at] in _BETWEEN:
            at += 1
        if at < len(text) and not is_begun:
            is_begun = True
            at += text[at] == "["
            continue
        if at < len(text) and text[at] == "]":
            return
        if at < len(text):
            try:
                value, at = decoder.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                if is_end or isinstance(error, RecursionError):
                    raise BrokenValue(f"no JSON: {error}") from error
                if len(text) - at > limit:
                    raise BrokenValue(f"no JSON, or a value longer than {limit} bytes") from error
            else:
                yield value
                continue
        elif is_end:
            return
        text, at = text[at:], 0
        piece = reader.read(max(_STEP, len(text)))
        is_end = not piece
        text += decode(piece, final=is_end)
