"""Whether crawls are well: health judged against a site's own history, alerts, metrics."""

from crawler.monitor import metrics
from crawler.monitor.alerts import Alerts, SiteAlerts, lines
from crawler.monitor.health import FIGURES, HISTORY, Trend, trend

__all__ = [
    "FIGURES",
    "HISTORY",
    "Alerts",
    "SiteAlerts",
    "Trend",
    "lines",
    "metrics",
    "trend",
]
