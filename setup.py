"""For scrapyd-deploy, which makes its egg with it; everything else is in pyproject.toml."""

from setuptools import setup

setup()
