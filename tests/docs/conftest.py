"""The shells of `tests.docs.shell` as fixtures."""

from tests.docs.shell import news_database, shell, web_shell

__all__ = ["news_database", "shell", "web_shell"]
