"""Sends messages out: to webhooks, commands and mail addresses. Knows nothing of Scrapy.

`parse_way` reads where a message goes.
"""

from crawler.notifications.command import run_command, split_command
from crawler.notifications.connecting import Reach
from crawler.notifications.errors import SendFailed
from crawler.notifications.settings import NotificationSettings, SmtpServer, from_environment
from crawler.notifications.ways import Way, parse_way, shown_way
from crawler.notifications.webhook import check_url, post

__all__ = [
    "NotificationSettings",
    "Reach",
    "SendFailed",
    "SmtpServer",
    "Way",
    "check_url",
    "from_environment",
    "parse_way",
    "post",
    "run_command",
    "shown_way",
    "split_command",
]
