"""The catalogue of outlets, `catalogue.toml`: where the feeds and sitemaps of known outlets were, by key.

Nothing of it is crawled. `copydesk sites add KEY` tries the addresses, and writes what works to a sites file.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from pipeline.errors import OperatorError
from pipeline.text import folded_words


@dataclass(frozen=True, slots=True)
class Outlet:
    """An outlet, with addresses that may have moved since they were written down.

    key: its site in a sites file. country: two letters of ISO 3166, lower case. language: as in a sites file.
    """

    key: str
    name: str
    country: str
    language: str
    homepage: str
    feeds: tuple[str, ...] = ()
    news_sitemaps: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()


def read_catalogue() -> dict[str, Outlet]:
    """Every outlet by its key, by country and name."""
    text = resources.files("crawler.sites").joinpath("catalogue.toml").read_text("utf-8")

    def outlet(key: str, name: str, country: str, language: str, homepage: str, **of: list[str]) -> Outlet:
        return Outlet(key, name, country, language, homepage, **{kind: tuple(of[kind]) for kind in of})

    return {key: outlet(key, **entry) for key, entry in tomllib.loads(text).items()}


def find_outlets(
    words: Sequence[str] = (), *, country: str | None = None, language: str | None = None
) -> list[Outlet]:
    """The outlets that all of this holds for, by country and name.

    words: each begins a word of the name, or is part of the key or the homepage; case and accents make no
    difference. country: two letters; `uk` is `gb`. language: also of a region, `pt` for `pt-BR`.
    """
    land = {"uk": "gb"}.get((country or "").lower(), (country or "").lower())
    wanted = [folded.text for word in words for folded in folded_words(word)]
    tongue = (language or "").lower()
    return [
        outlet
        for outlet in read_catalogue().values()
        if land in ("", outlet.country)
        and tongue in ("", outlet.language.lower(), outlet.language.lower().partition("-")[0])
        and all(_is_about(outlet, word) for word in wanted)
    ]


def _is_about(outlet: Outlet, word: str) -> bool:
    named = any(folded.text.startswith(word) for folded in folded_words(outlet.name))
    return named or word in outlet.key or word in outlet.homepage


def outlets_named(keys: Sequence[str]) -> list[Outlet]:
    """The outlets with these keys, in their order, each once. Raises OperatorError for an unknown key."""
    known = read_catalogue()
    found = []
    for key in dict.fromkeys(keys):
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "copydesk sites catalogue lists those that it has"
            raise OperatorError(f"no outlet {key!r} in the catalogue; {hint}; or write the site's address")
        found.append(known[key])
    return found
