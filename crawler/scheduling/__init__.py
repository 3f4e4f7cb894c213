"""Scheduled crawls: a scheduler of Copydesk's own, or systemd timers and crontab lines."""

from crawler.scheduling.crontab import crontab
from crawler.scheduling.events import log_events_to_stderr
from crawler.scheduling.installation import this_installation
from crawler.scheduling.plan import Plan
from crawler.scheduling.schedule import run
from crawler.scheduling.systemd import systemd_units

__all__ = [
    "Plan",
    "crontab",
    "log_events_to_stderr",
    "run",
    "systemd_units",
    "this_installation",
]
