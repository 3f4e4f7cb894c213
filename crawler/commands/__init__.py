"""Scrapy's commands, with an exit status that shows a failed crawl (setting COMMANDS_MODULE)."""
