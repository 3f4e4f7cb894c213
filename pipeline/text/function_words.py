"""Identifies the language of a text by its function words, in languages that these tell apart safely.

In continuous text two words in five are articles, prepositions, pronouns and the like, whatever the text is
about (Ingle, "A language identification table", 1976; Grefenstette, "Comparing two language identification
schemes", 1995). py3langid takes more than half a second to load, and `copydesk extract` would wait for it on
every start: that is why this module exists. Everything else is left to py3langid: short texts, lists and
tables, mixed languages, and languages that are close to others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from operator import mul
from struct import Struct

# Shorter texts are no sample.
MIN_WORDS = 60
# Texts with a smaller share of function words are no continuous text: a table, a list of names.
MIN_SHARE = 0.2
# Compared with each other language: the least share of words that only this language has, and how many times
# as many these must be as the words that only the other language has. docs/tuning.md: Function words
MIN_APART = 0.06
TIMES = 8

# The most frequent function words, in lower case, of news languages and of languages close to them. A word of
# several languages is listed with each, otherwise it would count for one of them.
_WORDS = {
    "en": """the of and to in a is that for it was on with as be at by this have from or had not are but
        what all were when we there can an your which their said if do will each about how up out them
        then she many some so these would other into has more her two him see could no than been its who
        now my over did down only may after between just where most should they he his you i""",
    "de": """der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an
        werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war
        haben nur oder aber vor zur bis mehr durch man sein wurde sei hatte kann gegen vom können schon
        wenn habe seine ihre dann unter wir soll ich eines jahr zwei diese dieser wieder keine""",
    "fr": """de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il
        sont avec son ses ou mais comme nous sa été aux ont cette elle leur deux fait être tout après
        bien ans aussi sans ces on peut y dont encore entre était même avoir lui très avait où vous je
        leurs selon""",
    "es": """de la que el en y a los se del las un por con no una su para es al lo como más o pero sus
        le ha me si sin sobre este ya entre cuando todo esta ser son dos también fue había era muy años
        hasta desde está mi porque qué sólo han yo hay vez puede todos así nos ni parte tiene él uno
        donde bien tiempo durante esa contra""",
    "pt": """de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele
        das tem à seu sua ou ser quando muito há nos já está eu também só pelo pela até isso ela entre
        era depois sem mesmo aos ter seus quem nas me esse eles estão você tinha foram essa num nem suas
        meu às minha têm numa pelos são""",
    "it": """di e il la che in a per un è del non una con i sono della da si le al dei nel più alla come
        anche ha lo gli ma delle dal su se nella o all dell questo tra cui dalla degli era ho essere
        alle dopo due nei hanno questa stato anni sulla sul quando dai molto quella chi suo sua ancora
        solo fra contro ed""",
    "nl": """de van een het en in is dat op te zijn met voor niet die aan er om ook als dan maar bij of
        uit nog worden door naar heeft tot ze wordt hij over wel kan wat deze meer was werd had hebben
        zich geen veel ik je we moet zou na twee al onder jaar dit hun tegen haar ons waar""",
    "pl": """w i na z się nie do to że o jest od za a po jak co przez ale dla oraz ze są tym już było
        był tylko tak może by czy jego też roku został przy które który która jej ich być pod także tego
        będzie mnie bardzo gdy więc ma jako przed lub""",
    "sv": """och i att det som en på är av för med till den har de inte om ett han men var jag sig från
        vi så kan när år under också efter eller nu sin där vid mot ska skulle kommer ut får finns vara
        hade alla andra mycket än här då sedan över bara in blir upp även vad få två vill ha många hur
        mer""",
    "cs": """a se v na je že s z do o to i k ve si pro za by jsou ale jako od po který které bylo tak
        není jsem podle jeho byl aby už co nebo při až roku ještě která jen být také před než byla může
        však když jejich ze mezi více""",
    "hu": """a az és hogy nem is egy ez meg volt csak de már mint még ha azt el ki minden vagy lesz van
        ezt után pedig kell be olyan szerint le akkor majd amely ami aki során között arra lehet nagyon
        én mert így most két több""",
    "ro": """de și în a la cu pe care din nu o un mai că este pentru se au fost ca sunt prin sau al le i
        ce după va să lui fi ale dar această acest am unei unui între ar când până cele cel poate fără""",
    # close to one of the languages above, and never returned
    "af": """die van in en is het dat te vir met op nie aan om was by ook as wat hy sy deur uit word na
        kan sal maar 'n ŉ of moet dit jy jou hierdie geen daar ons hulle nog oor meer indien""",
    "fy": """de fan in en is it dat op te foar mei net oan as ek fia wurdt hat wie by om út nei mar
        binne troch har""",
    "lb": """den vun an a mat der de dat fir ass op net si och eng zu huet sech um bei ginn war déi well
        nach een awer gouf hunn dass mee dem""",
    "ca": """de la i el que a en els les un per una amb es del al no ha va com dels més són ser als però
        aquest aquesta seva seu també hi o si ja entre han fins quan molt sobre està""",
    "gl": """de a o que e do da en un para é con non unha os no se na por máis as dos como mais foi ao
        das ten á seu súa ou ser cando moi xa nos polo pola tamén só ata isto entre era sen mesmo aos
        nas esta este son""",
    "oc": """de la e lo que los las en un per es una dels a del se al amb dins son sus mai pas o coma an
        foguèt""",
    "da": """og i at det er en til af på de for som den med har der ikke et han var men om fra vi sig så
        kan jeg hun når år skal vil efter også eller sin over nu blev mod have blive blevet bliver hvor
        ud kunne siger""",
    "no": """og i det at er en til av på de for som den med har ikke et han var men om fra vi seg så kan
        jeg hun når år skal vil etter også eller sin over nå ble mot ha bli blitt blir hvor ut kunne
        sier""",
    "nn": """og i det at er ein til av på dei for som den med har ikkje eit han var men om frå vi seg så
        kan eg ho når år skal vil etter også eller sin over no vart mot ha bli blitt blir kor ut kunne
        seier""",
    "sk": """a sa v na je že s z do o to aj i k vo si pre za by sú ale ako od po ktorý ktoré bolo tak
        nie som podľa jeho bol aby už čo alebo pri až roku ešte ktorá len byť tiež pred než bola môže
        však keď ich zo medzi""",
    "sl": """je in v na se za da so z s ki pa ne po o tudi bi ali od do pri kot kar še iz bil ob ter
        pred že to""",
    "hr": """je i u na se da za su od s o a ne to kao koji iz što će bi po ali do te samo kako koja ako
        bio nije sve koje nakon ili može biti""",
    "et": "ja on ei et ka see oli kui mis aga oma ning või ta kes selle siis ma pole nii välja",
    "fi": """ja on ei että se oli myös kun mutta ovat joka sen hän mukaan niin kuin tai jos ole vuoden
        nyt""",
    "eo": """la de kaj en estas al por ne ke kun mi vi ĝi li ŝi ili sed aŭ el per pri tiu ĉi estis kiu
        kiel oni""",
    "sq": """të e në dhe i një për me nga që është si ka u se do më nuk por janë së kjo ky duke edhe ose
        pas""",
    "ht": "nan yo ak pou ki li pa sou te nou yon sa ap la tout gen mwen kap se",
    "rw": "mu ku na ya ko no ni kandi cyangwa",
}  # fmt: skip
_LANGUAGES = list(_WORDS)
_OF_LANGUAGE = {language: frozenset(words.split()) for language, words in _WORDS.items()}
# Each word's number has 32 bits for each language, which hold 1 if it is a word of that language. So one sum
# over the words of a text counts all languages at once.
_COUNTED: dict[str, int] = {}
for _place, _language in enumerate(_LANGUAGES):
    for _word in _OF_LANGUAGE[_language]:
        _COUNTED[_word] = _COUNTED.get(_word, 0) | 1 << 32 * _place
