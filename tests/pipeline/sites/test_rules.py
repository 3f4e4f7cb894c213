"""Rules of a site: lines that they remove, lines that they leave, and their version."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.document import Article, Document, MediaType, Origin, Outcome, Reason, Rejection
from pipeline.process import process_document
from pipeline.settings import Settings
from pipeline.sites.rules import Phrase, SiteRulebook, SiteRules, combined_version, site_of_version

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
GENERAL = Settings().rules_version
STORY = (
    "The ferry to Norhaven runs again after a week of storms, the harbour master said on Sunday.",
    "Some 1,200 people had waited on the mainland since Monday, many of them in the school's gymnasium.",
    "The first ship left at six in the morning with lorries of milk and bread on board, and came back.",
    "The island's only baker, Odd Lien, said that he had sold his last loaf to his own mother.",
)


def page(*parts: str, head: str = "", around: str = "") -> bytes:
    body = "".join(part if part.startswith("<") else f"<p>{part}</p>" for part in parts)
    return (
        f"<html lang='en'><head><title>Ferry runs again</title>{head}</head><body>{around}"
        f"<article><h1>Ferry runs again</h1>{body}</article></body></html>"
    ).encode()


def run(body: bytes, *sites: SiteRules, url: str = "https://www.gazette.example/ferry") -> Outcome:
    made = Document("a.html", url, body, MediaType.HTML, NOON, Origin.CRAWL)
    return process_document(made, Settings(site_rules=SiteRulebook(sites)))


def article(body: bytes, *sites: SiteRules, url: str = "https://www.gazette.example/ferry") -> Article:
    found = run(body, *sites, url=url)
    assert isinstance(found, Article), found
    return found


def gazette(*clutter: str | Phrase, **more: Any) -> SiteRules:
    phrases = tuple(Phrase(one) if isinstance(one, str) else one for one in clutter)
    return SiteRules("gazette", ("gazette.example",), phrases, **more)


def taken(found: Article) -> list[tuple[int, str, str]]:
    """The lines that the site's rules removed."""
    return [(line.position, line.text, line.rule) for line in found.removed if line.rule.startswith("site.")]


def test_a_dropped_element_is_recorded_at_its_place() -> None:
    box = "<div class='x7'><p>The Gazette walks is our guide to the coast, and it costs ten crowns.</p></div>"
    note = "He spoke to reporters <span class='tip'>Tap to hear him</span> on the quay after the service."
    body = page(STORY[0], box, STORY[1], STORY[2], note, STORY[3])
    plain = article(body)
    assert "guide to the coast" in plain.text
    assert "Tap to hear" in plain.text
    found = article(body, gazette(drop=("article > .x7", "span.tip")))
    *two, spoke, four = found.text.split("\n")[1:]
    assert spoke == "He spoke to reporters on the quay after the service."
    assert (two, four) == ([STORY[1], STORY[2]], STORY[3])
    assert taken(found) == [
        (
            1,
            "The Gazette walks is our guide to the coast, and it costs ten crowns.",
            "site.gazette.drop article > .x7",
        ),
        (3, "Tap to hear him", "site.gazette.drop span.tip"),
    ]


def test_lines_on_both_sides_of_a_dropped_element_stay_two() -> None:
    body = page(f"<div>{STORY[0]}<div class='ad7'>Ten crowns</div>{STORY[1]}</div>", *STORY[2:])
    assert article(body, gazette(drop=(".ad7",))).text.split("\n") == list(STORY)


def test_nested_and_overlapping_selectors_remove_each_line_once() -> None:
    box = "<div class='x7'><p class='y'>One for the readers.</p><p>Two of them there are.</p></div>"
    found = article(page(STORY[0], box, *STORY[1:]), gazette(drop=("p.y", ".x7", "div > p")))
    assert [rule for _, _, rule in taken(found)] == ["site.gazette.drop .x7"] * 2
    assert found.text.split("\n") == list(STORY)


