"""The sites to crawl: sites.toml as validated records, their schedules, and which URLs are theirs; and the
catalogue of known outlets.
"""

from crawler.sites.catalogue import Outlet, find_outlets, outlets_named, read_catalogue
from crawler.sites.reader import (
    SHIPPED_SITES_FILE,
    choose_sites,
    parse_sites,
    read_rulebook,
    read_sites,
    site_record,
    site_rulebook,
    sites_content,
    sites_path,
)
from crawler.sites.site import Site, parse_hours
from crawler.sites.timetable import Cron, Interval, parse_schedule
from crawler.sites.urls import MAX_URL_LENGTH, is_allowed_host, is_article_url, is_loopback_host, is_trap
from crawler.sites.writer import (
    add_sites,
    as_opml,
    as_sites_file,
    own_sites_file,
    remove_sites,
    require_new_site,
    site_table_text,
    site_with_homepage,
    sites_in_file,
)

__all__ = [
    "MAX_URL_LENGTH",
    "SHIPPED_SITES_FILE",
    "Cron",
    "Interval",
    "Outlet",
    "Site",
    "add_sites",
    "as_opml",
    "as_sites_file",
    "choose_sites",
    "find_outlets",
    "is_allowed_host",
    "is_article_url",
    "is_loopback_host",
    "is_trap",
    "outlets_named",
    "own_sites_file",
    "parse_hours",
    "parse_schedule",
    "parse_sites",
    "read_catalogue",
    "read_rulebook",
    "read_sites",
    "remove_sites",
    "require_new_site",
    "site_record",
    "site_rulebook",
    "site_table_text",
    "site_with_homepage",
    "sites_content",
    "sites_in_file",
    "sites_path",
]
