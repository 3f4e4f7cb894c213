"""Crawls by the clock: a scheduler of our own, or systemd timers and crontab lines."""

from crawler.scheduling.schedule import Plan, log_events, run
from crawler.scheduling.timers import crontab, here, systemd_units

__all__ = [
    "Plan",
    "crontab",
    "here",
    "log_events",
    "run",
    "systemd_units",
]
