"""Wire conventions: the dateline and byline above a story, the sign-off under it, and whose copy it is.

The same agency story stands in ten outlets under ten datelines and sign-offs, so they come off the
text and into fields of their own before anything is compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from operator import itemgetter

from pipeline.document import Block, BlockKind, Removed
from pipeline.text import AFTER_SENTENCE

# Canonical name of an agency, and the forms in which it signs, as regular expressions. Names that are
# ordinary words elsewhere ("PA", "AA", "TT") count only where the syntax leaves no doubt: in brackets
# or between slashes, in the case in which the agency writes itself. Each form begins with one certain letter:
# a text is then searched for all of them by their first letters.
AGENCIES: dict[str, str] = {
    "Reuters": r"Reuters?|Thomson Reuters?|REUTERS?|Рейтер|Ройтерс|ロイター|路透社?",
    "AP": r"A\.?P\.?|Associated Press|The Associated Press|ASSOCIATED PRESS|THE ASSOCIATED PRESS|美联社",
    "AFP": r"AFP|ＡＦＰ|Agence France[- ]Presse|法新社|АФП",
    "dpa": r"dpa(?:[/-][A-Za-z]{2,8}){0,3}|Dpa(?:[/-][A-Za-z]{2,8}){0,3}|DPA|Deutsche Presse-Agentur",
    "UPI": r"UPI|United Press International",
    "TASS": r"TASS|ITAR-TASS|ТАСС|ИТАР-ТАСС",
    "Xinhua": r"Xinhua|XINHUA|新华社|新華社",
    "EFE": r"EFE|Agencia EFE",
    "ANSA": r"ANSA(?:med)?",
    "Ukrinform": r"Ukrinform|UKRINFORM|Укрінформ|УКРІНФОРМ|Укринформ",
    "PTI": r"PTI|Press Trust of India",
    "ANI": r"ANI|Asian News International",
    "IANS": r"IANS|Indo-Asian News Service",
    "UNI": r"UNI",
    "Interfax": r"Interfax(?:-[A-Z][a-z]+)?|INTERFAX(?:\.RU)?|Интерфакс(?:-[А-ЯІ][а-яї]+)?"
    r"|Інтерфакс(?:-[А-ЯІ][а-яї]+)?",
    "RIA Novosti": r"RIA Novosti|RIA|РИА Новости|РИА «Новости»",
    "Kyodo": r"Kyodo(?: News)?|共同(?:通信)?",
    "Jiji": r"Jiji(?: Press)?|時事(?:通信)?",
    "Yonhap": r"Yonhap|聯合ニュース|연합뉴스",
    "Bloomberg": r"Bloomberg(?: News)?|BLOOMBERG",
    "PAP": r"PAP",
    "Belga": r"Belga|BELGA",
    "ANP": r"ANP|anp",
    "APA": r"APA(?:/[A-Za-z]{2,4})?|Apa",
    "Keystone-SDA": r"Keystone-SDA|SDA|sda",
    "Anadolu": r"AA|Anadolu(?: Agency)?",
    "PA": r"PA(?: Media)?|Press Association",
    "AAP": r"AAP|Australian Associated Press",
    "Canadian Press": r"CP|Canadian Press|The Canadian Press|THE CANADIAN PRESS",
    "Lusa": r"Lusa|LUSA",
    "NTB": r"NTB|©NTB",
    "TT": r"TT",
    "Ritzau": r"Ritzau|/ritzau/",
    "STT": r"STT",
    "CTK": r"CTK|ČTK",
    "MTI": r"MTI",
    "Agerpres": r"Agerpres|AGERPRES",
    "BTA": r"BTA|БТА",
    "Tanjug": r"Tanjug|Танјуг",
    "UNIAN": r"UNIAN|УНІАН|УНИАН",
    "BelTA": r"BelTA|БЕЛТА|БелТА",
    "Europa Press": r"EUROPA PRESS|Europa Press",
    "Adnkronos": r"Adnkronos",
    "AGI": r"AGI",
    "epd": r"epd",
    "KNA": r"KNA",
    "SID": r"SID",
    "Télam": r"T[ée]lam",
    "Agência Brasil": r"Agência Brasil",
    "CNA": r"CNA|中央社",
    "Bernama": r"Bernama|BERNAMA",
    "Antara": r"ANTARA|Antara",
    "VNA": r"VNA",
    "APP": r"APP",
    "BSS": r"BSS",
    "SPA": r"SPA",
    "WAM": r"WAM",
    "KUNA": r"KUNA",
    "IRNA": r"IRNA",
    "SANA": r"SANA",
    "MENA": r"MENA",
    "KCNA": r"KCNA",
    "Inter Press Service": r"IPS|Inter Press Service",
    "CNN": r"CNN",
}

# How far down the dateline may stand: under a summary in bullets, a photo line, a standfirst.
LEAD_BLOCKS = 10
# A dateline without an agency is a place and a dash, so only the first paragraphs may have it.
BARE_BLOCKS = 3
# How far up from the end the sign-off may begin.
LAST_BLOCKS = 5
# A byline is a line of names: longer lines are sentences.
BYLINE_WORDS = 24
BYLINE_CHARS = 200

_AGENCY = "|".join(AGENCIES.values())
_CREDIT = rf"(?:{_AGENCY})(?:\s?(?:[/,;|&+]| and | und | et | y | e )\s?(?:{_AGENCY}|[A-Za-z]{{2,5}})){{0,3}}"

# Patterns in which each agency may stand take some milliseconds to compile, and few pages name any.
_pattern = cache(re.compile)
# Without one of their forms no pattern with a credit in it matches. A text is searched for them by their
# first letters, but for those in small letters, which stand everywhere.
_FORMS = [form for forms in AGENCIES.values() for form in forms.split("|")]
_SMALL_FORMS = ("dpa", "anp", "sda", "epd", "reuter")
_LARGE_FORMS = sorted(form for form in _FORMS if not form.startswith(_SMALL_FORMS))
# Each first letter once: most capitals of a text are then done with at a glance.
_BY_LETTER = "|".join(
    f"{letter}(?:{'|'.join(form[1:] for form in forms)})"
    for letter, forms in groupby(_LARGE_FORMS, itemgetter(0))
)
_NAMED = re.compile(rf"(?:{_BY_LETTER})(?![^\W\d_])")


def _names_agency(text: str) -> bool:
    return any(map(text.__contains__, _SMALL_FORMS)) or _NAMED.search(text) is not None


_DASH = r"(?:\s*(?:--+|[-–—―−]|\.-|:)\s*)"
_CAPITAL = r"A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĹĻŁŃŅŇŌŐŒŔŘŚŞŠŢŤŪŮŰŲŹŻŽΑ-ΩА-ЯЁЄІЇҐ"
_LOWER = r"a-zß-öø-ÿа-яёєіїґ"
_WORD = rf"[{_CAPITAL}][\w.'’-]*"
_SMALL = (
    r"(?:de|del|la|le|los|las|el|du|da|do|dos|di|der|den|am|an|im|of|the|upon|sur|et|y|al|bei|ob|aan|on|in)"
)
_PLACE_NAME = rf"{_WORD}(?: (?:{_SMALL} ){{0,2}}{_WORD}){{0,4}}(?: [(\[]{_WORD}(?: {_WORD}){{0,3}}[)\]])?"
_DAY = (
    r"(?:le )?(?:[^\W\d_]{3,12}\.? \d{1,2}(?!\d)"
    r"|\d{1,2}(?:er|\.|st|nd|rd|th)? ?(?:de |d['’])?[^\W\d_]{3,12}\.?)"
    r"(?:,? (?:de |del )?(?:19|20)\d\d)?"
)
_PLACES = rf"{_PLACE_NAME}(?:(?:,? ?[/|] ?|, | and | und | et | y ){_PLACE_NAME}){{0,3}}"
_UPPER = rf"[{_CAPITAL}][{_CAPITAL}.'’ -]*[{_CAPITAL}.]"

# Sources of patterns, each of which takes a dateline off the start of a paragraph; groups: place (with its
# date), credit.
_WITH_AGENCY = (
    # (ANSA) - ROMA, 12 MAR -
    rf"[(\[](?P<credit>{_CREDIT})[)\]]{_DASH}(?P<place>{_UPPER}(?:, {_DAY}))\s*{_DASH}",
    # LONDON, March 7 (Reuters) - ; Madrid, 3 mar (EFE).- ; (AP) - ; Berlin (dpa/bb) -
    (
        rf"(?P<place>(?:{_PLACES})?(?:[,.]? ?{_DAY})?) ?[(\[](?P<credit>{_CREDIT})[)\]]"
        rf"(?:\.?{_DASH}(?=[^\s{_LOWER}])|(?<=[)\]])\.? (?=[\"“„«'‘]?[{_CAPITAL}\d]))"
    ),
    # МОСКВА, 5 марта. /ТАСС/. ; МОСКВА, 5 мар - РИА Новости. ; Москва. 5 марта. INTERFAX.RU -
    (
        rf"(?P<place>{_PLACES}[,.] {_DAY})[.,]?\s*[-–—/(]*\s*"
        rf"(?P<credit>{_CREDIT})\s*[/)]*(?:\s*[.:]|{_DASH})\s*"
    ),
    # КИЇВ. Укрінформ.
    rf"(?P<place>{_UPPER})\.\s*[/(]?(?P<credit>{_CREDIT})[/)]?(?:\s*[.:]|{_DASH})\s*",
)
# As East Asian agencies begin theirs, with one of these characters.
_EASTERN_BEGIN = tuple("（(新中［[【〔")
_EASTERN = (
    # 新华社北京3月5日电
    (
        r"[（(]?(?P<credit>新华社|新華社|中央社(?:記者\S{0,12})?)(?P<place>\S{1,14}?\d{1,2}月?\d{0,2}日?)[电電]"
        r"(?:\s*[（(][^）)]{1,30}[）)]|[）)])?\s*"
    ),
    # 【ロンドン共同】 ; [ロンドン 5日 ロイター] -
    (
        r"[［\[【〔](?P<place>[^］\]】〕]{1,24}?)\s*(?P<credit>ロイター|共同|時事|ＡＦＰ|AFP|聯合ニュース)"
        r"(?:通信|＝[^］\]】〕]{1,12})?[］\]】〕]\s*[-－—=＝]?\s*"
    ),
)
# NEW YORK - ; KYIV, Ukraine - ; WASHINGTON, March 3 -
_BARE = re.compile(
    rf"(?P<place>{_UPPER}(?:/{_UPPER})*(?:, {_WORD}(?: {_WORD}){{0,2}})?(?:,? {_DAY})?)"
    rf"(?: ?\((?P<desk>[^)]{{2,30}})\))?\s*(?:--+|[–—―]| - )\s*(?=[\"“„«'‘]?[{_CAPITAL}])"
)
# What stands in capitals before a dash and is no place.
_NO_PLACE = re.compile(
    r"\b(?:BREAKING|UPDATED?|LIVE|WATCH|EXCLUSIVE|OPINION|ANALYSIS|REVIEW|VIDEO|PHOTOS?|CORRECTION|NOTE|Q|A|"
    r"EDITOR|EDITORIAL|SPOILER|WARNING|ALERT|NEWS|FACTBOX|TIMELINE|EXPLAINER|INTERVIEW|FEATURE|STEP|PART|DAY|"
    r"FREE|BEST|TOP|TIP|PROS|CONS|EILMELDUNG|KOMMENTAR|СРОЧНО|ОБНОВЛЕНО|ВИДЕО|ВІДЕО|ФОТО)\b"
)

_PERSON = (
    rf"(?!(?:{_AGENCY}|Staff|Special|Senior|Chief|Web|News)\b)"
    rf"{_WORD}(?: (?:(?:van|von|de|der|den|da|dos|di|la|le|bin|al|el) )*{_WORD}){{1,4}}"
)
_AND = r"(?:,? (?:and|und|et|y|e|i|en|и|та|&|with|mit) |, | ?[/|] ?)"
_BY = r"(?:By|BY|Von|VON|Par|PAR|Por|POR|Di|Door|Autore?|Автор|Written by|Text|Текст)"
_ROLE = (
    r"(?:(?:Special|Senior|Chief|Staff|Political|Sports|Business|Foreign|National|News|Web|AP|"
    r"Associated Press|Reuters|Contributing|Guest|Deputy|Managing|Executive|City|Digital|Data|"
    r"Science|Health|Crime|Court)\s+)*"
    r"(?:[Ww]riters?|[Rr]eporters?|[Cc]orrespondents?|[Ee]ditors?|[Cc]ontributors?|[Cc]olumnists?|[Ss]taff|"
    r"[Dd]esk|[Jj]ournalists?|[Ss]taff [Ww]riters?)"
)
_STAMP = (
    r"(?:\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}"
    r"|[^\W\d_]{3,10}\.? \d{1,2},? \d{4}|\d{1,2}\.? [^\W\d_]{3,10}\.? \d{4})"
)
_AFTER_BYLINE = (
    rf"(?:(?:{_AND}| )?\(?(?:{_ROLE}|(?:for |of )?(?:the )?(?:{_AGENCY})\b"
    rf"|{_STAMP}(?:[ ,|]+\d{{1,2}}:\d\d.{{0,12}})?"
    r"|@\w+|[\w.+-]+@[\w.-]+\.\w+|Updated.{0,30}|Published.{0,30})\)?){0,4}"
)
_HEBREW = r"[א-ת][א-ת'\"׳״-]+"
_SIGNED_AGENCY = rf"(?:^|[ ,|/(])(?P<credit>{_AGENCY})(?=$|[ ,|/)])"
_PERSONS = rf"{_PERSON}(?:{_AND}{_PERSON})*"
_BY_SOMEBODY = rf"{_BY}:? (?P<who>{_PERSONS}|(?:{_CREDIT})|{_ROLE}){_AFTER_BYLINE}\.?"
_SIGNED = rf"(?P<who>{_PERSONS}){_AND}(?:{_ROLE}|(?:{_CREDIT})){_AFTER_BYLINE}\.?"
_STAFF = rf"(?P<who>(?:(?:{_CREDIT})\s)?{_ROLE}){_AFTER_BYLINE}\.?"
_ONLY_ROLE = rf"(?:(?:{_CREDIT}) )?{_ROLE}"
# Hebrew has no capitals: only the word for "by" makes a line of names a byline.
_IN_HEBREW = (
    rf"(?:מאת:?|כתבו?:|כתבה:) (?P<who>{_HEBREW}(?: {_HEBREW}){{1,3}}(?:,? {_HEBREW} {_HEBREW})?)"
    rf"(?:[ ,|]+{_STAMP})?\.?"
)
# Without these no line is one of them.
_BY_WORD = re.compile(rf"{_BY}:? ")
_IN_ROLE = ("riter", "eporter", "orrespondent", "ditor", "ontributor", "olumnist", "taff", "esk", "ournalist")
# By Jane Doe LONDON (Reuters) -
_BYLINE_HEAD = rf"By (?P<who>{_PERSON}?(?:{_AND}{_PERSON}?)*) (?={_UPPER}.{{0,40}}\((?:{_CREDIT})\))"

_WORKED = (
    r"(?:(?:additional |further |other )?(?:reporting|report|writing|written|rewritten|compiled|edited|"
    r"editing|graphics?|photography|production|translat(?:ed|ion|ing)|adaptation|text|research)"
    r"(?:,? (?:and|&) (?:additional )?(?:writing|editing|reporting|translation|graphics))?"
    r"(?: in [\w .]{2,30})?)"
)
_SIGNOFF_LINES = (
    rf"(?i)[(\[*_]*{_WORKED} by:? (?-i:[{_CAPITAL}]).{{3,500}}",
    rf"[-–—\s(\[/]*(?P<credit>{_CREDIT}|reuter)[)\]/]*\s*[.\x03]*",
    # dpa abc xx n1 de ; EFE abc/de
    rf"(?P<credit>{_CREDIT})(?: [a-z]{{1,3}}\d?)*(?: [a-z]{{2,4}}(?:/[a-z]{{2,4}})*)",
    # Doe reported from Oslo.
    rf"{_WORD}(?:(?:, and |, | and | ){_WORD}){{0,6}} reported from {_WORD}.{{0,200}}",
    # rt/sms (AP, Reuters)
    rf"[a-zäöü]{{1,4}}(?:[/,][a-zäöü]{{1,4}})* \((?P<credit>{_CREDIT})\)",
    (
        r"(?:©|\([cC]\)|[Cc]opyright|COPYRIGHT)\s*(?:\d{4})?,? ?(?:by |[Tt]he )?"
        rf"(?P<credit>{_CREDIT})(?:\W.{{0,240}})?"
    ),
    r"-{2,}\s*.{0,80}\b(?:[Oo]ffices?|[Nn]ewsroom|[Bb]ureau)\b.{0,60}",
    (
        r"[(\[]?(?i:with (?:inputs?|files|material|(?:additional )?reporting|reports?|agency inputs?)|"
        r"mit (?:material|informationen|agenturmaterial)|con información|com informações)"
        rf"(?: (?:from|by|de|von|der|des|da|l['’]))*:? ?(?:.{{0,60}}?\b)?(?P<credit>{_CREDIT})\b.{{0,80}}"
    ),
    # mit dpa ; avec AFP et Reuters
    rf"[(\[]?(?i:with|mit|avec|con|com) (?:l['’])?(?P<credit>{_CREDIT})[)\]]?\.?",
    (
        r"(?i)[(\[]?(?:except for the headline, )?this (?:story|article|report|copy|news item) "
        r"(?:has|was|is) (?:not (?:been )?|been )?(?:edited|auto|syndicated|generated|published from|sourced|"
        r"created from|taken from).{0,300}"
    ),
    (
        rf"(?:.{{0,300}}\b)?(?P<credit>{_CREDIT})\b.{{0,300}}"
        r"\bcontributed (?:to this (?:report|story|article)|reporting)\b.{0,40}"
    ),
    # rt/sms ; MDR (dst) ; (dmk)
    r"(?:[A-ZÄÖÜ]{2,6} )?\([a-zäöü]{2,4}\)|[a-zäöü]{2,3}(?:/[a-zäöü]{2,4})+",
    r"(?i)(?:N{4}|ENDS?|#{2,}|-30-|\(?END\)?|\x03)",
)
_SIGNOFF_TAILS = (
    rf"(?i){AFTER_SENTENCE}\s*[(\[]\s*{_WORKED} by:? (?-i:[{_CAPITAL}])[^()]{{3,400}}[)\]]\.?\s*$",
    rf"{AFTER_SENTENCE}\s*(?:[-–—]+\s*)?[(\[/](?P<credit>{_CREDIT})[)\]/]\.?\s*\x03?\s*$",
    rf"{AFTER_SENTENCE}\s*[-–—]+\s*(?P<credit>{_CREDIT})\.?\s*$",
    rf"{AFTER_SENTENCE}\s+(?P<credit>R(?:euters?|EUTERS?)|AFP|dpa|DPA|UPI|PTI|ANI|TASS|EFE)\s*\x03?\s*$",
    r"\s+(?P<credit>REUTER|Reuter|reuter)[\s.]*\x03?\s*$",
    r"\s*\x03\s*$",
)
# How those without a credit end.
_TAIL_ENDS = (")", "]", ").", "].", "\x03")
_TITLE_CREDIT = (rf"(?:\s[-–—|]\s|\()(?P<credit>{_AGENCY})\)?\s*$",)


def compile_patterns() -> None:
    """Compiles every pattern at once, in a process that its workers are forked from."""
    bylines = (_BY_SOMEBODY, _SIGNED, _STAFF, _IN_HEBREW, _ONLY_ROLE, _BYLINE_HEAD, _SIGNED_AGENCY)
    datelines = (*_WITH_AGENCY, *_EASTERN)
    signoffs = (*_SIGNOFF_LINES, *_SIGNOFF_TAILS, *_TITLE_CREDIT)
    for source in (*AGENCIES.values(), *bylines, *datelines, *signoffs):
        _pattern(source)


@cache
def _patterns(sources: tuple[str, ...], is_named: bool) -> tuple[re.Pattern[str], ...]:
    """The patterns for a text; without those of a credit where it names no agency."""
    return tuple(_pattern(source) for source in sources if is_named or "(?P<credit>" not in source)


def _that_may_match(sources: tuple[str, ...], text: str) -> tuple[re.Pattern[str], ...]:
    return _patterns(sources, _names_agency(text))


@dataclass(frozen=True, slots=True)
class WireCopy:
    """A story with its wire conventions taken off.

    byline: the names as they stood, without "By". dateline: place and date as they stood, without
    the agency. agency: canonical name, a key of AGENCIES; None where nothing names one.
    """

    blocks: tuple[tuple[int, Block], ...]
    byline: str | None = None
    dateline: str | None = None
    agency: str | None = None
    removed: tuple[Removed, ...] = ()

    @property
    def authors(self) -> tuple[str, ...]:
        """Who the byline names, people or agencies; nobody where it only says what they are."""
        if self.byline is None or _pattern(_ONLY_ROLE).fullmatch(self.byline):
            return ()
        return tuple(name for name in re.split(_AND, self.byline) if name)


def parse_wire(blocks: tuple[tuple[int, Block], ...], title: str) -> WireCopy:
    """Takes dateline, byline and sign-off off the story; blocks left empty go.

    blocks: position in the extraction, and block, as `clean` returns them.
    """
    lines = [(position, block, block.text) for position, block in blocks]
    lines, byline, by_agency, byline_removed = _take_bylines(lines)
    lines, match, dateline_removed = _take_dateline(lines)
    dateline = (match.group("place").strip(" ,.") or None) if match else None
    place_agency = _agency(match)
    # A name in the dateline's brackets that no list knows is an agency's where it signs the story as well.
    desk = match.groupdict().get("desk") if match else None
    lines, end_agency, signoff_removed = _take_signoff(lines, desk)
    in_title = next(
        (m for pattern in _that_may_match(_TITLE_CREDIT, title) if (m := pattern.search(title))), None
    )
    agency = place_agency or end_agency or by_agency or _agency(in_title)
    return WireCopy(
        blocks=tuple((position, _with_text(block, text)) for position, block, text in lines if text),
        byline=byline,
        dateline=dateline,
        agency=agency,
        removed=(*byline_removed, *dateline_removed, *signoff_removed),
    )


_Line = tuple[int, Block, str]


def _with_text(block: Block, text: str) -> Block:
    if text == block.text:
        return block
    return Block(block.kind, text, block.link_density, block.tokens, block.tags)


def _agency(match: re.Match[str] | None) -> str | None:
    """Canonical name of the first agency that the match's credit names."""
    credit = match.groupdict().get("credit") if match else None
    return _signer(credit) if credit else None


