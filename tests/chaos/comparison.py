"""Compares every public view after faults with a run without any. What may differ is named here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.compare_rows import ARTICLE_IDS, GROUP_IDS, Contents, View, compare, describe, read

# Why a column may differ. Ids of articles and groups are compared as the URLs of their articles. Ids of pages
# and of sightings are in no view, and may differ as well.
MAY_DIFFER = {
    **dict.fromkeys(ARTICLE_IDS | GROUP_IDS, "given out in the order in which writers took their turns"),
    ("changes", "change"): "numbered in the order of commits, and again at every later change",
    ("changes", "at"): "the clock",
    ("rejections", "run_id"): "the run that met the document last",
}
# A run that was killed has a row, and its command another one when it continues. So rows of runs are not
# compared, but what they add up to: how many articles were stored, each of them once. `grouped` counts the
# articles whose copies came in the same batch or before, `unchanged` and `seen` also what a run met that
# another one had stored, and `revised` depends on which of two texts of a page came first.
_ADDED_UP = ("stored",)


def differences(clean: str, tried: str) -> Iterator[str]:
    """What the views of a database have differently from those of a run without faults, in words."""
    found = compare(_comparable(read(clean)), _comparable(read(tried)), MAY_DIFFER)
    yield from found.faults
    for name, view in found.views.items():
        for difference in view.differences[:5]:
            yield f"{name}: {difference.key[:120]}"
            yield from (f"    {line}" for line in describe(difference))
        if len(view.differences) > 5:
            yield f"{name}: {len(view.differences)} rows differ, of {view.before}"


def _comparable(contents: Contents) -> Contents:
    views = dict(contents.views)
    views["runs"] = _totals(views["runs"])
    views["copies"] = _by_url(views["copies"], views["articles"])
    return replace(contents, views=views)


def _totals(runs: View) -> View:
    """One row instead of those of all runs: the sums of what is compared."""
    names = [name for name, _ in runs.columns]
    sums = {name: sum(int(row[names.index(name)] or 0) for row in runs.rows) for name in _ADDED_UP}
    return replace(runs, rows=(tuple(sums.get(name) for name in names),))


def _by_url(copies: View, articles: View) -> View:
    """Copies whose first article is the one with the lesser URL, and not the one with the lesser id."""
    names = [name for name, _ in copies.columns]
    columns = [name for name, _ in articles.columns]
    urls = {row[columns.index("id")]: str(row[columns.index("url")]) for row in articles.rows}
    exchanged = [
        names.index(
            name.replace("article_", "other_")
            if name.startswith("article_")
            else name.replace("other_", "article_")
        )
        if name.startswith(("article_", "other_"))
        else n
        for n, name in enumerate(names)
    ]
    rows = []
    for row in copies.rows:
        one, other = (urls[row[names.index(name)]] for name in ("article_id", "other_id"))
        rows.append(row if one < other else tuple(row[n] for n in exchanged))
    return replace(copies, rows=tuple(rows))
