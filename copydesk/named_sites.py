"""Sites as people name them: a key of the sites file, or a host in any spelling."""

from __future__ import annotations

from collections.abc import Collection, Iterable
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
        hint = _nearest(host, [*sites, *crawled, *stored_sites(engine)])
        raise OperatorError(f"nothing of {host} is stored, and the sites file has no such site: {hint}")
    return (host,)


def hosts_meant(name: str) -> tuple[str, ...]:
    """The hosts that a name stands for, whether anything is known of them or not. Raises OperatorError."""
    from crawler.sites import read_sites
    from storage.writing import parse_site

    sites = read_sites()
    return tuple(sorted(sites[name].hosts)) if name in sites else (parse_site(name),)


def key_named(name: str, crawled: Collection[str]) -> str:
    """The key that a name stands for, as the column `site` of `site_runs` has it.

    name: a key of the sites file or of a site that was crawled, or a host in any spelling. crawled: the keys
    of sites that were crawled. Raises OperatorError with the nearest name for any other.
    """
    from crawler.sites import read_sites
    from storage.writing import parse_site

    sites = read_sites()
    if name in sites or name in crawled:
        return name
    host = parse_site(name)
    by_host = {host: key for key, one in sites.items() for host in one.hosts}
    found = by_host.get(host, host)
    if found not in sites and found not in crawled:
        hint = _nearest(host, [*crawled, *sites, *by_host])
        raise OperatorError(f"no crawl of site {name!r}, and the sites file has no such site: {hint}")
    return found


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else "write its host, e.g. example.com"
