"""Learns from what is stored which lines a site prints under any story, as articles come, change and go.

There are three tables. None of them holds a text:

    sighting      the lines of each article, four bytes each, and what tells which articles are one story
    sight_block   a quarter of a year of a site, by when its articles were first fetched: the unit of learning
    learned_line  what each block says of a line: how many stories have it, and whether it came with one story

`learn` reads from `change` which articles are new, different or gone since the last call. It renews their
sightings and evaluates the blocks that changed. Sightings have the lines as they would be if nothing had been
learned (`pipeline.sites.restore_learned_lines`). What a block says follows from its sightings, and what is
known about a site follows from its blocks. A line is learned if one block shows that it belongs to the page
and not to its stories, and if no block shows that it came with a story. So the result does not depend on the
order, the batches or the processes in which articles came. It is the same as if everything were counted
again. Each step is a transaction that leaves the rest for later, so a killed process loses nothing.

One effect can undo itself. Texts are grouped without the lines that were removed, and the groups decide which
articles are one story. Two articles that share a line are less similar without it, so removing it can only
join them through a third text. If the line then has too little evidence, the next `copydesk reprocess`
restores it. Nothing is reprocessed automatically.

Articles without a site (files that name no URL) are ignored. docs/tuning.md: Learned lines.
"""

from storage.writing.learning.evaluation import HashesOf, evaluate_blocks, inspect_text, learnable_lines_of
from storage.writing.learning.faults import find_learning_faults, learn_anew
from storage.writing.learning.lessons import (
    Lesson,
    SiteLine,
    forget_articles,
    learn,
    site_lines,
    try_learning,
    with_learned,
)
from storage.writing.learning.sightings import CURSOR

__all__ = [
    "CURSOR",
    "HashesOf",
    "Lesson",
    "SiteLine",
    "evaluate_blocks",
    "find_learning_faults",
    "forget_articles",
    "inspect_text",
    "learn",
    "learn_anew",
    "learnable_lines_of",
    "site_lines",
    "try_learning",
    "with_learned",
]
