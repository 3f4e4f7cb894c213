"""The spiders: news by feeds, sitemaps and sections, or a list of URLs."""
