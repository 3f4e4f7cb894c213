"""Scrapy's own commands, where a crawl that failed has to say so (setting COMMANDS_MODULE)."""
