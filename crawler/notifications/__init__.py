"""Sends messages out: to webhooks, commands and mail addresses. Knows nothing of Scrapy.

`deliver` sends what is due in the outbox of watchlists (`storage.watching`), and stores how that ended.
`parse_way` reads where a message goes.
"""

from crawler.notifications.after_run import deliver_after_run
from crawler.notifications.command import command_environment, run_command, split_command
from crawler.notifications.connecting import Reach
from crawler.notifications.delivery import DeliveryCounts, deliver
from crawler.notifications.errors import SendFailed
from crawler.notifications.sample import SampleSent, send_samples
from crawler.notifications.settings import NotificationSettings, SmtpServer, from_environment
from crawler.notifications.ways import Way, parse_way, shown_way
from crawler.notifications.webhook import check_url, post

__all__ = [
    "DeliveryCounts",
    "NotificationSettings",
    "Reach",
    "SampleSent",
    "SendFailed",
    "SmtpServer",
    "Way",
    "check_url",
    "command_environment",
    "deliver",
    "deliver_after_run",
    "from_environment",
    "parse_way",
    "post",
    "run_command",
    "send_samples",
    "shown_way",
    "split_command",
]
