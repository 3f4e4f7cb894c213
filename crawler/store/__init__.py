"""From spiders to the database: Scrapy's item pipeline, what spiders ask the database, and counts by site."""

from crawler.store.crawl_state import CrawlState
from crawler.store.item_pipeline import StorePipeline, crawl_state
from crawler.store.site_statistics import no_source_was_read

__all__ = [
    "CrawlState",
    "StorePipeline",
    "crawl_state",
    "no_source_was_read",
]
