"""Measures grouping on made hazards: pairs that must end in one group, and look-alikes that must not.

    python -m benchmarks.hazards CORPORA [--only NAME…] [--lines NAME…] [--cases N] [--half 1|2] [--show N]

CORPORA is a folder of corpora as `python -m benchmarks.grouping` reads it. Each line makes its cases out of
the English texts there, with a fixed seed. A case is two texts that are judged and, for some lines, further
texts. All cases of a line are grouped together, in memory, as the database does it. The share of the cases
whose two texts end in one group is printed with Wilson's interval at 95 %. `--half` takes every other text
only, so that a setting can be tuned on one half and reported on the other. `--show` prints cases that are
judged wrong, `--read` the first cases as they are made, to judge by reading whether they are what the line
says.
"""

from __future__ import annotations

import argparse
import json
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import sqrt
from pathlib import Path
from random import Random

from benchmarks.grouping import copydesk, groups_of, open_text, read_labelled
from pipeline.copies import ArticleCopy
from pipeline.text import identify_language, sentences, word_count

START = datetime(2024, 3, 1, tzinfo=UTC)
CASES = 200
DAY = 24.0


@dataclass(frozen=True, slots=True)
class Base:
    """A text to make cases of."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A text of a case. hours: after the first one."""

    title: str
    text: str
    hours: float = 0.0


# The first two pieces are judged; the others stand by.
Case = Sequence[Piece]


class Source:
    """Texts in a random order. Each is given out once, until all have been."""

    def __init__(self, bases: Sequence[Base], chance: Random) -> None:
        self.chance = chance
        self._bases = tuple(sorted(bases, key=lambda base: base.text))
        self._left: list[Base] = []
        self._names = _names_in(self._bases)

    def take(self, least: int, most: int = 10**6, fits: Callable[[Base], bool] = lambda base: True) -> Base:
        """A text of so many words. Raises LookupError if there is none."""
        for refilled in (False, True):
            if refilled:
                self._left = list(self._bases)
                self.chance.shuffle(self._left)
            for n, base in enumerate(self._left):
                if least <= len(base.text.split()) <= most and fits(base):
                    return self._left.pop(n)
        raise LookupError

    def names(self, text: str) -> list[str]:
        """Names of persons, firms and places inside of sentences, the most frequent first.

        A capitalised word that any text has in lower case is none ("Budget", "Services").
        """
        return [name for name in _capitalised(text) if name not in self._names.words]

    def take_two(self, least: int, most: int) -> tuple[Base, Base]:
        """A text of so many words, and one of at least as many on the same matter: a follow-up, as a rule.

        The other shares most names with it, rare ones before frequent ones, and no sentence. Texts that have
        no two names in common with any are passed over, if there are others. Raises LookupError if there is
        none.
        """
        for _ in range(_TRIES):
            base = self.take(least, most)
            other, common = self._on_the_same(base)
            if common >= 2:
                break
        return base, other

    def _on_the_same(self, base: Base) -> tuple[Base, int]:
        """The other text, and how many names it shares."""
        names, scores = self.names(base.text), Counter[int]()
        for name in names:
            having = self._names.texts[name]
            scores.update(dict.fromkeys(having, 1 / len(having)))
        lines, words = set(sentence_lines(base.text)), len(base.text.split())

        def fits(other: Base) -> bool:
            return len(other.text.split()) >= 0.9 * words and lines.isdisjoint(sentence_lines(other.text))

        for n, _ in scores.most_common():
            if fits(self._bases[n]):
                return self._bases[n], sum(n in self._names.texts[name] for name in names)
        return self.take(0, fits=fits), 0


# Texts that are passed over because no other is on the same matter.
_TRIES = 20


@dataclass(frozen=True, slots=True, eq=False)
class _Names:
    """words: what stands in lower case somewhere, with a capital. texts: by name, which texts have it."""

    words: set[str]
    texts: Mapping[str, Sequence[int]]


