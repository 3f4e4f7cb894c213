"""Sends messages out: to a command and a webhook. Knows nothing of Scrapy."""

from crawler.notifications.notify import parse_command, parse_webhook, post, run_command

__all__ = ["parse_command", "parse_webhook", "post", "run_command"]
