"""Monitors crawls, without Scrapy: alerts about sites whose figures are unusual for them, trends, metrics."""

from crawler.monitor import metrics
from crawler.monitor.alerts import SiteAlerts, alert_lines, as_message, conclude_run
from crawler.monitor.health import HISTORY
from crawler.monitor.metrics import Exposition
from crawler.monitor.trend import FIGURES, Trend, trend

__all__ = [
    "FIGURES",
    "HISTORY",
    "Exposition",
    "SiteAlerts",
    "Trend",
    "alert_lines",
    "as_message",
    "conclude_run",
    "metrics",
    "trend",
]
