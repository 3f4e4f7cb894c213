"""The near-duplicate index and the groups, kept in step with the articles in the writer's transaction.

`pipeline.copies.candidates` defines the candidates of an article: its neighbours in time, in enough of its
bands. So the pairs and the groups are a function of the stored articles, in whatever order these came. This
package keeps that true for a batch of changes. Stories that are removed lose their index rows and pairs, and
pairs that were too far apart because of them become candidates again. Stories that are added get rows and
pairs, and may separate existing pairs. Only the bands and groups of these stories are read.
"""

from storage.writing.groups.bridges import wrong_cuts
from storage.writing.groups.rebuild import rebuild_groups
from storage.writing.groups.sharing import SharedBands, shared_bands
from storage.writing.groups.update import RemovedStories, add_stories, remove_stories

__all__ = [
    "RemovedStories",
    "SharedBands",
    "add_stories",
    "rebuild_groups",
    "remove_stories",
    "shared_bands",
    "wrong_cuts",
]
