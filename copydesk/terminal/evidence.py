"""The evidence on a pair of articles in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.counts import counted

if TYPE_CHECKING:
    from pipeline.copies import Conflicts, Judgement
    from storage.upkeep import PairEvidence


def verdict(found: PairEvidence) -> str:
    """Whether the two are copies and in one group, and the reason, in a sentence."""
    judged, pair = found.judgement, f"{found.article_id} and {found.other_id}"
    if found.stored and found.stored.joins:
        return f"{pair} are copies"
    if found.stored:
        reason = (
            f"{pair} are copies, but this joins no group: one of them holds several stories, and is in the"
            " group of another one"
        )
    elif judged.refusal is None:
        reason = f"{pair} would be copies by their texts, but the index did not propose them"
    else:
        reason = f"{pair} are no copies: {judged.refusal.value}"
    if len(found.path) > 2:
        between = ", ".join(map(str, found.path[1:-1]))
        reason += f"; they are in one group through {between}"
    return reason


def facts(found: PairEvidence) -> Iterator[tuple[str, str]]:
    """What was compared and what it gave: a heading, and the rest of the line."""
    yield "index", _index(found)
    judged = found.judgement
    time = f"{_apart(judged)} apart" if judged.days is not None else "one has no date"
    yield "time", f"{time}, so more has to agree" if judged.doubt else time
    yield (
        "containment",
        f"{judged.containment:.0%} of the shorter text is in the longer, {judged.needed:.0%} needed",
    )
    if judged.agreement is not None and judged.agreement_needed is not None:
        yield (
            "names and figures",
            f"{judged.agreement:.0%} of those in shared passages are in the longer text,"
            f" {judged.agreement_needed:.0%} needed",
        )
    if judged.conflicts is not None:
        yield "conflicts", _conflicts(judged.conflicts)


# Of each pair in a table: shares, with what is needed in brackets; figures and names in the same places that
# differ; time; bands in which the two are neighbours; values of the signatures that agree.
HEADINGS = ("pair", "kind", "in the longer", "names and figures", "conflicts", "apart", "bands", "values")


def columns(found: PairEvidence) -> tuple[str, ...]:
    """The same of a pair in the cells of a table under `HEADINGS`; empty where nothing was compared."""
    judged, shared = found.judgement, found.shared
    agreement = conflicts = ""
    if judged.agreement is not None and judged.agreement_needed is not None:
        agreement = f"{judged.agreement:.0%} ({judged.agreement_needed:.0%})"
    if judged.conflicts is not None:
        differ = judged.conflicts.figures_differ + judged.conflicts.names_differ
        conflicts = f"{differ} of {judged.conflicts.figures + judged.conflicts.names}"
    kind = "" if found.stored is None else found.stored.kind
    return (
        f"{found.article_id} and {found.other_id}",
        kind if found.stored is None or found.stored.joins else f"{kind}, joins no group",
        f"{judged.containment:.0%} ({judged.needed:.0%})",
        agreement,
        conflicts,
        "no date" if judged.days is None else _apart(judged),
        str(shared.near + shared.winnowed + shared.far) if shared else "",
        f"{shared.agreeing} of {shared.values}" if shared else "",
    )


def _apart(judged: Judgement) -> str:
    days = judged.days or 0.0
    return f"{days:.1f} days" if days >= 1 else f"{days * 24:.1f} hours"


def _index(found: PairEvidence) -> str:
    shared = found.shared
    if shared is None:
        said = "one of them has no signature"
    else:
        kinds = (shared.near, "near band"), (shared.winnowed, "winnowed band"), (shared.far, "far band")
        *bands, last = [counted(count, kind) for count, kind in kinds if count] or ["no band"]
        in_bands = f"{', '.join(bands)} and {last}" if bands else last
        said = f"neighbours in {in_bands}, {shared.agreeing} of {shared.values} values agree"
        if shared.apart:
            said += (
                f"; {counted(shared.apart, 'shared band')} with too much time or too many articles between"
            )
    if found.stated:
        said += "; one states that it is a copy of the other"
    return f"{'candidates' if found.is_candidate else 'no candidates, so never compared'}: {said}"


def _conflicts(found: Conflicts) -> str:
    return (
        f"{found.figures_differ} of {counted(found.figures, 'figure')} and {found.names_differ} of"
        f" {counted(found.names, 'name')} in the same places differ"
    )