@lru_cache(maxsize=256)
def _signer(credit: str) -> str | None:
    found = [
        (m.start(), -len(m.group()), name)
        for name, forms in AGENCIES.items()
        if (m := _pattern(forms).search(credit))
    ]
    return min(found)[2] if found else None


def _take_bylines(lines: list[_Line]) -> tuple[list[_Line], str | None, str | None, list[Removed]]:
    byline: str | None = None
    agency: str | None = None
    removed: list[Removed] = []
    kept: list[_Line] = []
    for index, (position, block, text) in enumerate(lines):
        at_edge = index < LEAD_BLOCKS or index >= len(lines) - 2
        if at_edge and not (removed and index >= LEAD_BLOCKS):
            is_short = len(text) <= BYLINE_CHARS and len(text.split()) <= BYLINE_WORDS
            match = _byline(text) if is_short else None
            if match:
                byline = byline or match["who"].strip()
                agency = agency or _signed_agency(text)
                removed.append(Removed(position, text, "wire.byline"))
                continue
            may_head = index < BARE_BLOCKS and text.startswith("By ") and _names_agency(text)
            head = _pattern(_BYLINE_HEAD).match(text) if may_head else None
            if head:
                byline = byline or head.group("who")
                removed.append(Removed(position, head.group().strip(), "wire.byline"))
                text = text[head.end() :].strip()
        kept.append((position, block, text))
    return kept, byline, agency, removed


