"""The sites to crawl: sites.toml as validated records, their timetables, and which URLs are theirs."""

from crawler.sites import sites_file
from crawler.sites.records import (
    SHIPPED,
    Site,
    choose,
    parse_hours,
    parse_sites,
    read_rulebook,
    read_sites,
    rulebook,
    site_record,
    sites_content,
    sites_path,
)
from crawler.sites.timetable import Cron, Interval, parse_schedule
from crawler.sites.urls import MAX_URL_LENGTH, is_allowed_host, is_article_url, is_loopback_host, is_trap

__all__ = [
    "MAX_URL_LENGTH",
    "SHIPPED",
    "Cron",
    "Interval",
    "Site",
    "choose",
    "is_allowed_host",
    "is_article_url",
    "is_loopback_host",
    "is_trap",
    "parse_hours",
    "parse_schedule",
    "parse_sites",
    "read_rulebook",
    "read_sites",
    "rulebook",
    "site_record",
    "sites_content",
    "sites_file",
    "sites_path",
]