def test_title_and_date_are_read_before_their_elements_are_dropped() -> None:
    stamp = (
        "<div class='top'><h1>Ferry runs again</h1><time datetime='2026-03-01T10:00:00Z'>1 March</time></div>"
    )
    script = (
        '<script class="top" type="application/ld+json">{"@type": "NewsArticle", "author": "Ada"}</script>'
    )
    body = page(*STORY, around=stamp + script)
    plain = article(body)
    found = article(body, gazette(drop=(".top", "head *", "title")))
    same = ("title", "published_at", "authors", "language", "text")
    assert [getattr(found, name) for name in same] == [getattr(plain, name) for name in same]
    assert found.published_at == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_a_row_of_a_table_without_a_cell_stays_a_row() -> None:
    rows = "".join(
        f"<tr><td>Ship {n} of the line</td><td>{n}0 tons</td><td class='p'>Buy</td></tr>" for n in range(4)
    )
    found = article(page(STORY[0], STORY[1], f"<table>{rows}</table>", *STORY[2:]), gazette(drop=("td.p",)))
    assert "Ship 2 of the line 20 tons" in found.text
    assert "Buy" not in found.text
    assert [line.text for line in found.removed if line.rule == "site.gazette.drop td.p"] == ["Buy"] * 4


def test_the_story_is_searched_in_the_selected_elements() -> None:
    other = "".join(f"<p>{line.replace('ferry', 'train').replace('ship', 'lorry')}</p>" for line in STORY)
    around = f"<div class='more'>{other}{other.replace('Sunday', 'Friday')}</div>"
    body = page("<div class='body7'>" + "".join(f"<p>{line}</p>" for line in STORY) + "</div>", around=around)
    found = article(body, gazette(take=(".body7",)))
    assert found.text.split("\n") == list(STORY)
    assert found.title == "Ferry runs again"
    assert site_of_version(found.rules_version) == ("gazette", False)
    both = article(body, gazette(take=("article", ".more"), drop=(".more",)))
    assert both.text.split("\n") == list(STORY), "what was dropped is not there to be taken"


def test_several_selected_elements_come_in_the_order_of_the_page() -> None:
    parts = [
        f"<div class='part'><p>{line}</p></div><div><p>Advertisement of the house {n}.</p></div>"
        for n, line in enumerate(STORY)
    ]
    found = article(page(*parts), gazette(take=("div.part", ".part p")))
    assert found.text.split("\n") == list(STORY)


def test_if_too_little_is_selected_the_whole_page_is_read_and_the_version_says_so() -> None:
    body = page("<div class='body7'><p>Loading the story.</p></div>", *STORY)
    rules = gazette(take=(".body7", ".none"))
    found = article(body, rules)
    plain = article(body)
    assert (found.text, found.removed) == (plain.text, plain.removed)
    assert found.rules_version == f"{GENERAL}+{rules.version}!take"
    assert site_of_version(found.rules_version) == ("gazette", True)
    assert not SiteRulebook((rules,)).is_outdated(found.rules_version, GENERAL, "gazette.example")


@pytest.mark.parametrize(
    ("phrase", "line"),
    [
        ("Walks with the Gazette", "WALKS WITH THE GAZETTE!"),
        (
            "walks with the gazette*",
            "Walks with the Gazette: ten crowns a year, and the first month is free.",
        ),
        ("* walks of ours", "» Some of the best walks of ours"),
        ("The “Gazette” — all*of it*here", 'The "Gazette" - all the news, and   all of it, is here'),
        ("Gazette*Gazette", "Gazette and Gazette and Gazette"),
        ("*広告*", "これは広告です"),
        ("(a+)+$ costs [10] crowns*", "(a+)+$ costs [10] crowns today"),
    ],
)
def test_a_phrase_removes_a_line(phrase: str, line: str) -> None:
    found = article(page(*STORY[:2], line, *STORY[2:]), gazette(phrase))
    assert found.text.split("\n") == list(STORY)
    assert taken(found) == [(2, " ".join(line.split()), f"site.gazette.clutter {phrase}")]


@pytest.mark.parametrize(
    ("phrase", "line"),
    [
        ("Walks with the Gazette", "Walks with the Gazette are for the young, its editor told the council."),
        ("walks*gazette", "The walks that everybody knows are no gazette of the coast."),
        ("a.b costs", "aXb costs"),
        ("Gazette*Gazette*Gazette", "Gazette and Gazette of the coast and its islands, said the mayor."),
    ],
)
def test_a_phrase_leaves_similar_lines(phrase: str, line: str) -> None:
    found = article(page(*STORY[:2], line, *STORY[2:]), gazette(phrase))
    assert not taken(found)
    assert line in found.text


