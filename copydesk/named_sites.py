"""Sites as people name them: a key of the sites file, or a host in any spelling."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from storage.database import Engine


def hosts_named(engine: Engine, name: str, sites_file: str | None = None) -> tuple[str, ...]:
    """The hosts that a name stands for, as the column `site` has them.

    name: a key of the sites file, which stands for all of the site's hosts, or a host, with or without www.
    Raises OperatorError with the nearest name for a site that is in neither the sites file nor the database.
    """
    from crawler.sites import read_sites
    from storage.upkeep import is_known_site, stored_sites
    from storage.writing import parse_site

    sites = read_sites(sites_file)
    if name in sites:
        return tuple(sorted(sites[name].hosts))
    host = parse_site(name)
    crawled = {host for one in sites.values() for host in one.hosts}
    if host not in crawled and not is_known_site(engine, host):
        near = get_close_matches(host, [*sites, *crawled, *stored_sites(engine)], n=1)
        hint = f"did you mean {near[0]}?" if near else "write its host, e.g. example.com"
        raise OperatorError(f"nothing of {host} is stored, and the sites file has no such site: {hint}")
    return (host,)