_COUNTS = Struct(f"<{len(_LANGUAGES)}I")
DECIDED = ("en", "de", "fr", "es", "pt", "it", "nl", "pl", "sv", "cs", "hu", "ro")


def language_by_function_words(text: str) -> str | None:
    """ISO 639-1 code of the text's language; None where function words do not decide it."""
    words = text.lower().split()
    if len(words) < MIN_WORDS:
        return None
    found = Counter(filter(_COUNTED.__contains__, words))
    counts = _by_language(found)
    most = max(counts)
    best = _LANGUAGES[counts.index(most)]
    if best not in DECIDED or most < MIN_SHARE * len(words):
        return None
    shared = _by_language({word: found[word] for word in found.keys() & _OF_LANGUAGE[best]})
    for language, times, both in zip(_LANGUAGES, counts, shared, strict=True):
        apart, other = most - both, times - both
        if times and language != best and (apart < MIN_APART * len(words) or TIMES * other > apart):
            return None
    return best


def _by_language(found: Mapping[str, int]) -> tuple[int, ...]:
    """How often words of each language were found, as in `_LANGUAGES`; found: words, and how often."""
    counted = sum(map(mul, map(_COUNTED.__getitem__, found), found.values()))
    return _COUNTS.unpack(counted.to_bytes(_COUNTS.size, "little"))
