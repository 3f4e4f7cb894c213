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

# Where articles go, and the file that lists the sites (None: the one that comes with Copydesk).
COPYDESK_DB = os.environ.get("COPYDESK_DB") or "sqlite:///copydesk.db"
COPYDESK_SITES = os.environ.get("COPYDESK_SITES") or None
# Fetch articles that are stored already, and feeds that have not changed, once more.
COPYDESK_REFETCH = False
# Loopback addresses are refused as all addresses are that are not on the public internet.
COPYDESK_ALLOW_LOOPBACK = os.environ.get("COPYDESK_ALLOW_LOOPBACK", "") not in ("", "0", "false")
# Worker processes; 0: one a core.
COPYDESK_WORKERS = 0
# Articles are written in batches: so many at once, or what there is after so many seconds.
COPYDESK_BATCH_SIZE = 50
COPYDESK_BATCH_SECONDS = 5.0
# A stored article is asked for again by the first crawl after so many hours from when it was first seen, once
# each. A site's own `revisit_hours` go first; "" for never.
COPYDESK_REVISIT_HOURS = "1,3,12,48"
# A page that was rejected is asked for again after so many hours, as long as a feed names it.
COPYDESK_REJECTED_HOURS = 24.0
# A host that fails is left alone for so long, twice as long each time, at most for the longest (which is
# also the longest Retry-After that is waited for); after so many failures in a row, for the whole crawl.
COPYDESK_BACKOFF_SECONDS = 2.0
COPYDESK_BACKOFF_MAX_SECONDS = 120.0
COPYDESK_HOST_FAILURES = 8
# Largest feed and sitemap, in bytes, also after decompression.
COPYDESK_FEED_MAXSIZE = 10_000_000
COPYDESK_SITEMAP_MAXSIZE = 50_000_000

# What is told of a site that breaks, or is well again, as JSON: a command, which is run without a shell and
# reads it on its standard input, and an address that it is posted to. Each may take so many seconds.
COPYDESK_ALERT_COMMAND = os.environ.get("COPYDESK_ALERT_COMMAND") or None
COPYDESK_ALERT_WEBHOOK = os.environ.get("COPYDESK_ALERT_WEBHOOK") or None
COPYDESK_ALERT_SECONDS = 30.0
# Metrics for Prometheus are served there while a crawl goes on; 0: nowhere.
COPYDESK_METRICS_PORT = os.environ.get("COPYDESK_METRICS_PORT") or 0
COPYDESK_METRICS_HOST = os.environ.get("COPYDESK_METRICS_HOST") or "127.0.0.1"

# Both are servers that execute code for whoever can connect to them, and both are on by default.
REMOTE_CONTROL_ENABLED = False
TELNETCONSOLE_ENABLED = False

TWISTED_DNS_RESOLVER = "crawler.fetch.guard.PublicResolver"
# A proxy resolves names itself, so nobody here sees which addresses it connects to. Who has to go through one
# switches this on, and leaves it to the proxy to refuse addresses of the network that it is in.
HTTPPROXY_ENABLED = os.environ.get("COPYDESK_USE_PROXY", "") not in ("", "0", "false")
DOWNLOADER_MIDDLEWARES: dict[str, int | None] = {
    "crawler.store.site_statistics.SiteStatistics": 50,
    "crawler.fetch.resume.ResumeMiddleware": 55,
    # Before robots.txt (100), so that a host which is not allowed is not even asked for that.
    "crawler.fetch.guard.GuardMiddleware": 60,
    "crawler.fetch.site_lock.SiteLockMiddleware": 65,
    "crawler.fetch.politeness.BudgetMiddleware": 70,
    "crawler.fetch.politeness.RobotsMiddleware": 540,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "crawler.fetch.politeness.PoliteRetryMiddleware": 550,
    # Nearer to the network than retries (550): a private address does not become public by asking again.
    "crawler.fetch.guard.PrivateAddressMiddleware": 560,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "crawler.fetch.compression.CompressionMiddleware": 590,
}
EXTENSIONS: dict[str, int] = {
    "crawler.fetch.politeness.Politeness": 10,
    "crawler.fetch.site_lock.SiteLock": 20,
    "crawler.monitor.alerts.Alerts": 30,
    "crawler.monitor.metrics.Metrics": 40,
}
SCHEDULER_PRIORITY_QUEUE = "crawler.fetch.politeness.FairPriorityQueue"
SCHEDULER = "crawler.fetch.resume.ResumableScheduler"
ITEM_PIPELINES: dict[str, int] = {"crawler.store.item_pipeline.StorePipeline": 500}

# Who to write to about a crawl: an e-mail address or a web page. It becomes part of the user agent, and
# without one nothing but loopback is fetched.
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
# A delay is the least that a site or its robots.txt asks for: no jitter below it.
DOWNLOAD_DELAY_JITTER = 0
CONCURRENT_REQUESTS = 64
# Until a request with its site's own number has been made.
CONCURRENT_REQUESTS_PER_DOMAIN = 1

# Of one response. Scrapy starts so many tasks for each, and here it brings one article or some links. With
# Scrapy's 100 each cost the reactor .45 ms in place of .03, and all were searched for garbage: under load the
# reactor was kept for 53 ms at the longest, and is for 38 (`benchmarks.reactor`).
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

# A rejection is stored with its reason; it need not stand in the log as well.
DEFAULT_DROPITEM_LOG_LEVEL = "DEBUG"
LOG_LEVEL = "INFO"
LOG_FORMATTER = "crawler.log.TerseFormatter"
FEED_EXPORT_ENCODING = "utf-8"
