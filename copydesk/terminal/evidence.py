"""The evidence on a pair of articles in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.counts import counted

if TYPE_CHECKING:
    from pipeline.copies import Judgement
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
    if judged.days is None:
        time = "one has no date"
    else:
        time = f"{judged.days:.1f} days apart" if judged.days >= 1 else f"{judged.days * 24:.1f} hours apart"
    if judged.doubt:
        time += f", which raises what is needed ({judged.doubt:.2f} of the way to all)"
    yield "time", time
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
        yield "conflicts", _conflicts(judged)


def _index(found: PairEvidence) -> str:
    shared = found.shared
    if shared is None:
        said = "one of them has no signature"
    else:
        bands = (
            f"{counted(shared.near, 'near band')}, {counted(shared.winnowed, 'winnowed band')} and"
            f" {counted(shared.far, 'far band')}"
        )
        said = f"neighbours in {bands}, {shared.agreeing} of {shared.values} values agree"
        if shared.apart:
            said += (
                f"; {counted(shared.apart, 'shared band')} with too much time or too many articles between"
            )
    if found.stated:
        said += "; one states that it is a copy of the other"
    return f"{'candidates' if found.is_candidate else 'no candidates, so never compared'}: {said}"


def _conflicts(judged: Judgement) -> str:
    found = judged.conflicts
    if found is None:
        return ""
    return (
        f"{found.figures_differ} of {counted(found.figures, 'figure')} and {found.names_differ} of"
        f" {counted(found.names, 'name')} in the same places differ"
    )