def _byline(text: str) -> re.Match[str] | None:
    """The line as a byline; each form is tried only where the words that it needs are in the line."""
    match = _pattern(_BY_SOMEBODY).fullmatch(text) if _BY_WORD.match(text) else None
    has_role = any(map(text.__contains__, _IN_ROLE))
    if match is None and (has_role or _names_agency(text)):
        match = _pattern(_SIGNED).fullmatch(text)
    if match is None and has_role:
        match = _pattern(_STAFF).fullmatch(text)
    if match is None and text.startswith(("מאת", "כתב")):
        match = _pattern(_IN_HEBREW).fullmatch(text)
    return match


def _signed_agency(text: str) -> str | None:
    """The agency in a byline; only names that no person or town bears by chance."""
    return _agency(_pattern(_SIGNED_AGENCY).search(text))


def _take_dateline(lines: list[_Line]) -> tuple[list[_Line], re.Match[str] | None, list[Removed]]:
    running = 0
    for index, (position, block, text) in enumerate(lines[:LEAD_BLOCKS]):
        match = next(
            (m for pattern in _that_may_match(_WITH_AGENCY, text) if (m := pattern.match(text))), None
        )
        if match is None and text.startswith(_EASTERN_BEGIN):
            match = next((m for source in _EASTERN if (m := _pattern(source).match(text))), None)
        if match is None and running < BARE_BLOCKS and block.kind is BlockKind.PARAGRAPH:
            match = _BARE.match(text)
            if match and (_NO_PLACE.search(match.group("place")) or _is_long(match.group("place"))):
                match = None
        running += block.kind is BlockKind.PARAGRAPH
        if match and match.end() < len(text):
            rest = [*lines[:index], (position, block, text[match.end() :].strip()), *lines[index + 1 :]]
            return rest, match, [Removed(position, match.group().strip(), "wire.dateline")]
    return lines, None, []


