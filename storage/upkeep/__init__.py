"""Work on a whole database: pruning and forgetting, integrity, and reading pages for reprocessing."""

from storage.upkeep.checks import Finding
from storage.upkeep.forget import (
    ForgetPlan,
    Forgotten,
    erase_remains,
    forget_targets,
    lift_tombstones,
    plan_forget,
)
from storage.upkeep.integrity import check_integrity, repair_faults
from storage.upkeep.pages import (
    COMPARED_COLUMNS,
    SiteRulesUse,
    StoredPage,
    TextBefore,
    count_outdated,
    count_pruned,
    has_page,
    outdated,
    partition,
    site_rules_use,
)
from storage.upkeep.prune import Pruned, PrunePlan, plan_prune, prune_pages
from storage.upkeep.targets import ForgetTarget, find_targets

__all__ = [
    "COMPARED_COLUMNS",
    "Finding",
    "ForgetPlan",
    "ForgetTarget",
    "Forgotten",
    "PrunePlan",
    "Pruned",
    "SiteRulesUse",
    "StoredPage",
    "TextBefore",
    "check_integrity",
    "count_outdated",
    "count_pruned",
    "erase_remains",
    "find_targets",
    "forget_targets",
    "has_page",
    "lift_tombstones",
    "outdated",
    "partition",
    "plan_forget",
    "plan_prune",
    "prune_pages",
    "repair_faults",
    "site_rules_use",
]
