"""One document through all stages: exactly one outcome, and the place of every removed line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pipeline.document import (
    Access,
    Article,
    Claims,
    Document,
    MediaType,
    Origin,
    Reason,
    Rejection,
    RightsStatement,
)
from pipeline.process import process_document, process_documents
from pipeline.settings import Settings
from pipeline.sites.rules import SiteRulebook, SiteRules
from pipeline.text import make_search_words

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

PARAGRAPHS = (
    "NORHAVEN, March 1 (Reuters) - The ferry to Norhaven runs again after a week of storms, the harbour "
    "master said on Sunday.",
    "Some 1,200 people had waited on the mainland since Monday, many of them in the gymnasium of the "
    "harbour school, where the Red Cross had put up beds.",
    "The first ship left at six in the morning with lorries of milk and bread on board. It will sail "
    "three times a day until the queue is gone. Read more",
    "The island's only baker, Odd Lien, said that he had run out of flour on Thursday and had sold the "
    "last loaf to his own mother.",
)


def page(*lines: str, head: str = "") -> bytes:
    body = "".join(f"<p>{line}</p>" for line in lines)
    return (
        f"<html><head><title>Ferry runs again</title>{head}</head><body><article>"
        f"<h1>Ferry runs again</h1>{body}</article></body></html>"
    ).encode()


def document(body: bytes, media_type: MediaType = MediaType.HTML, **more: object) -> Document:
    made = Document("a.html", "https://www.post.example/a?utm_source=x", body, media_type, NOON, Origin.CRAWL)
    return replace(made, **more)  # type: ignore[arg-type]


def article(found: object) -> Article:
    assert isinstance(found, Article), found
    return found


def test_a_page_becomes_an_article() -> None:
    body = page(*PARAGRAPHS[:2], "Register now for free unlimited access to Post.example", *PARAGRAPHS[2:])
    found = article(process_document(document(body), Settings()))
    assert found.url == "https://www.post.example/a"
    assert found.site == "post.example"
    assert found.title == "Ferry runs again"
    assert found.agency == "Reuters"
    assert found.dateline == "NORHAVEN, March 1"
    assert found.text.startswith("The ferry to Norhaven")
    assert found.text.endswith("his own mother.")
    assert "Register" not in found.text
    assert "Read more" not in found.text
    assert found.word_count == len(found.text.replace("'", "").split())
    assert found.search_words == make_search_words(found.title, found.text)
    assert found.language == "en"
    assert found.fingerprint is not None
    assert zstandard.ZstdDecompressor().decompress(found.page.compressed) == body

    only_read = process_document(document(body), Settings(), fingerprinted=False)
    assert only_read == replace(found, fingerprint=None)


def test_an_agency_among_the_authors_is_credited() -> None:
    lines = (PARAGRAPHS[0].replace("NORHAVEN, March 1 (Reuters) - ", ""), *PARAGRAPHS[1:])
    head = '<meta name="author" content="Ida Brandt, AFP">'
    found = article(process_document(document(page(*lines, head=head)), Settings()))
    assert (found.authors, found.agency) == (("Ida Brandt", "AFP"), "AFP")
    nobody = article(process_document(document(page(*lines)), Settings()))
    assert (nobody.authors, nobody.agency) == ((), None)
    # The dateline says whose copy it is.
    both = article(process_document(document(page(*PARAGRAPHS, head=head)), Settings()))
    assert both.agency == "Reuters"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("The new ship isn't 3.5 knots faster, and harbour/port (both) agree on_time.", 14),
        ("She said “it’s the harbour master’s--not mine” ... and left, 'twas 6.30 in Łódź’s time–zone.", 16),
        ("The sign over the harbour gate says 東京 港 to all who come in.", 15),
    ],
)
def test_words_are_counted_as_they_are_written(line: str, words: int) -> None:
    without = article(process_document(document(page(*PARAGRAPHS)), Settings()))
    found = article(process_document(document(page(*PARAGRAPHS[:2], line, *PARAGRAPHS[2:])), Settings()))
    assert line in found.text
    assert found.word_count == without.word_count + words


def test_removed_lines_have_the_number_of_lines_before_them() -> None:
    body = page(*PARAGRAPHS[:2], "Register now for free unlimited access to Post.example", *PARAGRAPHS[2:])
    found = article(process_document(document(body), Settings()))
    lines = found.text.splitlines()
    where = {r.text: r.position for r in found.removed}
    assert where["NORHAVEN, March 1 (Reuters) -"] == 0
    assert where["Register now for free unlimited access to Post.example"] == 2
    read_more = next(position for text, position in where.items() if text.startswith("Read more"))
    assert lines[read_more - 1].startswith("The first ship")
    assert [r.position for r in found.removed] == sorted(r.position for r in found.removed)


def test_the_same_document_gives_the_same_article() -> None:
    body = page(*PARAGRAPHS)
    assert process_document(document(body), Settings()) == process_document(document(body), Settings())


def test_documents_in_one_batch_have_the_outcomes_of_each_alone() -> None:
    stub = page(*PARAGRAPHS[:2], head='<meta property="article:content_tier" content="locked">')
    bodies = [page(*PARAGRAPHS), b"", stub, page(*PARAGRAPHS[:3])]
    documents = [document(body) for body in bodies]
    documents += [document("\n\n".join(PARAGRAPHS[n:]).encode(), MediaType.TEXT) for n in range(4)]
    documents += [document(page(*PARAGRAPHS), url="https://gazette.example/a")]
    gazette = SiteRules("gazette", ("gazette.example",), drop=("h1 + p",))
    settings = Settings(site_rules=SiteRulebook((gazette,)))
    found = process_documents(documents, settings)
    assert found == [process_document(one, settings) for one in documents]
    assert article(found[-1]).text != article(found[0]).text
    assert isinstance(found[1], Rejection)
    assert [article(one).fingerprint is None for one in found if one is not found[1]] == (
        [False, True] + [False] * 6
    )


def test_copied_text_uses_the_values_of_its_record() -> None:
    claims = Claims(title="Ferry sails", published_at="1-MAR-2026 09:30:00.00", authors=("Ada Lind",))
    body = "\n\n".join(PARAGRAPHS).encode()
    found = article(process_document(document(body, MediaType.TEXT, claims=claims), Settings()))
    assert found.title == "Ferry sails"
    assert found.authors == ("Ada Lind",)
    assert found.published_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert found.published_source == "claim"


@pytest.mark.parametrize("media_type", MediaType)
def test_claims_of_a_record_have_no_invisible_characters(media_type: MediaType) -> None:
    claims = Claims(title="\ufeffFer\u00adry sails", authors=("Ada\u200b Lind",))
    body = "\n\n".join(PARAGRAPHS).encode() if media_type is MediaType.TEXT else page(*PARAGRAPHS)
    body = body.replace(b"<title>Ferry runs again</title>", b"").replace(b"<h1>Ferry runs again</h1>", b"")
    found = article(process_document(document(body, media_type, claims=claims), Settings()))
    assert (found.title, found.authors) == ("Ferry sails", ("Ada Lind",))


@pytest.mark.parametrize("media_type", MediaType)
def test_a_source_says_what_the_document_does_not(media_type: MediaType) -> None:
    claims = Claims(
        description="A ferry\nsails. " * 200,
        section="Port",
        keywords=("ferry", "Ferry", "x" * 500),
        image_url="javascript:alert(1)",
    )
    body = page(*PARAGRAPHS) if media_type is MediaType.HTML else "\n\n".join(PARAGRAPHS).encode()
    found = article(process_document(document(body, media_type, claims=claims), Settings()))
    assert len(found.description or "") <= 1000
    assert "\n" not in (found.description or "\n")
    assert (found.section, found.keywords, found.image_url) == ("Port", ("ferry",), None)


def test_all_that_is_said_of_rights_is_recorded_and_judged() -> None:
    head = '<meta name="tdm-reservation" content="0"><meta name="robots" content="noai">'
    claims = Claims(
        rights=(
            RightsStatement("tdm-reservation", "1", "tdmrep.json"),
            RightsStatement("no such", "1", "header"),
        )
    )
    found = article(process_document(document(page(*PARAGRAPHS, head=head), claims=claims), Settings()))
    assert found.rights == (
        RightsStatement("tdm-reservation", "0", "meta", None, False),
        RightsStatement("robots", "noai", "meta", None, True),
        RightsStatement("tdm-reservation", "1", "tdmrep.json", None, True),
    )
    text = "\n\n".join(PARAGRAPHS).encode()
    copied = article(process_document(document(text, MediaType.TEXT, claims=claims), Settings()))
    assert copied.rights == found.rights[2:]
    assert article(process_document(document(text, MediaType.TEXT), Settings())).rights is None


def test_what_the_page_says_of_itself_comes_before_its_source() -> None:
    head = (
        '<meta name="description" content="It sails again."><meta property="article:section" content="Sea">'
    )
    claims = Claims(description="Sails", section="Port", keywords=("ferry",))
    found = article(process_document(document(page(*PARAGRAPHS, head=head), claims=claims), Settings()))
    assert (found.description, found.section, found.keywords) == ("It sails again.", "Sea", ("ferry",))


def test_the_zone_of_a_date_is_kept() -> None:
    claims = Claims(published_at="Sun, 01 Mar 2026 09:30:00 -0500")
    found = article(process_document(document(page(*PARAGRAPHS), claims=claims), Settings()))
    assert (found.published_at, found.published_offset) == (datetime(2026, 3, 1, 14, 30, tzinfo=UTC), -300)


def test_a_stated_date_after_the_fetch_is_not_a_publication_date() -> None:
    claims = Claims(published_at="2026-03-09T00:00:00Z")
    body = "\n\n".join(PARAGRAPHS).encode()
    found = article(process_document(document(body, MediaType.TEXT, claims=claims), Settings()))
    assert found.published_at is None


def test_a_paywall_stub_is_not_grouped() -> None:
    said = (
        '<script type="application/ld+json">{"@type": "NewsArticle", "isAccessibleForFree": false}</script>'
    )
    found = article(process_document(document(page(*PARAGRAPHS[:2], head=said)), Settings()))
    assert found.access is Access.PAYWALLED
    assert found.fingerprint is None


def test_too_large_is_a_rejection_without_its_page() -> None:
    found = process_document(document(b"x" * 101), Settings(max_body_bytes=100))
    assert isinstance(found, Rejection)
    assert found.reason is Reason.TOO_LARGE
    assert found.page is None


def test_a_fault_of_ours_costs_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("pipeline.process.clean", broken)
    found = process_document(document(page(*PARAGRAPHS)), Settings())
    assert isinstance(found, Rejection)
    assert found.reason is Reason.INTERNAL_ERROR
    assert found.reason.is_fault
    assert "ZeroDivisionError: on purpose" in found.detail


@given(body=st.binary(max_size=2000), media_type=st.sampled_from(MediaType))
def test_any_bytes_end_as_one_outcome_that_is_no_fault(body: bytes, media_type: MediaType) -> None:
    found = process_document(document(body, media_type), Settings())
    if isinstance(found, Rejection):
        assert not found.reason.is_fault, found.detail
    else:
        assert found.text.strip()


@given(text=st.text(max_size=400), position=st.integers(0, 3))
def test_the_story_is_extracted_whatever_is_around_it(text: str, position: int) -> None:
    lines = list(PARAGRAPHS)
    lines.insert(position, text.replace("<", " ").replace("&", " "))
    found = process_document(document(page(*lines)), Settings())
    assert isinstance(found, Article), found
    assert "Some 1,200 people had waited" in found.text
    assert len(found.removed) >= 1
    assert all(0 <= r.position <= len(found.text.splitlines()) for r in found.removed)
