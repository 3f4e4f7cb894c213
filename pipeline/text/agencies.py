"""News agencies: their names, how they sign and how pictures credit them, from agencies.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
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
    )
    for entry in _DATA["agency"]
)
# Regular expressions, without groups around them.
ANY_AGENCY = "|".join(agency.pattern for agency in AGENCIES)
ANY_BARE = "|".join(form for agency in AGENCIES for form in agency.bare)
ANY_CREDIT = "|".join(form for agency in AGENCIES for form in agency.credits)
ANY_INITIALS = "|".join(agency.initials for agency in AGENCIES if agency.initials)

_HOST_ENDINGS: tuple[str, ...] = tuple(_DATA["host_endings"])
_HOSTS = {agency.name: agency.hosts for agency in AGENCIES}


def is_agency_site(site: str, agencies: Iterable[str]) -> bool:
    """Whether the site is the own site of one of these agencies, known or not, by its host name."""
    labels = {label.replace("-", "") for label in site.lower().split(".")[:-1]}
    return any(not labels.isdisjoint(_host_labels(agency)) for agency in agencies)


def _host_labels(agency: str) -> set[str]:
    name = "".join(filter(str.isalnum, agency.lower()))
    return {name + ending for ending in _HOST_ENDINGS if name} | set(_HOSTS.get(agency, ()))
