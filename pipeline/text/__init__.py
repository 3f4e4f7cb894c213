"""Words, sentences, writing systems, languages, news agencies: what is known of a text without a page.

Everything else in pipeline/ builds on it, so it imports none of it.
"""

from pipeline.text.agencies import (
    AGENCIES,
    ANY_AGENCY,
    ANY_BARE,
    ANY_CREDIT,
    ANY_INITIALS,
    Agency,
    agency_of_name,
    agency_of_site,
    is_agency_site,
)
from pipeline.text.invisible import without_invisible
from pipeline.text.language import identify_language, language_model
from pipeline.text.search_words import LEFT_OUT, FoldedWord, folded_words, make_search_words, query_words
from pipeline.text.sentences import (
    AFTER_SENTENCE,
    CLOSING,
    EXCLAMATIONS,
    FULL_STOPS,
    QUESTIONS,
    STOPS,
    ends_sentence,
    has_long_unstopped,
    sentences,
)
from pipeline.text.stream_safe import MOST_MARKS, stream_safe
from pipeline.text.words import RUN, WORD, runs, runs_key, word_count, words, words_key
from pipeline.text.writing_systems import HANGUL, UNSPACED, UNSPACED_RANGES

__all__ = [
    "AFTER_SENTENCE",
    "AGENCIES",
    "ANY_AGENCY",
    "ANY_BARE",
    "ANY_CREDIT",
    "ANY_INITIALS",
    "CLOSING",
    "EXCLAMATIONS",
    "FULL_STOPS",
    "HANGUL",
    "LEFT_OUT",
    "MOST_MARKS",
    "QUESTIONS",
    "RUN",
    "STOPS",
    "UNSPACED",
    "UNSPACED_RANGES",
    "WORD",
    "Agency",
    "FoldedWord",
    "agency_of_name",
    "agency_of_site",
    "ends_sentence",
    "folded_words",
    "has_long_unstopped",
    "identify_language",
    "is_agency_site",
    "language_model",
    "make_search_words",
    "query_words",
    "runs",
    "runs_key",
    "sentences",
    "stream_safe",
    "without_invisible",
    "word_count",
    "words",
    "words_key",
]
