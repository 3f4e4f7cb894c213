"""From spiders to the database: Scrapy's item pipeline, what spiders ask the database, and counts by site."""

from crawler.store.crawl_state import CrawlState
from crawler.store.item_pipeline import StorePipeline, crawl_state

__all__ = [
    "CrawlState",
    "StorePipeline",
    "crawl_state",
]
