"""What is stored about crawls: figures of each site's runs, locks, articles to visit again."""

from storage.crawls import revisits, site_runs
from storage.crawls.revisits import DueRevisit, Validators, Visit, VisitsAndStates
from storage.crawls.site_locks import SiteLocks
from storage.crawls.site_runs import CrawledBatch, Ended, SiteCounts, SiteState, last_starts
from storage.schema import SiteRun

__all__ = [
    "CrawledBatch",
    "DueRevisit",
    "Ended",
    "SiteCounts",
    "SiteLocks",
    "SiteRun",
    "SiteState",
    "Validators",
    "Visit",
    "VisitsAndStates",
    "last_starts",
    "revisits",
    "site_runs",
]