def test_tail_head_and_section() -> None:
    rules = gazette(
        Phrase("[Tap to hear the*", "tail"),
        Phrase("From the * desk:", "head"),
        Phrase("Also on our pages", "section"),
    )
    links = "".join(
        f"<li><a href='/{n}'>A headline of the other day, number {n} of them</a></li>" for n in range(3)
    )
    first = f"From the harbour desk: {STORY[0]}"
    body = page(
        first,
        f"{STORY[1]} [Tap to hear the harbour master]",
        *STORY[2:],
        f"<h2>Also on our pages</h2><ul>{links}</ul>",
    )
    found = article(body, rules)
    assert found.text.split("\n") == list(STORY)
    assert taken(found)[:2] == [
        (0, "From the harbour desk:", "site.gazette.clutter From the * desk:"),
        (2, "[Tap to hear the harbour master]", "site.gazette.clutter [Tap to hear the*"),
    ]


def test_a_sites_phrase_is_applied_before_the_general_rules() -> None:
    general = "Register now for free unlimited access to Post.example"
    body = page(*STORY[:2], general, "Walks with the Gazette, in all weathers", *STORY[2:])
    plain = article(body)
    assert ("phrase.en.register-now") in [line.rule for line in plain.removed]
    found = article(body, gazette("Walks with the Gazette*"))
    assert [line.rule for line in found.removed if not line.rule.startswith("structure.")] == [
        "phrase.en.register-now",
        "site.gazette.clutter Walks with the Gazette*",
    ]
    both = article(body, gazette("Register now*"))
    assert "site.gazette.clutter Register now*" in [line.rule for line in both.removed]
    assert "phrase.en.register-now" not in [line.rule for line in both.removed]


def test_phrases_apply_to_copied_text() -> None:
    text = "\n\n".join(("Ferry runs again", *STORY[:2], "Walks with the Gazette", *STORY[2:])).encode()
    made = Document("a.txt", "https://gazette.example/ferry", text, MediaType.TEXT, NOON, Origin.JSONL)
    rules = gazette("Walks with the Gazette", drop=(".x",), take=(".y",))
    found = process_document(made, Settings(site_rules=SiteRulebook((rules,))))
    assert isinstance(found, Article)
    assert "Walks" not in found.text
    assert found.rules_version == f"{GENERAL}+{rules.version}"


def test_rules_apply_only_to_articles_of_their_site() -> None:
    line = "Walks with the Gazette"
    rules = gazette(line)
    canonical = '<link rel="canonical" href="https://www.gazette.example/ferry">'
    body = page(*STORY, line)
    linked = page(*STORY, line, head=canonical)
    for url, of, goes in (
        ("https://www.gazette.example/ferry", body, True),
        ("http://news.gazette.example:8080/ferry", body, True),
        ("https://notgazette.example/ferry", body, False),
        ("https://gazette.example.org/ferry", body, False),
        ("https://herald.example/ferry", linked, False),
        ("file:///saved/ferry.html", linked, True),
        ("file:///saved/ferry.html", body, False),
        ("https://gazette-example.cdn.ampproject.org/c/ferry", linked, True),
    ):
        found = article(of, rules, url=url)
        assert (line not in found.text) == goes, url
        assert found.rules_version == (f"{GENERAL}+{rules.version}" if goes else GENERAL), url
    closer = SiteRules("walks", ("walks.gazette.example",))
    assert line in article(body, rules, closer, url="https://walks.gazette.example/a").text


def test_a_rejection_has_the_version_of_the_sites_rules() -> None:
    canonical = '<link rel="canonical" href="https://www.gazette.example/ferry">'
    rules = gazette(drop=("article",))
    found = run(page(*STORY, head=canonical), rules, url="file:///saved/ferry.html")
    assert isinstance(found, Rejection)
    assert found.reason is Reason.NO_ARTICLE
    assert "rules of site gazette dropped 391 characters" in found.detail
    assert found.rules_version == f"{GENERAL}+{rules.version}"
    book = SiteRulebook((rules,))
    assert not book.is_outdated_rejection(found.rules_version, GENERAL, "")
    assert SiteRulebook((gazette("Other words"),)).is_outdated_rejection(found.rules_version, GENERAL, "")
    assert SiteRulebook((gazette(),)).is_outdated_rejection(found.rules_version, GENERAL, "")


def test_without_rules_nothing_changes() -> None:
    bodies = (page(*STORY, "Walks with the Gazette"), page("Too short"), b"<html></html>", b"")
    for body in bodies:
        assert (
            run(body) == run(body, gazette()) == run(body, replace(gazette("x y"), hosts=("herald.example",)))
        )


