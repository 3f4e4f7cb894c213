"""What is known of one site: rules of its own, and lines that it prints under every story.

`rules` come from the operator, `learned_lines` from what is stored; `evidence` says when a line is learned.
"""

from pipeline.sites.evidence import (
    ArticleLines,
    LineCodes,
    RepeatedLine,
    find_repeated_lines,
    flag_shared_lines,
    line_codes,
    short_line_hash,
    title_key,
    without_shared_flags,
)
from pipeline.sites.learned_lines import (
    LEARNED_RULE,
    LearnedLines,
    is_learnable,
    line_hash,
    remove_learned_lines,
    restore_learned_lines,
)
from pipeline.sites.rules import (
    EXTRACTORS,
    NO_SITE_RULES,
    WITHOUT_TRAFILATURA,
    Phrase,
    SiteRulebook,
    SiteRules,
    check_rule_count,
    check_selectors,
    combined_version,
    is_without_trafilatura,
    site_of_version,
)

__all__ = [
    "EXTRACTORS",
    "LEARNED_RULE",
    "NO_SITE_RULES",
    "WITHOUT_TRAFILATURA",
    "ArticleLines",
    "LearnedLines",
    "LineCodes",
    "Phrase",
    "RepeatedLine",
    "SiteRulebook",
    "SiteRules",
    "check_rule_count",
    "check_selectors",
    "combined_version",
    "find_repeated_lines",
    "flag_shared_lines",
    "is_learnable",
    "is_without_trafilatura",
    "line_codes",
    "line_hash",
    "remove_learned_lines",
    "restore_learned_lines",
    "short_line_hash",
    "site_of_version",
    "title_key",
    "without_shared_flags",
]
