"""Identifies the language of a text by its content.

Metadata often states the language of the site's template and not that of the story. So the content decides
where there is enough of it. The language that the page states decides short and unclear texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from itertools import islice
from types import SimpleNamespace
from typing import TYPE_CHECKING

from pipeline.text.function_words import language_by_function_words

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# More text takes longer and changes no decision.
SAMPLE_CHARS = 3000
# py3langid reads so many stretches of the sample, evenly spaced and of so many characters, because most of
# its time is spent reading. docs/tuning.md: STRETCHES
STRETCHES = 10
STRETCH_CHARS = 100
# Fewer letters do not decide (a headline of names fits any language).
MIN_LETTERS = 25
# With a lower probability the language that the page states is the better guess.
SURE = 0.9

# Languages of the model in which there is no news: constructed or ancient. Languages with codes of three
# letters are left out as well, or market tables in telegram English would be identified as a pidgin.
NO_NEWS = frozenset({"an", "eo", "la", "sa", "vo", "wa"})

_LETTER = re.compile(r"[^\W\d_]")
_SUBTAG = re.compile(r"[a-z]{2,3}(?=$|[-_])")
_CJK_LETTERS = 8


def identify_language(text: str, hint: str | None = None) -> str | None:
    """ISO 639-1 code of the text's language, lower case; None where neither text nor hint decides.

    hint: the language that the page or record states ("de", "pt-BR", "en_US"); its region is ignored.
    """
    stated = _subtag(hint)
    sample = text[:SAMPLE_CHARS]
    letters = [match[0] for match in islice(_LETTER.finditer(sample), MIN_LETTERS)]
    wide = sum(letter >= "\u0e00" for letter in letters)
    if len(letters) < (_CJK_LETTERS if wide * 2 > len(letters) else MIN_LETTERS):
        return stated
    # Letters that only one of these two has decide also short and mixed texts, where n-grams do not.
    if stated in ("ru", "uk"):
        small = sample.lower()
        ukrainian = sum(small.count(letter) for letter in "іїєґ")
        russian = sum(small.count(letter) for letter in "ыэёъ")
        if max(ukrainian, russian) >= 5 * max(1, min(ukrainian, russian)):
            return "uk" if ukrainian > russian else "ru"
    if (language := language_by_function_words(sample)) is not None:
        return language
    code, probability = language_model().classify(_stretches(sample))
    if probability < SURE and stated:
        return stated
    return str(code)


def _stretches(sample: str) -> str:
    """Evenly spaced parts of a longer text, the first at its beginning and the last at its end."""
    if len(sample) <= STRETCHES * STRETCH_CHARS:
        return sample
    step = (len(sample) - STRETCH_CHARS) // (STRETCHES - 1)
    return "\n".join(sample[start * step : start * step + STRETCH_CHARS] for start in range(STRETCHES))


def _subtag(hint: str | None) -> str | None:
    match = _SUBTAG.match((hint or "").strip().lower())
    return match.group() if match else None


@contextmanager
def _unpacked_in_memory() -> Iterator[None]:
    """Let py3langid unpack its model (68 MB) in memory. It does so in a temporary file, and without room in
    $TMPDIR no worker could start.
    """
    from py3langid import modelio

    files = modelio.tempfile
    modelio.tempfile = SimpleNamespace(TemporaryFile=lambda **_: BytesIO())
    try:
        yield
    finally:
        modelio.tempfile = files


@cache
def language_model() -> LanguageIdentifier:
    """py3langid's model, for texts that function words do not decide; it takes half a second to load."""
    import numpy as np
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    with _unpacked_in_memory():
        identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    labels = [str(label) for label in identifier.labels]
    identifier.set_languages([label for label in labels if len(label) == 2 and label not in NO_NEWS])
    # A row of this table is read for every feature found. As loaded, the numbers of a row lie far apart in
    # memory, and reading them takes as long as reading the text.
    identifier.nb_ptc = np.ascontiguousarray(identifier.nb_ptc)
    return identifier
