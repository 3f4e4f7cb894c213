"""What is known of one site: rules of its own, and lines that it prints under every story.

`rules` come from the operator, `learned_lines` from what is stored; `evidence` says when a line is learned.
"""

from pipeline.sites.evidence import (
    Lines,
    Seen,
    Sighting,
    evidence,
    mark_shared,
    short,
    sight,
    title_key,
    unshared,
)
from pipeline.sites.learned_lines import (
    RULE,
    LearnedLines,
    is_learnable,
    line_hash,
    lines_as_found,
    take_out,
)
from pipeline.sites.rules import (
    NO_SITE_RULES,
    Phrase,
    SiteRulebook,
    SiteRules,
    check_number,
    check_selectors,
    made_by_site,
    version_by,
)

__all__ = [
    "NO_SITE_RULES",
    "RULE",
    "LearnedLines",
    "Lines",
    "Phrase",
    "Seen",
    "Sighting",
    "SiteRulebook",
    "SiteRules",
    "check_number",
    "check_selectors",
    "evidence",
    "is_learnable",
    "line_hash",
    "lines_as_found",
    "made_by_site",
    "mark_shared",
    "short",
    "sight",
    "take_out",
    "title_key",
    "unshared",
    "version_by",
]
