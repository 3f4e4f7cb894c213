"""A small typed way to read a database, for the pipeline, the command line and other programs.

    articles, article, article_by_url, article_by_location    articles, by id, URL, location or a filter
    revisions                                                 every text that was seen of an article
    search                                                    articles by their words, the best first
    groups, group, members, copies                            stories, who carries them, and the evidence
    stories, every_story, story_details                       lists of stories, and what feeds show of them
    sketch, sketches                                          signatures as datasketch's objects
    list_articles, list_members, count_articles               pages of lists, and counts, by keysets
    changes, changed_articles, last_change                    what is new, different or gone since then
    removed, rejections, runs, totals, counts                 what was removed or rejected, and how much
    rows                                                      any public view as dictionaries, for exports

Rows are frozen dataclasses with the columns of the public views. What returns an iterator streams: it holds
one connection and some rows (50 of articles, 500 of others) until it is exhausted or closed, and sees the
database as it was when it began. Nothing here waits for a writer, or makes one wait. `storage.export` writes
files.
"""

from storage.base import SourceKey, source_key
from storage.reader.article_rows import (
    article,
    article_by_location,
    article_by_url,
    articles,
    revisions,
    rules_version,
)
from storage.reader.change_rows import (
    ChangedArticle,
    changed_articles,
    changes,
    database_id,
    last_change,
    last_changed_at,
)
from storage.reader.filters import EVERY_ARTICLE, ArticleFilter
from storage.reader.group_rows import (
    CarriedCopy,
    StoryDetails,
    copies,
    group,
    groups,
    members,
    story_details,
)
from storage.reader.known_documents import (
    FetchState,
    document,
    document_of,
    fetch_state,
    known,
    known_urls,
)
from storage.reader.listing import (
    ArticleCount,
    ArticleKey,
    CountBy,
    count_articles,
    list_articles,
    list_members,
    pairs_of_story,
)
from storage.reader.removal_rows import RuleUse, lines_of_rule, removed, rules_used
from storage.reader.run_rows import (
    Counts,
    Progress,
    Totals,
    counts,
    last_state,
    latest_rejections,
    progress,
    rejections,
    rejections_at,
    run,
    runs,
    totals,
)
from storage.reader.searching import Hit, count_matches, search
from storage.reader.sketch_rows import sketch, sketches
from storage.reader.story_rows import (
    Sharing,
    Story,
    StoryKey,
    StoryOrder,
    every_story,
    shared_stories,
    stories,
)
from storage.reader.view_rows import rows
from storage.schema import (
    Change,
    Copy,
    RemovedLine,
    RunRow,
    StoredArticle,
    StoredRejection,
    StoredRevision,
    StoryGroup,
)
from storage.search import Snippet

__all__ = [
    "EVERY_ARTICLE",
    "ArticleCount",
    "ArticleFilter",
    "ArticleKey",
    "CarriedCopy",
    "Change",
    "ChangedArticle",
    "Copy",
    "CountBy",
    "Counts",
    "FetchState",
    "Hit",
    "Progress",
    "RemovedLine",
    "RuleUse",
    "RunRow",
    "Sharing",
    "Snippet",
    "SourceKey",
    "StoredArticle",
    "StoredRejection",
    "StoredRevision",
    "Story",
    "StoryDetails",
    "StoryGroup",
    "StoryKey",
    "StoryOrder",
    "Totals",
    "article",
    "article_by_location",
    "article_by_url",
    "articles",
    "changed_articles",
    "changes",
    "copies",
    "count_articles",
    "count_matches",
    "counts",
    "database_id",
    "document",
    "document_of",
    "every_story",
    "fetch_state",
    "group",
    "groups",
    "known",
    "known_urls",
    "last_change",
    "last_changed_at",
    "last_state",
    "latest_rejections",
    "lines_of_rule",
    "list_articles",
    "list_members",
    "members",
    "pairs_of_story",
    "progress",
    "rejections",
    "rejections_at",
    "removed",
    "revisions",
    "rows",
    "rules_used",
    "rules_version",
    "run",
    "runs",
    "search",
    "shared_stories",
    "sketch",
    "sketches",
    "source_key",
    "stories",
    "story_details",
    "totals",
]
