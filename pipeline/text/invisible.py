"""Characters that show nothing: soft hyphens, zero-width spaces, byte order marks, direction marks.

Templates and editors leave them between the letters of a word. A search for the word then misses it, and two
copies of a sentence differ. Joiners stay where a script is written with them.
"""

from __future__ import annotations

import re

from pipeline.text.writing_systems import UNSPACED_RANGES

# Soft hyphen, Arabic letter mark, Mongolian vowel separator, direction marks and embeddings, word joiner and
# invisible operators, deprecated format characters, byte order mark, annotation marks, object replacement.
_NOTHING = "\u00ad\u061c\u180e\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc"
# Scripts in which a joiner or non-joiner changes the letters beside it, and emoji, which are joined to one.
_JOINED = (
    "\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\u1900-\u1cff\ua800-\ua8ff\ua980-\uabff\ufb50-\ufdff"
    "\ufe0f\ufe70-\ufefc\u2190-\u2bff\U00011000-\U00011fff\U0001f000-\U0001faff"
)
# Thai, Lao, Burmese and Khmer have no spaces; a zero-width space shows where a word ends.
_WORDS_RUN_ON = "".join(f"{chr(first)}-{chr(last)}" for first, last in UNSPACED_RANGES[:8])

_INVISIBLE = re.compile(
    rf"[{_NOTHING}]+|(?<![{_JOINED}])[\u200c\u200d]+|(?<![{_WORDS_RUN_ON}])\u200b+|\u200b+(?![{_WORDS_RUN_ON}])"
)


def without_invisible(text: str) -> str:
    """The text without characters that show nothing."""
    return text if text.isascii() else _INVISIBLE.sub("", text)
