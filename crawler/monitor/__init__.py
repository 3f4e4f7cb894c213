"""Monitors crawls: alerts about sites whose figures are unusual for them, trends, and metrics."""

from crawler.monitor import metrics
from crawler.monitor.alerts import Alerts, SiteAlerts, alert_lines
from crawler.monitor.health import HISTORY
from crawler.monitor.metrics import Exposition
from crawler.monitor.trend import FIGURES, Trend, trend

__all__ = [
    "FIGURES",
    "HISTORY",
    "Alerts",
    "Exposition",
    "SiteAlerts",
    "Trend",
    "alert_lines",
    "metrics",
    "trend",
]
