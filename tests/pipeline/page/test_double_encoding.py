"""UTF-8 that was encoded twice, in a whole page or in a part of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.page.double_encoding import undo_double_encoding

STORY = (
    '<p title="The Mayor’s café">“We’ll open the café on Łódź Street,” the mayor said — and didn’t.</p>',
    "<p>Die Brücke über den Fluß kostet 3 € mehr, „viel mehr“, sagte Čapek.</p>",
    "<p>Мост закрыли в среду, сообщил мэр.</p>",
    "<p>県は水曜日、港の新しい堤防を公開した。</p>",
)


def twice(text: str, page: str) -> str:
    """The text as a program shows it that took its UTF-8 for another encoding."""
    return "".join(_read(byte, page) for byte in text.encode())


def _read(byte: int, page: str) -> str:
    try:
        return bytes([byte]).decode(page)
    except UnicodeDecodeError:
        return chr(byte)


def undone(text: str) -> str:
    return undo_double_encoding(text.encode(), text)


@pytest.mark.parametrize("page", ["latin-1", "cp1252"])
@pytest.mark.parametrize("story", STORY)
def test_a_page_encoded_twice_is_decoded_twice(story: str, page: str) -> None:
    assert undone(twice(story, page)) == story


def test_only_the_wrong_part_of_a_page_changes() -> None:
    right = "<p>La préfète a annoncé « des élus inquiets » — à l’été.</p>"
    assert undone(right + twice(STORY[0], "cp1252") + right) == right + STORY[0] + right


def test_references_to_wrong_characters_are_read() -> None:
    text = (
        "<p>The mayor&acirc;&euro;&trade;s plan &acirc;&euro;&rdquo; &acirc;&euro;&oelig;mad&rdquo;"
        " caf&Atilde;&copy;</p>"
    )
    assert undone(text) == "<p>The mayor’s plan — “mad&rdquo; café</p>"


@pytest.mark.parametrize(
    "text",
    [
        "<p>p&acirc;t&eacute; &amp; b&acirc;ton, g&acirc;teau&nbsp;: l&rsquo;&acirc;ge</p>",
        "<p>« L’été »… le marché»… la beauté» et le café… à l’entrée”</p>" * 3,
        "<p>“A MAÇÔ, IRMÔ, “AMANHÔ: O PÃO DA IRMÔ.</p>",
        "<p>The printer wrote “cafÃ©” for “café”, she said.</p>",
        "<p>Größe „groß“ ist ß“ und ß”</p>",
        "<p>plain ASCII</p>",
    ],
)
def test_accents_beside_quotation_marks_and_single_examples_stay(text: str) -> None:
    assert undone(text) == text


def test_controls_are_the_symbols_of_windows_1252() -> None:
    assert undone("<p>The mayor\x92s \x93plan\x94\x9d</p>") == "<p>The mayor’s “plan”</p>"


def test_sound_pages_do_not_load_ftfy() -> None:
    code = (
        "import sys; from pipeline.page.double_encoding import undo_double_encoding as undo;"
        "text = '<p>« L’été »… naïve café — ß“</p>'; undo(text.encode(), text); print('ftfy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
