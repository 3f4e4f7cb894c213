"""Words, scripts and languages: what is known of a text without a page around it.

Everything else in pipeline/ builds on it, so it imports none of it.
"""

from pipeline.text.language import identify, model
from pipeline.text.scripts import THAI_AND_LAO, UNSPACED, UNSPACED_RANGES
from pipeline.text.search_words import LEFT_OUT, FoldedWord, folded_words, make_search_words, query_words
from pipeline.text.words import word_finder

__all__ = [
    "LEFT_OUT",
    "THAI_AND_LAO",
    "UNSPACED",
    "UNSPACED_RANGES",
    "FoldedWord",
    "folded_words",
    "identify",
    "make_search_words",
    "model",
    "query_words",
    "word_finder",
]