def _is_long(place: str) -> bool:
    """More words than the name of a town has: a headline in capitals."""
    return any(len(name.split()) > 3 for name in re.split(r"[,/(]", place))


def _take_signoff(lines: list[_Line], desk: str | None) -> tuple[list[_Line], str | None, list[Removed]]:
    agency: str | None = None
    removed: list[Removed] = []
    kept = list(lines)
    # From the end upwards, past what may stand between two lines of the sign-off.
    for index in range(len(kept) - 1, max(-1, len(kept) - 1 - LAST_BLOCKS), -1):
        position, block, text = kept[index]
        is_named = _names_agency(text)  # taking a tail off brings no name to light
        match = next(
            (m for pattern in _patterns(_SIGNOFF_LINES, is_named) if (m := pattern.fullmatch(text))), None
        )
        by_desk = desk is not None and text.strip(" ()[]-–—.") == desk
        if (match or by_desk) and index > 0:
            agency = desk if by_desk else _agency(match) or agency
            removed.append(Removed(position, text, "wire.signoff"))
            kept[index] = (position, block, "")
            continue
        while tail := _tail(text, is_named):
            if tail.start() == 0:
                break
            agency = _agency(tail) or agency
            removed.append(Removed(position, tail.group().strip(" \x03") or "\x03", "wire.signoff"))
            text = text[: tail.start()].rstrip()
        kept[index] = (position, block, text)
        if len(text.split()) > BYLINE_WORDS:
            break
    return [line for line in kept if line[2]], agency, removed


def _tail(text: str, is_named: bool) -> re.Match[str] | None:
    if not (is_named or text.rstrip().endswith(_TAIL_ENDS)):
        return None
    return next((m for pattern in _patterns(_SIGNOFF_TAILS, is_named) if (m := pattern.search(text))), None)
