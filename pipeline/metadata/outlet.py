"""Name of the outlet as the page states it, and the words that identify the outlet in titles and bylines."""

from __future__ import annotations

from urllib.parse import urlsplit

from pipeline.metadata.structured_data import StructuredData, cleaned, resolved, text_of, types_of
from pipeline.text import runs_key


def site_name_of(data: StructuredData) -> str | None:
    """The name that the page gives its site or its publisher."""
    for name in data.meta("og:site_name"):
        if cleaned(name):
            return cleaned(name)
    publisher = text_of(resolved(data.article.get("publisher"), data))
    if publisher and not publisher.startswith("http"):
        return cleaned(publisher)
    for name in data.meta("application-name", "apple-mobile-web-app-title"):
        if cleaned(name):
            return cleaned(name)
    for node in data.nodes:
        if types_of(node) in ("WebSite", "NewsMediaOrganization", "Organization") and text_of(
            node.get("name")
        ):
            return cleaned(text_of(node.get("name")))
    return None


def site_words(site_name: str | None, url: str, data: StructuredData) -> set[str]:
    """The names of the site and its host, folded and without blanks, as `is_site` compares them."""
    names = {runs_key(site_name or "").replace(" ", "")}
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    parts = host.split(".")
    if len(parts) >= 2:
        names.add(parts[-2] if len(parts[-2]) > 3 or len(parts) < 3 else parts[-3])
        names.add(host.replace(".", "").replace("-", ""))
    for name in data.meta("twitter:site", "application-name", "al:ios:app_name", "og:site_name"):
        names.add(runs_key(name.lstrip("@")).replace(" ", ""))
    names.discard("")
    return {n for n in names if len(n) >= 2}


def is_site(part: str, names: set[str]) -> bool:
    """Whether a part of a title or an author is the site's name, with little added; True without letters.

    names: from `site_words` or `outlet_words`.
    """
    word = runs_key(part).replace(" ", "")
    if not word:
        return True
    if word in names:
        return True
    first, *more = part.split()
    if first.isupper() and len(more) <= 2 and runs_key(first) in names:
        return True
    return any(
        len(n) >= 4 and (word.startswith(n) or word.endswith(n) or n in word) and len(word) <= len(n) + 14
        for n in names
    )


def outlet_words(site_name: str | None, url: str, data: StructuredData) -> set[str]:
    """The names of the site and its publisher, which outlets use in place of an author."""
    names = site_words(site_name, url, data)
    publishers = [resolved(data.article.get("publisher"), data)]
    publishers += [n for n in data.nodes if types_of(n) in ("WebSite", "NewsMediaOrganization")]
    names |= {runs_key(text_of(p.get("name"))).replace(" ", "") for p in publishers if isinstance(p, dict)}
    return {name for name in names if len(name) >= 2}
