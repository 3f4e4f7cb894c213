"""From spiders to the database: Scrapy's item pipeline, and what a crawl counts of each site."""

from crawler.store.item_pipeline import StorePipeline

__all__ = [
    "StorePipeline",
]
