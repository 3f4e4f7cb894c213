import pytest

from pipeline.text.function_words import DECIDED, language_by_function_words
from pipeline.text.language import language_model

STORIES = {
    "en": "The council of the town has decided to keep the old ferry for another year. It was to be"
    " replaced by a bridge, but there was not enough money for that, said the mayor, and those who"
    " live on the other side of the river had been against it from the start. They will now have to"
    " wait until the spring of next year, when the council is to meet again and will hear what an"
    " engineer has to say about the cost.",
    "de": "Der Rat der Stadt hat beschlossen, die alte Fähre noch ein Jahr zu behalten. Sie sollte durch"
    " eine Brücke ersetzt werden, aber dafür war nicht genug Geld da, sagte die Bürgermeisterin, und"
    " wer auf der anderen Seite des Flusses wohnt, war von Anfang an dagegen. Bis zum Frühjahr müssen"
    " sie nun warten, wenn der Rat sich wieder trifft und von einem Ingenieur hören wird, was das"
    " alles kosten soll und wie lange es dauern kann.",
    "fr": "Le conseil de la ville a décidé de garder le vieux bac pour une année de plus. Il devait être"
    " remplacé par un pont, mais il n'y avait pas assez de moyens pour cela, a dit le maire, et ceux"
    " qui vivent sur l'autre rive du fleuve étaient contre ce projet depuis le début. Ils vont"
    " attendre le printemps, quand le conseil se réunit de nouveau avec un ingénieur qui est chargé de"
    " dire ce que tout cela va leur coûter.",
    "es": "El ayuntamiento ha decidido que el viejo transbordador siga un año más. Lo iban a cambiar por un"
    " puente, pero no había dinero para eso, dijo la alcaldesa, y los que viven en la otra orilla del"
    " río estaban en contra desde el principio. Ahora tienen que esperar hasta la primavera, cuando el"
    " pleno se reúne de nuevo y un ingeniero les va a contar lo que cuesta la obra y el tiempo que"
    " hace falta para terminarla.",
    "it": "Il consiglio della città ha deciso di tenere il vecchio traghetto per un altro anno. Doveva"
    " essere sostituito da un ponte, ma non c'erano i soldi, ha detto la sindaca, e quelli che vivono"
    " sulla riva opposta del fiume erano contro il progetto sin dall'inizio. Ora devono aspettare la"
    " primavera, quando il consiglio si riunisce di nuovo con un ingegnere che dirà quanto costa tutta"
    " l'opera e per quanto tempo si lavora.",
    "nl": "De raad van de stad heeft besloten om de oude veerboot nog een jaar te houden. Er zou een brug"
    " voor in de plaats komen, maar daar was niet genoeg geld voor, zei de burgemeester, en wie aan de"
    " andere kant van de rivier woont, was er van het begin af aan tegen. Zij moeten nu wachten tot"
    " het voorjaar, als de raad weer bij elkaar komt en van een ingenieur hoort wat het allemaal kost"
    " en hoe lang het duurt.",
}


@pytest.mark.parametrize("language", STORIES)
def test_the_language_of_a_story_agrees_with_the_model(language: str) -> None:
    assert language_by_function_words(STORIES[language]) == language
    assert language_model().classify(STORIES[language])[0] == language


def test_texts_that_are_not_stories_stay_undecided() -> None:
    assert (
        language_by_function_words(
            "The council of the town has decided to keep the old ferry for another year."
        )
        is None
    )
    assert (
        language_by_function_words("Northport 2 1 0 Eastport 3 Westport 0 Southport 1 Harbour " * 10) is None
    )
    assert language_by_function_words("市议会周二决定，让老渡轮在整个冬季继续运营。" * 10) is None
    assert language_by_function_words("") is None


@pytest.mark.parametrize(("one", "other"), [("de", "fr"), ("en", "nl"), ("es", "it")])
def test_texts_in_two_languages_stay_undecided(one: str, other: str) -> None:
    assert language_by_function_words(f"{STORIES[one]} {STORIES[other]}") is None


@pytest.mark.parametrize(
    "text",
    [
        # Afrikaans, beside Dutch
        "Die stadsraad het besluit om die ou veerboot nog 'n jaar te hou. Daar sou 'n brug in sy plek"
        " kom, maar daar was nie genoeg geld daarvoor nie, het die burgemeester gesê, en die wat aan"
        " die ander kant van die rivier woon, was van die begin af daarteen. Hulle moet nou wag tot"
        " die lente, wanneer die raad weer bymekaarkom en van 'n ingenieur hoor wat dit alles kos en"
        " hoe lank dit gaan duur.",
        # Galician, beside Portuguese and Spanish
        "O concello da vila decidiu manter o vello transbordador un ano máis. Ía ser substituído por"
        " unha ponte, pero non había diñeiro para iso, dixo a alcaldesa, e os que viven na outra beira"
        " do río estaban en contra desde o principio. Agora teñen que agardar ata a primavera, cando o"
        " pleno se reúne de novo e un enxeñeiro lles vai contar o que custa a obra e o tempo que fai"
        " falta para rematala.",
        # Norwegian, beside Danish and Swedish
        "Rådet i byen har bestemt at den gamle ferja skal gå et år til. Den skulle byttes ut med ei"
        " bru, men det var ikke nok penger til det, sa ordføreren, og de som bor på den andre siden av"
        " elva, har vært mot det fra starten. Nå må de vente til våren, når rådet møtes igjen og får"
        " høre av en ingeniør hva det hele kommer til å koste og hvor lang tid det skal ta før det er"
        " ferdig.",
    ],
)
def test_similar_languages_stay_undecided(text: str) -> None:
    assert len(text.split()) >= 60
    assert language_by_function_words(text) is None


def test_decided_languages_are_languages_of_the_model() -> None:
    assert set(DECIDED) <= set(language_model().nb_classes)