@lru_cache(maxsize=2)
def _names_in(bases: tuple[Base, ...]) -> _Names:
    words = {word.capitalize() for base in bases for word in _LOWER.findall(base.text)}
    texts: dict[str, list[int]] = defaultdict(list)
    for n, base in enumerate(bases):
        for name in _capitalised(base.text):
            if name not in words:
                texts[name].append(n)
    return _Names(words, texts)


# --- parts of texts -----------------------------------------------------------------------------------------

_FIGURE = re.compile(r"(?<![\w.,])\d[\d.,]*(?!\w)")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?![\w'’-])")
_LOWER = re.compile(r"\b[a-z]{3,}\b")
_OF_COUNTRY = re.compile(r"(?:[ei]an|ican|ese|ish)s?\Z")
_PLAIN = {
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    "Mr", "Mrs", "Ms", "Dr", "The", "This", "But", "And", "For", "Inc", "Corp", "Ltd", "Jan", "Feb",
    "Mar", "Apr", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec", "Senate", "Congress", "Los", "San", "Las",
    "German", "Germans",
}  # fmt: skip
_INVENTED = [
    "Adlerby", "Brennock", "Carvane", "Dunmarsh", "Elvaston", "Farrowby", "Gaskirk",
    "Halvorne", "Ingleside", "Jarrowfell", "Kestrane", "Lomond", "Marrick", "Norvane",
    "Oakhampton", "Pellworth", "Quarrington", "Ravensby", "Skelmore", "Tarrowick", "Ulverton",
    "Varnhold", "Westmarch", "Yarrowby", "Zennor", "Aldcroft", "Birkwood", "Colrane",
    "Danefell", "Eskmouth", "Fenwater", "Garrowdale", "Hexcombe", "Ivelstone", "Juddle",
    "Kelvane", "Larkmoor", "Mossgate", "Nethercot", "Orrinby", "Pendrake", "Rushmere",
    "Strandby", "Thornleigh", "Underhay", "Vexford", "Wolding",
]  # fmt: skip


_MONTHS = ["January", "March", "April", "June", "July", "September", "October", "December"]


def sentence_lines(text: str) -> list[str]:
    return [sentence for sentence in sentences(text) if len(sentence.split()) > 2]


def first_words(text: str, count: int) -> str:
    """Whole sentences from the beginning until there are so many words."""
    taken: list[str] = []
    for sentence in sentence_lines(text):
        if len(" ".join(taken).split()) >= count:
            break
        taken.append(sentence)
    return "\n".join(taken)


def figures(text: str) -> int:
    return len(_FIGURE.findall(text))


def _capitalised(text: str) -> list[str]:
    """Capitalised words inside of sentences that are no titles and of no country, the most frequent first."""
    found = Counter(name for name in _NAME.findall(text) if name not in _PLAIN)
    return [name for name, _ in found.most_common() if not _OF_COUNTRY.search(name)]


def with_other_figures(text: str, share: float, chance: Random) -> str:
    """The text with that share of its figures changed, in their digits alone."""

    def changed(match: re.Match[str]) -> str:
        if chance.random() > share:
            return match[0]
        digits = [str(chance.choice([d for d in range(1, 10) if str(d) != c])) if c.isdigit() else c
                  for c in match[0]]  # fmt: skip
        return "".join(digits)

    return _FIGURE.sub(changed, text)


def with_other_names(text: str, wanted: Sequence[str], chance: Random) -> str:
    others = chance.sample([name for name in _INVENTED if name not in text], len(wanted))
    for name, other in zip(wanted, others, strict=True):
        text = re.sub(rf"\b{name}\b", other, text)
    return text


# --- look-alikes: at most 5 % in one group ------------------------------------------------------------------


def table(source: Source) -> Case:
    """A statistical table, and its next issue in the same week, with other figures."""
    chance = source.chance
    base = source.take(
        40, 700, lambda b: figures(b.text) >= 15 and figures(b.text) > 0.08 * len(b.text.split())
    )
    other = with_other_figures(base.text, chance.uniform(0.3, 1.0), chance)
    return Piece(base.title, base.text), Piece(base.title, other, chance.uniform(2, 5 * DAY))


def release(source: Source) -> Case:
    """A press release, and the same one for other firms and towns: eight names are swapped throughout."""
    base = source.take(150, 900, lambda b: len(source.names(b.text)) >= 8)
    wanted = source.names(base.text)[:8]
    both = with_other_names(f"{base.title}\n{base.text}", wanted, source.chance)
    title, _, text = both.partition("\n")
    return Piece(base.title, base.text), Piece(title, text, source.chance.uniform(0, 8))


def other_subject(source: Source) -> Case:
    """A firm's notice of a dividend, and that of another firm: only the headlines name them."""
    chance = source.chance
    headline = chance.choice(
        [
            "{} declares dividend",
            "{} board votes payout",
            "{} sets regular quarterly dividend on common shares",
        ]
    )

    def notice(firm: str, hours: float) -> Piece:
        return Piece(headline.format(firm), "\n".join(said), hours)

    paid, day = chance.randint(5, 60), chance.randint(1, 14)
    said = [
        chance.choice(["Quarterly dividend", "Quarterly payout", "Regular dividend"])
        + f" {paid} cents a share against {paid} cents in the quarter before.",
        f"Payable on {chance.choice(_MONTHS)} {day + 14} to shareholders of record at the close of business"
        f" on day {day} of that month.",
    ]
    if chance.random() < 0.5:
        said.append("The company left its dividend unchanged.")
    one, other = chance.sample(_INVENTED, 2)
    return notice(one, 0), notice(other, chance.uniform(0, 10))


def _operation(chance: Random) -> Piece:
    bank, dealer = chance.sample(_INVENTED, 2)
    way = chance.choice(["overnight", "two-day", "three-day"])
    text = (
        f"The Bank of {bank} entered the money market at {chance.randint(9, 12)}:{chance.randint(10, 59)} to"
        f" arrange {way} repurchase agreements, a spokesman said.\nDealers in {dealer} had expected an"
        f" operation of up to {chance.randint(110, 990)} million. Funds were trading at"
        f" {chance.randint(2, 9)}-{chance.choice([1, 3, 5])}/8 per cent at the time."
    )
    return Piece(f"Bank of {bank} arranges {way} repurchases", text)


def short_again(source: Source) -> Case:
    """A bank's notice of a daily operation, and the next one days later in the same words."""
    first = _operation(source.chance)
    return first, replace(first, hours=source.chance.uniform(1.8 * DAY, 6 * DAY))


def short_daily(source: Source) -> Case:
    """The notice on five days, each about a day after the one before. The first two are judged."""
    first = _operation(source.chance)
    return [replace(first, hours=n * DAY + source.chance.uniform(-0.7, 0.7)) for n in range(5)]


def _briefs(source: Source, count: int) -> Case:
    bases = [source.take(80, 500) for _ in range(count)]
    source.chance.shuffle(bases)
    body = "\n".join(f"{b.title}\n{b.text}" for b in bases)
    pieces = [Piece(b.title, b.text, source.chance.uniform(0, 6)) for b in bases]
    return *pieces, Piece("The day in brief", body, source.chance.uniform(6, 12))


def two_briefs(source: Source) -> Case:
    """Two stories, and a page of briefs that holds both."""
    return _briefs(source, 2)


def three_briefs(source: Source) -> Case:
    """Two stories, and a page of briefs that holds them and a third."""
    return _briefs(source, 3)


_SIGNS = {
    "Aries": "March 21 to April 19", "Taurus": "April 20 to May 20", "Gemini": "May 21 to June 20",
    "Cancer": "June 21 to July 22", "Leo": "July 23 to August 22", "Virgo": "August 23 to September 22",
    "Libra": "September 23 to October 22", "Scorpio": "October 23 to November 21",
    "Sagittarius": "November 22 to December 21", "Capricorn": "December 22 to January 19",
    "Aquarius": "January 20 to February 18", "Pisces": "February 19 to March 20",
}  # fmt: skip
_STARS = [
    "A {who} brings news that you have waited for.", "Do not sign anything before you have slept on it.",
    "An old quarrel with a {who} can be settled today.", "Money comes from a side you did not expect.",
    "Take the long way home, and leave your worries at work.", "Your patience with a {who} pays off at last.",
    "Someone close to you needs a {what} word.", "You are in a {what} mood, and others notice it.",
    "A {what} evening at home does you good.", "Avoid big purchases until the weekend.",
    "You are asked for more than you can give.", "Trust your first thought, and ignore the second.",
    "The moon makes you {what}; use it to plan ahead.", "What began badly ends well thanks to a {who}.",
    "Mercury upsets your diary, so be ready to change plans.", "Say no when a {who} wants to borrow.",
    "Romance is in the air for those who look up from their telephones.", "Sort out the papers on your desk.",
    "Walk a little every day, and sleep will come more easily.", "Singles meet an interesting {who}.",
    "A letter asks for a quick and {what} answer.", "Old habits are hard to break, but you have begun well.",
    "Venus smiles on couples who talk about the future.", "Your boss has noticed how hard you work.",
    "Keep a secret that a {who} tells you in confidence.", "Health matters more than a tidy kitchen.",
    "Small repairs at home should not wait any longer.", "A journey will be longer but better than planned.",
    "Be {what} towards those who see things differently.", "Finish one thing before you start the next.",
    "Children have a surprise in store for you.", "Saturn slows you down; that is no bad thing.",
    "Listen to music, and let the others argue.", "An offer sounds good, but read what is printed small.",
    "A {who} and you have more in common than you think.", "Luck at games does not last, so stop in time.",
]  # fmt: skip
_WHO = ["friend", "neighbour", "colleague", "cousin", "stranger", "former love", "superior"]
_WHAT = ["kind", "quiet", "bold", "cheerful", "thoughtful", "generous"]


def horoscope(source: Source) -> Case:
    """The horoscopes of two days: the same frame, with two other sentences under each sign."""
    chance = source.chance
    stars = chance.sample(_STARS, len(_STARS))

    def issue(hours: float, stars: Sequence[str]) -> Piece:
        text = "Find your sign, and read what the stars hold for you today."
        for sign, days in _SIGNS.items():
            said = " ".join(chance.sample(stars, 2))
            said = said.format(who=chance.choice(_WHO), what=chance.choice(_WHAT))
            text += f"\n{sign} ({days})\n{said} Lucky number: {chance.randint(1, 49)}."
            text += f" Lucky colour: {chance.choice(['red', 'blue', 'green', 'white', 'gold'])}."
        return Piece("Horoscope: your stars for today", f"{text}\nFor entertainment only.", hours)

    return issue(0, stars[::2]), issue(DAY, stars[1::2])


_NOTICE = (
    "The weather service has issued a severe thunderstorm warning for {county} County until {until}\n"
    "At {at}, a severe thunderstorm was located near {town}, moving {way} at {speed} mph. The hazard is wind"
    " gusts of {gusts} mph and hail of {hail} inch. Expect damage to roofs, siding and trees.\n"
    "Locations impacted include {town}, {second} and {third}.\n"
    "For your protection move to an interior room on the lowest floor of a building. Large hail and damaging"
    " winds and continuous cloud to ground lightning are occurring with this storm. Move indoors immediately."
    " Lightning is one of nature's leading killers. Remember, if you can hear thunder, you are close enough"
    " to be struck by lightning. Torrential rainfall is occurring with this storm, and may lead to flash"
    " flooding. Do not drive your vehicle through flooded roadways."
)


def weather(source: Source) -> Case:
    """The same weather warning for two counties, hours apart."""
    chance = source.chance

    def notice(hours: float, places: Sequence[str]) -> Piece:
        hour = int(hours) % 11 + 1
        text = _NOTICE.format(
            county=places[0], town=places[1], second=places[2], third=places[3],
            until=f"{hour + 1}:{chance.choice(['15', '30', '45'])} p.m.",
            at=f"{hour}:{chance.randint(10, 59)} p.m.",
            way=chance.choice(["east", "northeast", "southeast", "north"]),
            speed=chance.choice([20, 25, 30, 35, 45]),
            gusts=chance.choice([60, 65, 70]), hail=chance.choice(["1", "1.25", "1.5"]),
        )  # fmt: skip
        return Piece(f"Severe thunderstorm warning for {places[0]} County", text, hours)

    places = chance.sample(_INVENTED, 8)
    return notice(0, places[:4]), notice(chance.uniform(0, 9), places[4:])


def same_quotes(source: Source) -> Case:
    """Two agencies' accounts of one matter: a third of the sentences are the same quotes."""
    base, own = source.take_two(200, 900)
    lines, others = sentence_lines(base.text), sentence_lines(own.text)
    kept = set(source.chance.sample(range(len(lines)), max(1, len(lines) // 3)))
    told = [line if n in kept else others[n % len(others)] for n, line in enumerate(lines)]
    return Piece(base.title, "\n".join(lines)), Piece(own.title, "\n".join(told), source.chance.uniform(0, 5))


# --- copies: at least 95 % in one group ---------------------------------------------------------------------


def correction(source: Source) -> Case:
    """A copy in which one name is corrected, wherever it stands."""
    base = source.take(80, 900, lambda b: bool(source.names(b.text)))
    wanted = source.chance.choice(source.names(base.text)[:6])
    text = with_other_names(base.text, [wanted], source.chance)
    return Piece(base.title, base.text), Piece(base.title, text, source.chance.uniform(1, 20))


def typos(source: Source) -> Case:
    """A copy in which two words of a hundred are misspelt: letters swapped, dropped or doubled."""
    base = source.take(80, 900)
    words = list(re.finditer(r"[a-z]{4,}", base.text))
    wrong = sorted(source.chance.sample(words, round(0.02 * len(base.text.split()))), key=lambda m: m.start())
    text, end = "", 0
    for match in wrong:
        text += base.text[end : match.start()] + _misspelt(match[0], source.chance)
        end = match.end()
    return Piece(base.title, base.text), Piece(
        base.title, text + base.text[end:], source.chance.uniform(0, 9)
    )


def _misspelt(word: str, chance: Random) -> str:
    n = chance.choice([n for n in range(len(word) - 1) if word[n] != word[n + 1]] or [0])
    wrong = (
        word[:n] + word[n + 1] + word[n] + word[n + 2 :],
        word[:n] + word[n + 1 :],
        word[: n + 1] + word[n:],
    )
    return chance.choice([other for other in wrong if other != word])


def teaser(source: Source) -> Case:
    """The first sentences, as a paywalled page shows them."""
    base = source.take(150, 1200)
    return Piece(base.title, base.text), Piece(
        base.title, first_words(base.text, 45), source.chance.uniform(0, 9)
    )


def short_copy(source: Source) -> Case:
    """A short item under a headline of the outlet's own, hours later."""
    base = source.take(30, fits=lambda b: len(source.names(first_words(b.text, 25))) >= 2)
    text = first_words(base.text, 25)
    if len(text.split()) > 58:
        return short_copy(source)
    found = source.names(text)
    return (
        Piece(base.title, text),
        Piece(f"{found[0]} in the news: what {found[1]} means", text, source.chance.uniform(0, 12)),
    )


def _update(source: Source, hours: float, share: float) -> Case:
    """The last part of a story under a new lead on the same names, which is as long as what it replaces."""
    base, fresh = source.take_two(200, 1000)
    lines = sentence_lines(base.text)
    counts = [len(line.split()) for line in lines]
    start = next(n for n in range(len(lines)) if sum(counts[n:]) <= share * sum(counts))
    lead = first_words(fresh.text, sum(counts[:start]))
    return Piece(base.title, base.text), Piece(base.title, "\n".join((lead, *lines[start:])), hours)


def _cut_update(source: Source, hours: float, share: float) -> Case:
    """A story with another first sentence, of which single sentences were dropped."""
    base, fresh = source.take_two(200, 1000)
    body = sentence_lines(base.text)[1:]
    kept = sorted(source.chance.sample(range(len(body)), round(share * len(body))))
    told = "\n".join((sentence_lines(fresh.text)[0], *(body[n] for n in kept)))
    return Piece(base.title, base.text), Piece(base.title, told, hours)


def doubled(source: Source) -> Case:
    """A live blog at another address some hours later, with as much again above the old entries."""
    base, added = source.take_two(150, 700)
    new = first_words(added.text, len(base.text.split()))
    return Piece(base.title, base.text), Piece(
        f"{base.title}: latest", f"{new}\n{base.text}", source.chance.uniform(2, 10)
    )


def third_of_five(source: Source) -> Case:
    """A story, and the page of five briefs of which it is the third."""
    bases = [source.take(80, 300) for _ in range(5)]
    body = "\n".join(f"{b.title}\n{b.text}" for b in bases)
    return Piece(bases[2].title, bases[2].text), Piece("News in brief", body, source.chance.uniform(0, 9))


def middle(source: Source) -> Case:
    """900 words from the middle of a text of three times as many; of several texts if none is as long."""
    try:
        bases = [source.take(2700)]
    except LookupError:
        bases = [source.take(200)]
        while sum(len(base.text.split()) for base in bases) < 2700:
            bases.append(source.take(200))
    lines = sentence_lines("\n".join(base.text for base in bases))
    counts = [len(line.split()) for line in lines]
    starts = [n for n in range(1, len(lines)) if sum(counts[:n]) >= 300 and sum(counts[n:]) >= 1200]
    start = end = source.chance.choice(starts)
    while sum(counts[start:end]) < 900:
        end += 1
    return Piece(bases[0].title, "\n".join(lines)), Piece(
        bases[0].title, "\n".join(lines[start:end]), source.chance.uniform(0, 9)
    )


def reprint(source: Source) -> Case:
    """The same text a year later, with a line of the outlet's own above it."""
    base = source.take(150, 1200)
    text = f"This story was first published a year ago.\n{base.text}"
    return Piece(base.title, base.text), Piece(base.title, text, 365 * DAY)


@dataclass(frozen=True, slots=True)
class Line:
    """copies: whether the two texts of a case belong together."""

    copies: bool
    make: Callable[[Source], Case]


def update(hours: float, share: float) -> Line:
    return Line(True, lambda source: _update(source, hours, share))


def cut_update(hours: float, share: float) -> Line:
    return Line(True, lambda source: _cut_update(source, hours, share))


LINES = {
    "table, other figures": Line(False, table),
    "release, eight other names": Line(False, release),
    "short, other subject": Line(False, other_subject),
    "short, again days later": Line(False, short_again),
    "short, again every day": Line(False, short_daily),
    "two joined by briefs": Line(False, two_briefs),
    "two joined by three briefs": Line(False, three_briefs),
    "horoscopes of two days": Line(False, horoscope),
    "weather of two counties": Line(False, weather),
    "same quotes": Line(False, same_quotes),
    "one name corrected": Line(True, correction),
    "typos": Line(True, typos),
    "teaser": Line(True, teaser),
    "short, own headline": Line(True, short_copy),
    "update, .8 of the body, 4 h": update(4, 0.8),
    "update, .8 of the body, 30 h": update(30, 0.8),
    "update, .7 of the body, 4 h": update(4, 0.7),
    "update, .7 of the body, 30 h": update(30, 0.7),
    "update, cut to .8, 4 h": cut_update(4, 0.8),
    "update, cut to .8, 30 h": cut_update(30, 0.8),
    "update, cut to .7, 4 h": cut_update(4, 0.7),
    "update, cut to .7, 30 h": cut_update(30, 0.7),
    "live blog, doubled": Line(True, doubled),
    "third of five briefs": Line(True, third_of_five),
    "900 words of the middle": Line(True, middle),
    "reprint a year later": Line(True, reprint),
}


# --- measuring ----------------------------------------------------------------------------------------------


def cases_of(name: str, bases: Sequence[Base], count: int) -> list[Case]:
    """Up to `count` cases of a line; fewer if there are not enough texts for it."""
    source = Source(bases, Random(zlib.crc32(name.encode())))
    made: list[Case] = []
    try:
        while len(made) < count:
            made.append(LINES[name].make(source))
    except (LookupError, RecursionError):
        pass
    return made


def grouped(cases: Sequence[Case], chance: Random) -> list[bool]:
    """Whether the two judged texts of each case end in one group. All cases are grouped together."""
    stories: list[ArticleCopy] = []
    judged: list[tuple[int, int]] = []
    for case in cases:
        began = START + timedelta(hours=chance.uniform(0, 60 * DAY))
        judged.append((len(stories), len(stories) + 1))
        for piece in case:
            n, at = len(stories), began + timedelta(hours=piece.hours)
            url = f"https://outlet{n}.example/news/{n}"
            stories.append(ArticleCopy(n, url, piece.title, piece.text, at + timedelta(hours=1), at, "en"))
    group = groups_of(stories, copydesk(stories).pairs)
    return [group[a] == group[b] for a, b in judged]


def interval(hits: int, n: int) -> tuple[float, float]:
    """Wilson's interval of a share at 95 % (Wilson 1927)."""
    z = 1.96
    middle, spread = hits + z * z / 2, z * sqrt(hits * (n - hits) / n + z * z / 4)
    return (middle - spread) / (n + z * z), (middle + spread) / (n + z * z)


def measure(
    bases: Sequence[Base], names: Sequence[str] = (), count: int = CASES
) -> Iterator[tuple[str, int, int]]:
    """Name of each line, cases grouped, and cases."""
    for name in names or LINES:
        cases = cases_of(name, bases, count)
        yield name, sum(grouped(cases, Random(len(cases)))), len(cases)


def read_bases(folder: Path, only: Sequence[str]) -> list[Base]:
    """English texts of the corpora: items as the pipeline stores them, the true text of pages."""
    found: list[Base] = []
    for path in sorted(p for p in folder.iterdir() if p.is_dir() and (not only or p.name in only)):
        if (path / "pairs.tsv").exists():
            found += [Base(s.title, s.text) for s in read_labelled(path, "process").stories]
        elif (path / "truth.jsonl").exists():
            rows = [json.loads(line) for line in open_text(path / "truth.jsonl")]
            stories = {row.get("story", n): row for n, row in enumerate(rows) if row.get("text")}
            found += [Base(row.get("title") or "", row["text"]) for row in stories.values()]
    return [base for base in found if word_count(base.text) >= 20 and identify_language(base.text) == "en"]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--lines", nargs="*", choices=list(LINES), default=[], metavar="NAME")
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--half", type=int, choices=[1, 2], help="every other text only")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print cases that are judged wrong")
    parser.add_argument("--read", type=int, default=0, metavar="N", help="print the first cases of each line")
    options = parser.parse_args(arguments)
    bases = read_bases(options.corpora, options.only)
    if options.half:
        bases = [b for b in bases if zlib.crc32(b.text.encode()) % 2 == options.half - 1]
    print(f"{len(bases)} texts\n{'':30}{'wanted':>8}{'grouped':>9}{'n':>6}   95 %")
    for name in options.lines or LINES:
        cases = cases_of(name, bases, options.cases)
        if not cases:
            print(f"{name:30} no text fits")
            continue
        found = grouped(cases, Random(len(cases)))
        low, high = interval(sum(found), len(cases))
        wanted = "≥ 95 %" if LINES[name].copies else "≤ 5 %"
        share = sum(found) / len(cases)
        print(f"{name:30}{wanted:>8}{share:9.1%}{len(cases):6}   {low:.1%} to {high:.1%}", flush=True)
        wrong = [case for case, is_one in zip(cases, found, strict=True) if is_one != LINES[name].copies]
        for case in [*wrong[: options.show], *cases[: options.read]]:
            print("\n".join(f"  [{p.hours:.0f} h] {p.title}\n{p.text}" for p in case[:2]), "\n" + "-" * 40)


if __name__ == "__main__":
    main()
