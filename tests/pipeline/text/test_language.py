import subprocess
import sys

import pytest

from pipeline.text.language import identify_language

SENTENCES = {
    "en": "The city council voted on Tuesday to keep the old ferry running through the winter.",
    "de": "Der Stadtrat hat am Dienstag beschlossen, die alte Fähre auch im Winter fahren zu lassen.",
    "fr": "Le conseil municipal a décidé mardi de maintenir le vieux bac pendant tout l'hiver.",
    "es": "El ayuntamiento decidió el martes mantener en servicio el viejo transbordador este invierno.",
    "pt": "A câmara municipal decidiu na terça-feira manter a velha balsa em funcionamento neste inverno.",
    "it": "Il consiglio comunale ha deciso martedì di tenere in servizio il vecchio traghetto per l'inverno.",
    "nl": "De gemeenteraad besloot dinsdag om de oude veerboot ook in de winter te laten varen.",
    "pl": "Rada miasta postanowiła we wtorek, że stary prom będzie kursował także zimą.",
    "ru": "Городской совет решил во вторник, что старый паром будет ходить и зимой, объявили власти.",
    "uk": "Міська рада вирішила у вівторок, що старий пором ходитиме і взимку, повідомила влада.",
    "ja": "市議会は火曜日、古い渡し船を冬の間も運航させることを決めた。",
    "zh": "市议会周二决定，让老渡轮在整个冬季继续运营。",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_content_decides(language: str) -> None:
    assert identify_language(SENTENCES[language]) == language


def test_content_wins_over_a_template_in_another_language() -> None:
    assert identify_language(SENTENCES["uk"], "ru") == "uk"
    assert identify_language(SENTENCES["ru"], "uk") == "ru"
    assert identify_language(SENTENCES["de"], "en-US") == "de"


def test_a_long_text_is_sampled_over_its_whole_length() -> None:
    standfirst, story = SENTENCES["de"] + " ", SENTENCES["fr"] + " "
    assert identify_language(standfirst * 10 + story * 25) == "fr"
    assert identify_language(story * 25 + standfirst * 10) == "fr"
    assert identify_language(standfirst * 25 + story * 10) == "de"


def test_short_texts_use_the_stated_language() -> None:
    assert identify_language("Ola Nordmann", "nb-NO") == "nb"
    assert identify_language("12 345", None) is None
    assert identify_language("", "PT_br") == "pt"


def test_telegram_english_is_english() -> None:
    assert (
        identify_language(
            "Shr 34 cts vs 29 cts Net 4.1 mln vs 3.5 mln Revs 89.0 mln vs 76.2 mln Avg shrs 12.1 mln"
        )
        == "en"
    )


def test_the_model_is_loaded_without_room_for_a_file() -> None:
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "import tempfile; tempfile.tempdir = '/nowhere'\n"
        "from pipeline.text.language import language_model\n"
        "raise SystemExit(language_model().classify('Rada miasta postanowiła.')[0] != 'pl')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
