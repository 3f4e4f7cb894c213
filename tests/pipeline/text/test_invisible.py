"""Characters that show nothing go, and joiners stay where a script is written with them."""

import pytest

from pipeline.text import without_invisible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hafen\u00adbehörde", "Hafenbehörde"),
        ("\ufeffThe “harbour\u200b”", "The “harbour”"),
        ("\u200fהנמל\u200e נסגר\u202c", "הנמל נסגר"),
        ("one\u2060two\u2063three\ufffc", "onetwothree"),
        ("Auf\u200clage für Häuser\u200d", "Auflage für Häuser"),
        ("a\u200bb ไทย\u200b", "ab ไทย"),
    ],
)
def test_characters_that_show_nothing_go(text: str, shown: str) -> None:
    assert without_invisible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",  # Persian
        "क्\u200dष और क्\u200cष",  # Hindi
        "ක්\u200dර",  # Sinhala
        "👩\u200d🚒 und ❤️\u200d🔥",
        "ភាសា\u200bខ្មែរ",  # Khmer, between two words
        "plain ASCII",
        "naïve café — “quoted”",
    ],
)
def test_what_a_script_is_written_with_stays(text: str) -> None:
    assert without_invisible(text) == text
