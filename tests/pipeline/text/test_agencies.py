"""Agencies are recognised by their hosts, and every entry of agencies.toml is valid."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from pipeline.text.agencies import (
    AGENCIES,
    ANY_CREDIT,
    Agency,
    agency_of_name,
    agency_of_site,
    is_agency_site,
)


@pytest.mark.parametrize(
    ("site", "agency"),
    [
        ("reuters.com", "Reuters"),
        ("uk.reuters.com", "Reuters"),
        ("apnews.com", "AP"),
        ("dpa-international.com", "dpa"),
        ("xinhuanet.com", "Xinhua"),
        ("ukrinform.ua", "Ukrinform"),
        ("tass.com", "TASS"),
        ("ria.ru", "RIA Novosti"),
        ("www.aa.com.tr", "Anadolu"),
        ("seawire.example", "Seawire"),
    ],
)
def test_own_sites(site: str, agency: str) -> None:
    assert is_agency_site(site, ["Nobody", agency])


@pytest.mark.parametrize(
    ("site", "agency"),
    [
        ("reuters-fans.example", "Reuters"),
        ("reuters.com", "AP"),
        ("harbourpost.example", "dpa"),
        ("news.example", ""),
        ("aria.example", "RIA Novosti"),
    ],
)
def test_other_sites(site: str, agency: str) -> None:
    assert not is_agency_site(site, [agency])


@pytest.mark.parametrize(
    ("site", "agency"),
    [
        ("reuters.com", "Reuters"),
        ("uk.reuters.com", "Reuters"),
        ("apnews.com", "AP"),
        ("afp.com", "AFP"),
        ("english.kyodonews.net", "Kyodo"),
        ("aa.com.tr", "Anadolu"),
        ("aa.com", None),
        ("app.com", None),
        ("app.harbourpost.example", None),
        ("reuters.harbourpost.example", None),
        ("reuters-fans.example", None),
        ("", None),
    ],
)
def test_an_agency_is_told_by_its_own_site_alone(site: str, agency: str | None) -> None:
    assert agency_of_site(site) == agency


def test_no_agency_is_listed_twice() -> None:
    names = Counter(agency.name for agency in AGENCIES)
    forms = Counter(form for agency in AGENCIES for form in agency.forms)
    assert [name for counts in (names, forms) for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("agency", AGENCIES, ids=lambda agency: agency.name)
def test_an_agency_is_recognised_by_one_of_its_forms(agency: Agency) -> None:
    assert re.fullmatch(agency.pattern, agency.name)
    assert all(re.compile(form) for form in (*agency.bare, *agency.credits))
    assert agency.initials is None or agency.initials.islower()


@pytest.mark.parametrize("credit", ["reuters", "ap", "a.p.", "the associated press", "dpa", "pa media"])
def test_picture_credits(credit: str) -> None:
    assert re.fullmatch(ANY_CREDIT, credit)


@pytest.mark.parametrize(
    ("name", "agency"),
    [
        ("AFP", "AFP"),
        ("Agence France-Presse", "AFP"),
        ("dpa", "dpa"),
        ("dpa-AFX", "dpa"),
        ("The Associated Press", "AP"),
        ("Associated press", "AP"),
        ("Reuters Staff", "Reuters"),
        ("Xinhua News Agency", "Xinhua"),
        ("TT", None),
        ("Pa", None),
        ("Ida Brandt", None),
        ("Reuters Holm", None),
        ("Associated Press Club of Malmö and all of its many friends abroad", None),
    ],
)
def test_an_author_that_is_an_agency(name: str, agency: str | None) -> None:
    assert agency_of_name(name) == agency
