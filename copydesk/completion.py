"""What shells offer for values when TAB is pressed. Nothing here fails: shells show tracebacks."""

from __future__ import annotations

from collections.abc import Callable


def words(*known: str) -> Callable[[str], list[str]]:
    """Completes one of these words."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in known if word.startswith(incomplete)]

    return complete


def complete_site(incomplete: str) -> list[str]:
    """Keys of the sites file that $COPYDESK_SITES names, or of the one that comes with Copydesk."""
    import tomllib

    from crawler.sites import sites_content, sites_path
    from pipeline.errors import OperatorError

    try:
        sites = tomllib.loads(sites_content(sites_path()).decode("utf-8-sig"))["sites"]
        return [key for key in sites if key.startswith(incomplete)]
    except (KeyError, OperatorError, TypeError, ValueError):
        return []


def complete_outlet(incomplete: str) -> list[str]:
    """Keys of the catalogue of outlets."""
    from crawler.sites import read_catalogue

    return [key for key in read_catalogue() if key.startswith(incomplete)]


def complete_view(incomplete: str) -> list[str]:
    """Names of the public views."""
    from storage.schema import VIEWS

    return [view.name for view in VIEWS if view.name.startswith(incomplete)]
