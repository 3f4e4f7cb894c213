"""Learns from what is stored which lines a site prints under any story, as articles come, change and go.

There are three tables, none with a text in it:

    sighting      the lines of each article, four bytes each, and what tells which articles are one story
    sight_block   a quarter of a year of a site, by when its articles were first fetched: the unit of learning
    learned_line  what each block says of a line: how many stories have it, and whether it came with one story

`learn` reads from `change` which articles are new, different or gone since the last time, renews their
sightings, and looks at the blocks that changed. Sightings have the lines as they would be if nothing had
been learned (`pipeline.sites.restore_learned_lines`). What a block says follows from its sightings, and what
is known of a site from its blocks: a line is learned if one block shows that it belongs to the page and not
to its stories, and if in no block it came with a story. So the result is the same in whatever order, batches
or processes articles came, and the same as if everything were counted anew. Each step is a transaction that
leaves the rest for later, so a kill costs nothing.

One effect can undo itself. Texts are grouped without the lines that were removed, and groups say what is one
story. Two articles that share a line are less alike without it, so removing it can only join them through a
third text. If the line then has too little evidence, the next reprocessing restores it; nothing is
reprocessed without being asked.

Articles without a site (files that name no URL) are not looked at. docs/tuning.md: Learned lines.
"""

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

__all__ = [
    "Lesson",
    "SiteLine",
    "find_learning_faults",
    "forget_articles",
    "learn",
    "learn_anew",
    "site_lines",
    "try_learning",
    "with_learned",
]