def test_outdated_versions() -> None:
    old, new = gazette("One line of ours"), gazette("Another line of ours")
    herald = SiteRules("herald", ("herald.example",))
    book = SiteRulebook((new, herald))
    was, now = combined_version(GENERAL, old), combined_version(GENERAL, new)
    other_site = f"{GENERAL}+monitor-12345678"
    for version, host, is_outdated, is_foreign in (
        (GENERAL, "gazette.example", True, False),
        (was, "gazette.example", True, False),
        (now, "gazette.example", False, False),
        (now + "!take", "news.gazette.example", False, False),
        (GENERAL, "herald.example", False, False),
        (f"{GENERAL}+herald-12345678", "herald.example", True, False),
        (GENERAL, "monitor.example", False, False),
        ("0-old", "monitor.example", True, False),
        (other_site, "monitor.example", False, True),
        (other_site, "gazette.example", True, False),
        (f"0-old+{new.version}", "gazette.example", True, False),
        (now, "elsewhere.example", True, False),
        (GENERAL, "", False, False),
    ):
        assert book.is_outdated(version, GENERAL, host) == is_outdated, (version, host)
        assert book.is_foreign(version, host) == is_foreign, (version, host)
    assert SiteRulebook().is_foreign(now, "gazette.example")
    assert not SiteRulebook().is_outdated("0-old+gazette-12345678", GENERAL, "gazette.example")


def test_versions_are_equal_for_equal_rules_only() -> None:
    same = [
        gazette("One line", drop=(".a",)),
        SiteRules("gazette", ("x.example",), (Phrase("One line"),), (".a",)),
    ]
    assert same[0].version == same[1].version
    others = [
        gazette("One line"),
        gazette("One line", take=(".a",)),
        gazette(Phrase("One line", "tail"), drop=(".a",)),
        replace(same[0], key="herald"),
    ]
    assert len({rules.version for rules in (*same, *others)}) == 5
    assert gazette().version == ""


def test_two_sites_cannot_both_have_rules_for_a_host() -> None:
    sport = SiteRules("sport", ("gazette.example",))
    assert SiteRulebook((sport, gazette("One line"))).of_host("gazette.example") == gazette("One line")
    assert SiteRulebook((gazette("One line"), sport)).of_host("gazette.example") == gazette("One line")
    with pytest.raises(
        ValueError, match=r"site sport: rules: site gazette has rules for gazette\.example already"
    ):
        SiteRulebook((gazette("One line"), replace(sport, drop=(".a",))))


def test_settings_with_rules_can_be_sent_to_workers() -> None:
    settings = Settings(site_rules=SiteRulebook((gazette("One line", drop=(".a",), take=("main",)),)))
    again = pickle.loads(pickle.dumps(settings))
    assert again == settings
    assert again.site_rules.of_host("www.gazette.example") == settings.site_rules.sites[0]
    assert again.site_rules


@pytest.mark.parametrize(
    ("text", "scope", "message"),
    [
        ("", "line", "would be found in any line"),
        ("*", "line", "would be found in any line"),
        (" * - * ", "line", "would be found in any line"),
        ("a*", "line", "would be found in any line"),
        ("a*b*c", "line", "would be found in any line"),
        ("*ab*cd*ef*gh*ij*kl*mn*op*", "line", "has more than 8 '\\*'"),
        ("x" * 301, "line", "is no line of at most 300"),
        ("one\ntwo", "line", "is no line of at most 300"),
        ("one\0two", "line", "is no line of at most 300"),
        ("one two", "lines", "is no scope; write one of line, tail, head, section, comments"),
        ("* one two", "tail", "begins with"),
        ("one two *", "head", "ends with"),
    ],
)
def test_an_invalid_phrase_is_refused(text: str, scope: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Phrase(text, scope)


def test_more_rules_than_a_person_writes_are_refused() -> None:
    with pytest.raises(ValueError, match="201 are more than 200"):
        gazette(*(f"line {n}" for n in range(201)))
    with pytest.raises(ValueError, match="201 are more than 200"):
        gazette(drop=tuple(f".c{n}" for n in range(201)))
    with pytest.raises(ValueError, match="'aside\\[' is no CSS selector"):
        gazette(take=("main", "aside["))
