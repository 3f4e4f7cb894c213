"""Scrapy settings. Any of them can be changed for one crawl with `-s NAME=VALUE`.

Those that are Copydesk's own begin with COPYDESK_.
"""

from __future__ import annotations

import os
from typing import Any

BOT_NAME = "copydesk"
COMMANDS_MODULE = "crawler.commands"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"

# The database, and the file that lists the sites (None: the one that comes with Copydesk).
COPYDESK_DB = os.environ.get("COPYDESK_DB") or "sqlite:///copydesk.db"
COPYDESK_SITES = os.environ.get("COPYDESK_SITES") or None
# Fetch stored articles and unchanged feeds again.
COPYDESK_REFETCH = False
# Loopback addresses are refused like all addresses that are not on the public internet, unless this is set.
COPYDESK_ALLOW_LOOPBACK = os.environ.get("COPYDESK_ALLOW_LOOPBACK", "") not in ("", "0", "false")
# Worker processes; 0: one a core.
COPYDESK_WORKERS = 0
# A batch is written when it has so many documents, or after so many seconds.
COPYDESK_BATCH_SIZE = 50
COPYDESK_BATCH_SECONDS = 5.0
# A stored article is fetched again by the first crawl that many hours after it was first seen, once for each
# number. A site's own `revisit_hours` replace these; "" for never.
COPYDESK_REVISIT_HOURS = "1,3,12,48"
# A rejected page is fetched again after so many hours while a feed still lists it.
COPYDESK_REJECTED_HOURS = 24.0
# After a failure a host gets no request for so many seconds, twice as many each time, up to the maximum,
# which is also the longest Retry-After that is waited for. After so many failures in a row it is suspended.
COPYDESK_BACKOFF_SECONDS = 2.0
COPYDESK_BACKOFF_MAX_SECONDS = 120.0
COPYDESK_HOST_FAILURES = 8
# Largest feed and sitemap in bytes, before and after decompression.
COPYDESK_FEED_MAXSIZE = 10_000_000
COPYDESK_SITEMAP_MAXSIZE = 50_000_000

# Read /.well-known/tdmrep.json of each host whose articles are fetched: what it reserves goes into `rights`.
COPYDESK_TDMREP = True

# When a site becomes unusual, or usual again: a command that gets JSON on its standard input (it is run
# without a shell), and a URL to which the JSON is posted. Each may take so many seconds.
COPYDESK_ALERT_COMMAND = os.environ.get("COPYDESK_ALERT_COMMAND") or None
COPYDESK_ALERT_WEBHOOK = os.environ.get("COPYDESK_ALERT_WEBHOOK") or None
COPYDESK_ALERT_SECONDS = 30.0
# Where metrics for Prometheus are served during a crawl; port 0: nowhere.
COPYDESK_METRICS_PORT = os.environ.get("COPYDESK_METRICS_PORT") or 0
COPYDESK_METRICS_HOST = os.environ.get("COPYDESK_METRICS_HOST") or "127.0.0.1"

# Both are servers that execute code for anyone who can connect to them, and Scrapy starts both by default.
REMOTE_CONTROL_ENABLED = False
TELNETCONSOLE_ENABLED = False

TWISTED_DNS_RESOLVER = "crawler.fetch.guard.PublicResolver"
# A proxy resolves names itself, so the addresses that it connects to cannot be checked here. If a proxy is
# necessary, it must refuse addresses of its own network itself.
HTTPPROXY_ENABLED = os.environ.get("COPYDESK_USE_PROXY", "") not in ("", "0", "false")
DOWNLOADER_MIDDLEWARES: dict[str, int | None] = {
    "crawler.store.site_statistics.SiteStatistics": 50,
    "crawler.fetch.resume.ResumeMiddleware": 55,
    # Before robots.txt (100), so that no robots.txt is requested from a host that is not allowed.
    "crawler.fetch.guard.GuardMiddleware": 60,
    "crawler.fetch.site_lock.SiteLockMiddleware": 65,
    "crawler.fetch.politeness.BudgetMiddleware": 70,
    "crawler.fetch.politeness.RobotsMiddleware": 540,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "crawler.fetch.politeness.PoliteRetryMiddleware": 550,
    # Nearer to the network than retries (550): a private address does not become public.
    "crawler.fetch.guard.PrivateAddressMiddleware": 560,
    # After decompression (590), and before redirects by a meta element (580).
    "crawler.fetch.charset.CharsetMiddleware": 585,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "crawler.fetch.compression.CompressionMiddleware": 590,
}
SPIDER_MIDDLEWARES: dict[str, int] = {"crawler.fetch.rights.SiteRights": 900}
EXTENSIONS: dict[str, int] = {
    "crawler.fetch.politeness.Politeness": 10,
    "crawler.fetch.site_lock.SiteLock": 20,
    "crawler.alerts.Alerts": 30,
    "crawler.notifier.Notifier": 35,
    "crawler.monitor.metrics.Metrics": 40,
}
SCHEDULER_PRIORITY_QUEUE = "crawler.fetch.politeness.FairPriorityQueue"
SCHEDULER = "crawler.fetch.resume.ResumableScheduler"
ITEM_PIPELINES: dict[str, int] = {"crawler.store.item_pipeline.StorePipeline": 500}

# Whom to contact about a crawl: an e-mail address or a web page. It becomes part of the user agent; without
# it only loopback is fetched.
COPYDESK_CONTACT = os.environ.get("COPYDESK_CONTACT") or None
USER_AGENT = "copydesk/0.1"
ADDONS = {"crawler.addon.CopydeskAddon": 0}
ROBOTSTXT_OBEY = True
ROBOTSTXT_PARSER = "crawler.fetch.politeness.RobotsTxt"
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
}
COOKIES_ENABLED = False
REFERRER_POLICY = "no-referrer"

AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_START_DELAY = 1.0
AUTOTHROTTLE_MAX_DELAY = 60.0
AUTOTHROTTLE_TARGET_CONCURRENCY = 1.0
DOWNLOAD_DELAY = 0.5
# The delay is a minimum that a site or its robots.txt asks for, so there is no jitter below it.
DOWNLOAD_DELAY_JITTER = 0
CONCURRENT_REQUESTS = 64
# Until the first request to a host, which brings its site's own number.
CONCURRENT_REQUESTS_PER_DOMAIN = 1

# Items of one response that are processed at a time; Scrapy starts so many tasks for each response.
# docs/tuning.md: CONCURRENT_ITEMS
CONCURRENT_ITEMS = 2

DOWNLOAD_TIMEOUT = 30
DOWNLOAD_MAXSIZE = 20_000_000
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_VERIFY_CERTIFICATES = True
DOWNLOAD_HANDLERS: dict[str, Any] = {
    "http": "crawler.fetch.download_handler.BoundedHandler",
    "https": "crawler.fetch.download_handler.BoundedHandler",
    **dict.fromkeys(("data", "file", "ftp", "s3")),
}
RETRY_TIMES = 2
RETRY_GIVE_UP_LOG_LEVEL = "INFO"
REDIRECT_MAX_TIMES = 6
METAREFRESH_MAXDELAY = 10
DEPTH_LIMIT = 5
URLLENGTH_LIMIT = 2000

# A rejection is stored with its reason, so it need not be in the log as well.
DEFAULT_DROPITEM_LOG_LEVEL = "DEBUG"
LOG_LEVEL = "INFO"
LOG_FORMATTER = "crawler.log.TerseFormatter"
FEED_EXPORT_ENCODING = "utf-8"
