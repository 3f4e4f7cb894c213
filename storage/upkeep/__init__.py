"""Work on a whole database: pruning, forgetting, integrity, pages to reprocess, and evidence of copies."""

from storage.upkeep.checks import Finding
from storage.upkeep.evidence import PairEvidence, explain_group, explain_pair
from storage.upkeep.forget import (
    ForgetPlan,
    Forgotten,
    erase_remains,
    forget_targets,
    lift_tombstones,
    plan_forget,
)
from storage.upkeep.integrity import check_integrity, repair_faults
from storage.upkeep.page_archive import export_pages, is_page_archive
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
from storage.upkeep.site_keys import renew_site_keys
from storage.upkeep.targets import ForgetTarget, find_targets, is_known_site, stored_sites

__all__ = [
    "COMPARED_COLUMNS",
    "Finding",
    "ForgetPlan",
    "ForgetTarget",
    "Forgotten",
    "PairEvidence",
    "PrunePlan",
    "Pruned",
    "SiteRulesUse",
    "StoredPage",
    "TextBefore",
    "check_integrity",
    "count_outdated",
    "count_pruned",
    "erase_remains",
    "explain_group",
    "explain_pair",
    "export_pages",
    "find_targets",
    "forget_targets",
    "has_page",
    "is_known_site",
    "is_page_archive",
    "lift_tombstones",
    "outdated",
    "partition",
    "plan_forget",
    "plan_prune",
    "prune_pages",
    "renew_site_keys",
    "repair_faults",
    "site_rules_use",
    "stored_sites",
]
