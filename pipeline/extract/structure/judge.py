"""Judges the passages of a page: asks the rules of structure in order."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.document import BlockKind
from pipeline.extract.structure.containers import ContainerRules
from pipeline.extract.structure.evidence import Evidence, Judged, gather
from pipeline.extract.structure.links import link_lists, linked_lines, menu_lines, teasers_at_the_end
from pipeline.extract.structure.other_articles import other_articles
from pipeline.extract.structure.repeats import repeats
from pipeline.metadata import Metadata
from pipeline.page import Page, Passage


def judge_passages(page: Page, passages: Sequence[Passage], about: Metadata) -> list[Judged]:
    """Each passage with the id of the rule that is against it, or None.

    passages: in the order of the page. about: what the page states.
    """
    evidence = gather(page, passages, about)
    by_surroundings = _by_surroundings(evidence)
    containers = ContainerRules(evidence)
    judged = []
    for number, passage in enumerate(passages):
        rule = (
            ("structure.title" if _is_title(evidence, number) else None)
            or by_surroundings.get(number)
            or containers.caption_rule(number)
        )
        if rule is not None:
            judged.append(Judged(passage, rule, is_veto=rule not in _EVIDENCE))
        else:
            judged.append(Judged(passage, containers.rule_of(number)))
    return judged


# Rules by the surroundings that are wrong about a story too often to decide (docs/tuning.md: Vetoes).
_EVIDENCE = frozenset(("structure.linked-line",))


def _by_surroundings(evidence: Evidence) -> dict[int, str]:
    """The rules that look at several passages at once, by the number of what they drop; the last one wins."""
    return {
        **dict.fromkeys(linked_lines(evidence), "structure.linked-line"),
        **dict.fromkeys(link_lists(evidence), "structure.link-list"),
        **dict.fromkeys(menu_lines(evidence), "structure.menu"),
        **dict.fromkeys(teasers_at_the_end(evidence), "structure.teasers"),
        **dict.fromkeys(other_articles(evidence), "structure.next-article"),
        **dict.fromkeys(repeats(evidence), "structure.repeated"),
    }


def _is_title(evidence: Evidence, number: int) -> bool:
    """Whether the passage is the page's headline, which has a field of its own."""
    if evidence.keys[number] in evidence.titles:
        block = evidence.blocks[number]
        if block is not None and block.kind is BlockKind.HEADING:
            return True
        is_sentence = evidence.passages[number].text.endswith((".", ":", "!", "?"))
        return number < evidence.first_paragraph and not is_sentence
    return number == evidence.first_h1 and number <= evidence.first_paragraph
