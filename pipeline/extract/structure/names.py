"""Rules by the class, id and role names of elements: which words in them mean what.

Tokens are the names of one element, lower-cased. Words are matched whole within a token ("post-share-bar"
holds "share"), because parts of words mislead: "shareholder" has nothing to do with sharing.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Words of each rule. `+` at the end: also as the beginning of a longer word ("relatedposts").
_VOCABULARY: tuple[tuple[str, str], ...] = (
    (
        "structure.caption",
        "caption captions figcaption+ credits photocredit+ imagecredit+ photo-credit image-credit img-credit "
        "bildunterschrift+ legende pie-de-foto didascalia fotocredit+ img-desc image-description "
        "image-widget",
    ),
    (
        "structure.author",
        "author authors authorbox+ byline bylines bio biography authorinfo+ authorbio+ contributor "
        "contributors autor autoren auteur saboxplugin+ profile-card journalist",
    ),
    (
        "structure.related",
        "related+ recommended+ recommendation+ readmore+ read-more read-also readalso+ also-read seealso+ "
        "see-also more-stories morestories+ more-from more-on mostread+ most-read most-popular trending "
        "latest-news "
        "outbrain+ taboola+ zergnet+ recirc+ teaser-list up-next next-post similar-posts promo promobox+ "
        "interlink+ crosslink+ next-article",
    ),
    (
        "structure.newsletter",
        "newsletter+ signup sign-up subscribe+ subscription+ mailchimp+ mc4wp+ optin+ mailing-list "
        "membership+ regwall+ registration",
    ),
    (
        "structure.share",
        "share sharing shares sharedaddy+ sharebar+ social socials socialshare+ addtoany+ addthis+ follow-us "
        "followus+ google-news copy-link",
    ),
    ("structure.comments", "comments commentlist+ disqus+ respond comment-form comment-respond"),
    (
        "structure.embed",
        "twitter-tweet twitter-video instagram-media tiktok-embed fb-post fb-video embed-consent "
        "external-content",
    ),
    (
        "structure.navigation",
        "breadcrumb+ navbar+ nav navigation menu menuitem megamenu+ pagination pager skip-link topbar",
    ),
    ("structure.infobox", "infobox+ factbox+ fact-box info-box"),
    ("structure.footer", "footer copyright copyrights colophon"),
    ("structure.consent", "cookie+ consent+ gdpr+ onetrust+"),
    ("structure.dialog", "modal popup+ lightbox tooltip+ dialog overlay toast"),
    ("structure.advert", "ad advert+ adsense+ adslot+ sponsored+ affiliate+ dfp+ adbox+ cta"),
    ("structure.tags", "tags taglist+ tag-list tag-cloud post-categories cat-links post-tags"),
    ("structure.print", "print-only noprint no-print printonly+"),
    ("structure.search", "search-form searchform+"),
    ("structure.rating", "rating ratings vote voting poll survey feedback"),
    ("structure.disclaimer", "disclaimer+ disclosure+"),
    ("structure.carousel", "carousel+ swiper+ slick-slide"),
    ("structure.hidden", "visually-hidden visuallyhidden+ sr-only screen-reader-text screenreader+"),
    (
        "structure.dateline",
        "timestamp+ date dates pubdate+ published datetime meta postmeta+ readtime+ reading-time read-time",
    ),
)
_ROLES = {"navigation": "structure.navigation", "dialog": "structure.dialog"}
_PART = re.compile(r"[a-z0-9]+")


def _compiled() -> tuple[dict[str, str], list[tuple[tuple[str, ...], str]], list[tuple[str, str]]]:
    """The vocabulary as whole words, runs of words, and beginnings of words, each with its rule."""
    whole: dict[str, str] = {}
    runs: list[tuple[tuple[str, ...], str]] = []
    stems: list[tuple[str, str]] = []
    for rule, words in _VOCABULARY:
        for word in words.split():
            if word.endswith("+"):
                stems.append((word[:-1], rule))
            elif len(parts := tuple(_PART.findall(word))) > 1:
                runs.append((parts, rule))
            else:
                whole.setdefault(word, rule)
    return whole, runs, stems


_WHOLE, _RUNS, _STEMS = _compiled()
_RUN_HEADS = frozenset(run[0] for run, _ in _RUNS)
_ANY_STEM = tuple(stem for stem, _ in _STEMS)
# A site's templates use a few hundred tokens on all its pages, so their rules are kept. Pages may also invent
# tokens without end: only so many are kept, and none longer than a template's.
_KEPT_TOKENS = 1 << 14
_KEPT_TOKEN_CHARS = 64


def token_rule(tokens: frozenset[str]) -> str | None:
    """The rule of the tokens of one element, or None. Of several, the first in alphabetical order decides."""
    for token in sorted(tokens) if len(tokens) > 1 else tokens:
        rule = _kept_rule(token) if len(token) <= _KEPT_TOKEN_CHARS else _rule_of_token(token)
        if rule is not None:
            return rule
    return None


def _rule_of_token(token: str) -> str | None:
    """The rule of a token by its runs of words, then by its first word that has one."""
    if token in _ROLES:
        return _ROLES[token]
    parts = tuple(_PART.findall(token))
    # An id of many words was made of a heading: it says what the text is about, not what it is.
    if not parts or len(parts) > 6:
        return None
    if not _RUN_HEADS.isdisjoint(parts):
        for run, rule in _RUNS:
            if any(parts[i : i + len(run)] == run for i in range(len(parts) - len(run) + 1)):
                return rule
    for part in parts:
        if part in _WHOLE:
            return _WHOLE[part]
        if part.startswith(_ANY_STEM):
            return next(rule for stem, rule in _STEMS if part.startswith(stem))
    return None


_kept_rule = lru_cache(maxsize=_KEPT_TOKENS)(_rule_of_token)
