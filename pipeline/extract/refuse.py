"""Rejects pages that hold no article, with the reason: error page, login, consent wall, section front.

In doubt a page is an article: one that states that it is, or that shows a few sentences of its own, is
accepted. Rejected are pages whose text consists of links and teasers, and pages whose few words say that
there is nothing to read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pipeline.document import BlockKind, DocumentRejected, Reason, Stage
from pipeline.extract.structure import teasers_among, token_rule
from pipeline.metadata import Metadata
from pipeline.page import Page, Passage
from pipeline.text import ends_sentence, has_long_unstopped

# The words of a page say what it is only if it has fewer words of prose than this.
_FEW_WORDS = 150
_ERROR = re.compile(
    r"\b(?:40[034]|410|50[0234])\b.{0,40}(?:error|fehler|erreur|not found|forbidden|unavailable)"
    r"|^(?:error|fehler|erreur|ошибка|помилка)?\W*(?:40[034]|410|50[0234])\b"
    r"|(?:page|site|url|article|story|document)\b.{0,30}(?:not found|can ?not be found|does(?:n.t| not) exist"
    r"|could(?:n.t| not) be found|no longer (?:exists|available))|^not found|access denied"
    r"|(?:seite|artikel|inhalt)\b.{0,30}(?:nicht gefunden|nicht mehr verfügbar|existiert nicht)"
    r"|(?:page|article)\b.{0,20}(?:introuvable|n.existe (?:pas|plus))|página.{0,20}no (?:encontrada|existe)"
    r"|página não encontrada|pagina non trovata|pagina niet gevonden|nie znaleziono|strona nie istnieje"
    r"|страница.{0,20}не (?:найдена|существует)|сторінк\w+.{0,20}не (?:знайдено|існує)"
    r"|something went wrong|service unavailable|bad gateway|page unavailable|(?:scheduled|under) maintenance"
    r"|be right back|wartungsarbeiten|en maintenance|not redirected|^redirecting|checking (?:if|your)\b"
    r"|just a moment|are you (?:a )?(?:human|robot)|captcha",
    re.I,
)
_WALL = re.compile(
    r"cookie|consent|gdpr|datenschutz|zustimm|einwillig|consentement|consentimiento|tracking|privacy"
    r"|vie privée|partenaires|privacidad|персональн|ad ?blocker",
    re.I,
)
_LOGIN = re.compile(
    r"\b(?:log ?in|sign ?in|anmelden|einloggen|connexion|se connecter|iniciar sesi[oó]n|accedi|zaloguj"
    r"|войти|вход|увійти|forgot(?:ten)? (?:your )?password|passwor[dt]|mot de passe|contraseña)\b",
    re.I,
)
# Titles of pages that list, find or offer things.
_LISTING = re.compile(
    r"^(?:(?:our |all )?newsletters?|subscribe|sign ?up|search(?: results)?|suche|suchergebnisse|recherche"
    r"|buscar|поиск|пошук|tags?|schlagwort|topics?|thema|category|kategorie|archives?|site ?map"
    r"|contact(?: us)?|kontakt|about us|impressum|privacy policy|datenschutz\w*|terms (?:of|and) \w+)\b",
    re.I,
)
_CUT_OFF = re.compile(r"(?:\[\s*(?:…|\.{3})\s*\]|…|\.{3})\W*$")


def refuse_non_article(root: Any, page: Page, kept: Sequence[Passage], about: Metadata) -> None:
    """Raises DocumentRejected, with a reason, where the kept text is no article.

    root: the page's tree. kept: the chosen passages. about: what the page states.
    """
    text = "\n".join(passage.text for passage in kept)
    if about.is_article:
        if not kept:
            raise _rejected(Reason.NO_ARTICLE, "no text of its own")
        if len(text) < 40 and not any(_is_prose(page, passage) for passage in kept):
            raise _without_sentence(kept)
        return
    prose = [passage for passage in kept if _is_prose(page, passage)]
    words = sum(len(passage.text.split()) for passage in prose)
    if words < _FEW_WORDS:
        heading = "\n".join([*about.titles[:4], text[:300]])
        if any(_ERROR.search(line) for line in heading.splitlines()):
            raise _rejected(Reason.ERROR_PAGE, about.titles[0] if about.titles else text[:80])
        if len(_WALL.findall(text)) >= 3 or _share_in(page, kept, "structure.consent") > 0.7:
            raise _rejected(Reason.CONSENT_WALL, text[:80])
        if root.find('.//input[@type="password"]') is not None and (words < 60 or _LOGIN.search(heading)):
            raise _rejected(Reason.LOGIN_PAGE, "a form that asks for a password, and no story")
        if words < 80 and any(_LISTING.search(title) for title in about.titles[:3]):
            raise _rejected(Reason.NO_ARTICLE, f"a page of lists or forms: {about.titles[0]}")
        if words < 60 and about.is_video:
            raise _rejected(Reason.NO_ARTICLE, "a player with a line of text")
    if not kept:
        raise _rejected(Reason.NO_ARTICLE, "no text of its own")
    if _is_front(page, kept, prose) or _is_beside_headlines(page, prose, words):
        raise _rejected(Reason.SECTION_FRONT, "the text consists of links and teasers")
    if not prose:
        raise _without_sentence(kept)


def _without_sentence(kept: Sequence[Passage]) -> DocumentRejected:
    return _rejected(Reason.NO_ARTICLE, f"no sentence in {len(kept)} lines of text")


def _rejected(reason: Reason, detail: str) -> DocumentRejected:
    return DocumentRejected(Stage.EXTRACT, reason, detail)


def _share_in(page: Page, kept: Sequence[Passage], rule: str) -> float:
    """The share of the text in containers whose names call for the rule."""
    chars = inside = 0
    for passage in kept:
        chars += len(passage.text)
        if passage.index is not None:
            path = page.path(page.blocks[passage.index].container)
            inside += len(passage.text) * any(token_rule(page.containers.tokens[n]) == rule for n in path)
    return inside / max(1, chars)


def _is_prose(page: Page, passage: Passage) -> bool:
    block = page.blocks[passage.index] if passage.index is not None else None
    if block is not None and (block.kind is BlockKind.HEADING or block.link_density > 0.7):
        return False
    words = len(passage.text.split())
    if words >= 15:
        return True
    # In a writing system without spaces a sentence is one "word" or few.
    if (words >= 4 or len(passage.text) >= 20) and ends_sentence(passage.text):
        return True
    return has_long_unstopped(passage.text)


# Less text than this, beside as many linked headlines, is the lead of a section front or a line about an
# author. Both words and characters, because a writing system without spaces has few words.
_LINE_WORDS = 20
_LINE_CHARS = 150
_FRONT_HEADLINES = 3


def _is_beside_headlines(page: Page, prose: Sequence[Passage], words: int) -> bool:
    if words >= _LINE_WORDS or sum(len(passage.text) for passage in prose) >= _LINE_CHARS:
        return False
    linked = sum(block.link_density > 0.5 and len(block.words) >= 4 for block in page.blocks)
    return linked >= _FRONT_HEADLINES


def _is_front(page: Page, kept: Sequence[Passage], prose: Sequence[Passage]) -> bool:
    blocks = [page.blocks[passage.index] for passage in kept if passage.index is not None]
    links = [block for block in blocks if block.link_chars]
    linked = sum(block.link_density > 0.8 and len(block.words) >= 3 for block in links)
    link_chars = sum(block.link_chars for block in links)
    chars = max(1, sum(len(passage.text) for passage in kept))
    if linked >= 6 and linked >= 0.4 * len(kept) and link_chars > 0.3 * chars:
        return True
    texts = [page.blocks[passage.index] for passage in prose if passage.index is not None]
    teasers = len(teasers_among(page, {p.index for p in prose if p.index is not None}))
    cut_off = sum(bool(_CUT_OFF.search(block.text)) for block in texts)
    return teasers >= 0.6 * len(texts) and (teasers >= 4 or (teasers >= 2 and cut_off >= 2))
