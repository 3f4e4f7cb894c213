"""Words, scripts and languages: what is known of a text without a page around it.

Everything else in pipeline/ builds on it, so it imports none of it.
"""

from pipeline.text.language import identify, model
from pipeline.text.scripts import THAI_AND_LAO, UNSPACED, UNSPACED_RANGES
from pipeline.text.words import word_finder

__all__ = [
    "THAI_AND_LAO",
    "UNSPACED",
    "UNSPACED_RANGES",
    "identify",
    "model",
    "word_finder",
]
