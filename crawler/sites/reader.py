"""Reads sites.toml into records.

A person edits that file by hand and looks at a crawl once a week, so a mistake in it must not wait for the
crawl. Every message names the file, the site, the key and what to write instead.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crawler.sites.site import Politeness, Record, Rules, Site
from pipeline.errors import OperatorError
from pipeline.sites import SiteRulebook

SITES_VARIABLE = "COPYDESK_SITES"
SHIPPED_SITES_FILE = "crawler/sites/sites.toml"

_TOO_DEEP = "lists or tables within each other, too many to be read; remove some"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


def read_sites(path: str | os.PathLike[str] | None = None) -> dict[str, Site]:
    """Read every site of a sites.toml, in the file's order.

    path: the file; None takes $COPYDESK_SITES, then the sites.toml that comes with Copydesk.
    Raises OperatorError for a file that cannot be read and for the first mistake in it.
    """
    file = sites_path(path)
    return parse_sites(sites_content(file), str(file or SHIPPED_SITES_FILE))


def sites_path(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the file that `path` or $COPYDESK_SITES names; None for the one that comes with Copydesk."""
    named = path or os.environ.get(SITES_VARIABLE)
    return Path(named) if named else None


def sites_content(file: Path | None) -> bytes:
    """Return the file's bytes; for None, those of the file that comes with Copydesk. Raises OperatorError."""
    if file is None:
        return resources.files("crawler.sites").joinpath("sites.toml").read_bytes()
    try:
        return file.read_bytes()
    except OSError as error:
        raise OperatorError(
            f"{file}: cannot be read ({error.strerror}); name a sites file with --sites"
        ) from error


def parse_sites(text: bytes, where: str) -> dict[str, Site]:
    """Parse the content of a sites.toml; `where` names it in error messages."""
    try:
        tables = tomllib.loads(text.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OperatorError(f"{where}: not valid TOML: {error}") from error
    except RecursionError as error:
        raise OperatorError(f"{where}: {_TOO_DEEP}") from error
    for key in tables:
        if key != "sites":
            raise OperatorError(f"{where}: {_shown(key)}: unknown table; each site is a table [sites.NAME]")
    entries = tables.get("sites", {})
    if not isinstance(entries, dict):
        raise OperatorError(f"{where}: sites: must be a table; write each site as [sites.NAME]")
    try:
        sites = {key: site_record(where, key, entry) for key, entry in entries.items()}
        site_rulebook(sites.values())
    except RecursionError as error:  # `a.b.c` makes tables without brackets, which TOML reads at any depth
        raise OperatorError(f"{where}: {_TOO_DEEP}") from error
    except ValueError as error:
        raise OperatorError(f"{where}: {error}") from error
    return sites


def site_rulebook(sites: Iterable[Site]) -> SiteRulebook:
    """Return the rules of all these sites. Raises ValueError where two have rules for one host."""
    return SiteRulebook(tuple(site.site_rules for site in sites))


def read_rulebook(path: str | os.PathLike[str] | None = None) -> SiteRulebook:
    """Return the rules of the sites in an operator's own file: `path`, or the one that $COPYDESK_SITES names.

    Without such a file there are no rules, and only the keys of sites are known: the sites file that comes
    with Copydesk is for crawls, and pages from files are not processed by rules that nobody asked for. Raises
    OperatorError as `read_sites` does.
    """
    file = sites_path(path)
    sites = read_sites(file).values()
    if file:
        return site_rulebook(sites)
    return SiteRulebook(keys={host: site.key for site in sites for host in site.hosts})


def choose_sites(sites: Mapping[str, Site], keys: Sequence[str]) -> list[Site]:
    """Return the sites with these keys, in their order; all sites if there are none. Raises OperatorError."""
    chosen = []
    for key in dict.fromkeys(keys):
        if key not in sites:
            near = difflib.get_close_matches(key, sites, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sites) or 'none'}"
            raise OperatorError(f"no site {key!r} in the sites file; {hint}")
        chosen.append(sites[key])
    return chosen or list(sites.values())


def site_record(where: str, key: str, entry: Any) -> Site:
    """Return one site's table as a record; `where` names its origin in the OperatorError for a mistake."""
    at = f"{where}: site {_shown(key)}"
    if not _NAME.fullmatch(key):
        raise OperatorError(f"{at}: a site's key is made of a-z, 0-9, '-', '_' and '.'; rename the table")
    if not isinstance(entry, dict):
        raise OperatorError(f"{at}: must be a table; write [sites.{key}] on a line of its own")
    try:
        site = Site.model_validate({"name": key, **_tuples(entry), "key": key})
    except ValidationError as error:
        raise OperatorError(f"{at}: {_first(error)}") from error
    if not site.feeds and not site.sitemaps and not site.sections:
        raise OperatorError(f"{at}: feeds: no feeds, sitemaps or sections, so nothing to crawl; add one")
    return site


def _tuples(value: Any) -> Any:
    """Lists as tuples: TOML has arrays, the records have tuples, and strict validation converts nothing."""
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    return tuple(value) if isinstance(value, list) else value


def _shown(key: str) -> str:
    return key if key.isprintable() and key else repr(key)


def _first(error: ValidationError) -> str:
    """The first mistake as `key: what is wrong; what to write`."""
    problem = error.errors()[0]
    key = _shown(".".join(f"{part + 1}" if isinstance(part, int) else part for part in problem["loc"]))
    if problem["type"] == "extra_forbidden":
        records: dict[str, type[Record]] = {"politeness": Politeness, "rules": Rules}
        record = records.get(str(problem["loc"][0]), Site)
        known = [name for name in record.model_fields if name != "key"]
        near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
        return f"{key}: unknown key; " + (
            f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
        )
    if problem["type"] == "missing":
        return f"{key}: is missing; add {key} = …"
    if problem["type"] == "value_error":
        return f"{key}: {problem['ctx']['error']}"
    return f"{key}: {problem['input']!r} will not do; {_remedy(problem['type'], problem.get('ctx', {}))}"


def _remedy(kind: str, limits: Mapping[str, Any]) -> str:
    """What to write in place of a value that pydantic refuses, by its name for the mistake."""
    if kind.startswith(("greater_than", "less_than")):
        bounds = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
        return " and ".join(f"write {bounds[name]} {limit}" for name, limit in limits.items())
    if kind == "literal_error":
        return f"write {limits['expected']}"
    return {
        "tuple_type": "write a list in brackets, e.g. ['…']",
        "string_type": "write a text in quotes",
        "bool_type": "write true or false",
        "int_type": "write a whole number",
        "float_type": "write a number",
        "finite_number": "write a number",
        "model_type": "write a table of keys",
    }.get(kind, kind.replace("_", " "))
