"""News agencies: their names, how they sign and how pictures credit them, from agencies.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

_DATA = tomllib.loads(resources.files("pipeline.text").joinpath("agencies.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Agency:
    """One agency. The fields are described in agencies.toml."""

    name: str
    forms: tuple[str, ...]
    bare: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()
    initials: str | None = None
    hosts: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()

    @property
    def pattern(self) -> str:
        """A regular expression of all forms."""
        return "|".join(self.forms)


AGENCIES = tuple(
    Agency(
        name=entry["name"],
        forms=tuple(entry["forms"]),
        bare=tuple(entry.get("bare", ())),
        credits=tuple(entry.get("credits", ())),
        initials=entry.get("initials"),
        hosts=tuple(entry.get("hosts", ())),
        sites=tuple(entry.get("sites", ())),
    )
    for entry in _DATA["agency"]
)
# Regular expressions, without groups around them.
ANY_AGENCY = "|".join(agency.pattern for agency in AGENCIES)
ANY_BARE = "|".join(form for agency in AGENCIES for form in agency.bare)
ANY_CREDIT = "|".join(form for agency in AGENCIES for form in agency.credits)
ANY_INITIALS = "|".join(agency.initials for agency in AGENCIES if agency.initials)


@lru_cache(maxsize=1024)
def agency_of_name(name: str) -> str | None:
    """Canonical name of the agency that an author's name is, such as "AFP" or "Reuters Staff"; else None."""
    if len(name) > _LONGEST_NAME:
        return None
    return next((agency.name for agency in AGENCIES if _whole_name(agency).fullmatch(name)), None)


_LONGEST_NAME = 60


@cache
def _whole_name(agency: Agency) -> re.Pattern[str]:
    # Two letters that are no credit of an agency may be the initials of a person.
    forms = "|".join(f"(?!..$)(?:{form})" for form in agency.forms)
    credited = "|".join((r"(?!)", *agency.credits))
    return re.compile(
        rf"(?:{forms}|(?i:{credited}))(?i:[ -](?:news|staff|newswire|wire|agency|news agency))?"
    )


_HOST_ENDINGS: tuple[str, ...] = tuple(_DATA["host_endings"])
_HOSTS = {agency.name: agency.hosts for agency in AGENCIES}


def is_agency_site(site: str, agencies: Iterable[str]) -> bool:
    """Whether the site is the own site of one of these agencies, known or not, by its host name."""
    labels = {label.replace("-", "") for label in site.lower().split(".")[:-1]}
    return any(not labels.isdisjoint(_host_labels(agency)) for agency in agencies)


def _host_labels(agency: str) -> set[str]:
    name = "".join(filter(str.isalnum, agency.lower()))
    return {name + ending for ending in _HOST_ENDINGS if name} | set(_HOSTS.get(agency, ()))


@lru_cache(maxsize=1024)
def agency_of_site(site: str) -> str | None:
    """Name of the agency in agencies.toml whose own site it is, by its host name; else None.

    Many hosts are named like an agency of three letters and are not its own (app.com). So its name alone is
    not enough, nor is a subdomain.
    """
    labels = site.lower().split(".")
    named = [".".join(labels[n:]) for n in range(len(labels))]
    domain = next((label for label in reversed(labels[:-1]) if label not in _SECOND_LEVEL), "")
    domain = domain.replace("-", "")
    for agency in AGENCIES:
        if not set(agency.sites).isdisjoint(named):
            return agency.name
        if len(domain) > _SHORT_NAME and domain in _host_labels(agency.name):
            return agency.name
    return None


_SHORT_NAME = 3
# Labels before the last one that belong to it: aa.com.tr.
_SECOND_LEVEL = frozenset(("co", "com", "org", "net", "gov", "gob", "edu", "ac", "or", "ne", "go"))
