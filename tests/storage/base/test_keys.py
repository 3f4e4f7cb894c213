"""Keys are different for different documents and texts, and values are acceptable to both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from pipeline.document import Claims, Document, MediaType, Origin, Reason, Rejection, Removed, RightsStatement
from pipeline.text.search_words import make_search_words
from storage.base.keys import (
    UnstorableError,
    as_rejection,
    check_storable,
    checked,
    claims_json,
    claims_of,
    page_digest,
    source_key,
    storable,
    storable_name,
    storable_text,
    text_hash,
)
from tests.storage.news import START, article, page, rejection, store, view


def document(origin: Origin, title: str) -> Document:
    return Document(
        location="a",
        url="https://a.example/a",
        body=b"It sails.",
        media_type=MediaType.TEXT,
        fetched_at=START,
        origin=origin,
        claims=Claims(title=title),
    )


def test_the_fields_of_a_record_are_part_of_its_key() -> None:
    assert source_key(document(Origin.JSONL, "one")) != source_key(document(Origin.JSONL, "two"))
    assert source_key(document(Origin.FILE, "one")) == source_key(document(Origin.FILE, "two"))


def test_records_without_new_keys_are_known_by_their_old_digest() -> None:
    """Whoever adds a claim must not make every record of an old database a new one."""
    given = document(Origin.JSONL, "one")

    assert source_key(given).sha256.hex().startswith("a8c5ab13b839448c")
    assert source_key(replace(given, claims=replace(given.claims, section="Port"))) != source_key(given)


@pytest.mark.parametrize("origin", Origin)
def test_what_a_server_says_of_rights_is_part_of_the_key(origin: Origin) -> None:
    """The same bytes are processed again where their reservation changed."""
    plain = document(origin, "one")
    reserved = replace(
        plain, claims=replace(plain.claims, rights=(RightsStatement("robots", "noai", "header"),))
    )
    made = page("It sails.", START, plain.url, origin, reserved.claims)

    assert source_key(plain) != source_key(reserved)
    assert page_digest(replace(made, encoding=plain.encoding)) == source_key(reserved).sha256


def test_claims_that_were_stored_by_older_releases_are_read() -> None:
    old = {"title": "T", "published_at": None, "authors": ["Ada"], "language": "en"}

    assert claims_of(old) == Claims("T", None, ("Ada",), "en")


@pytest.mark.parametrize("origin", Origin)
def test_a_stored_page_has_the_digest_of_its_document(origin: Origin) -> None:
    given = document(origin, "one")
    made = page("It sails.", START, given.url, origin, given.claims)

    assert page_digest(replace(made, encoding=given.encoding)) == source_key(given).sha256


def test_a_new_headline_is_a_new_text() -> None:
    assert len(text_hash("One", "It sails.")) == 16
    assert text_hash("One", "It sails.") != text_hash("Two", "It sails.")
    assert text_hash("a", "b c") != text_hash("a b", "c")


def test_characters_that_postgresql_refuses_are_replaced_and_names_stay_different() -> None:
    assert storable_text("a\0b\ud800") == "a\ufffdb\ufffd"
    assert storable_name("a\0") == "a\\x00"
    assert storable_name("\udcff") != storable_name("\udcfe")


def test_storable_values_stay_unchanged() -> None:
    made = article("https://a.example/1", "It sails.")

    assert storable(made) is made


def test_every_text_of_an_article_is_made_storable() -> None:
    odd = "a\0b"
    made = article(
        "https://a.example/\0",
        odd,
        title=odd,
        authors=(odd,),
        byline=odd,
        removed=(Removed(0, odd, odd),),
        description=odd,
        section=odd,
        keywords=(odd,),
        image_url=odd,
        rights=(RightsStatement(odd, odd, odd, odd),),
    )
    said = Claims(odd, odd, (odd,), odd, odd, odd, (odd,), odd, (RightsStatement(odd, odd, odd, odd),))
    made = replace(made, page=replace(made.page, claims=said))
    found = storable(made)

    assert "\0" not in repr(found)
    assert found.search_words == make_search_words(found.title, found.text)  # type: ignore[union-attr]


def test_the_detail_of_a_rejection_is_cut() -> None:
    assert len(storable(rejection("a", detail="x" * 3000)).detail) == 2000  # type: ignore[union-attr]


@pytest.mark.parametrize("field", ["site", "agency", "language"])
def test_a_value_too_long_for_an_index_is_refused(field: str) -> None:
    with pytest.raises(UnstorableError, match=field):
        check_storable(article("https://a.example/1", "It sails.", **{field: "x" * 301}))  # type: ignore[arg-type]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(UnstorableError, match="published_at"):
        check_storable(article("https://a.example/1", "It sails.", published_at=START.replace(tzinfo=None)))


def test_an_article_that_cannot_be_stored_becomes_a_rejection_with_the_reason() -> None:
    made = as_rejection(article("https://a.example/1", "It sails.", START), "too long\0")

    assert (made.reason.value, made.detail, made.at) == ("storage error", "too long\ufffd", START)


@pytest.mark.parametrize(
    "claims",
    [
        Claims(),
        Claims("T", "2026-03-01", ("Ada",), "en"),
        Claims(rights=(RightsStatement("robots", "noai", "header"), RightsStatement("license", "x", "link"))),
        Claims(description="It sails.", section="Port", keywords=("ferry",), image_url="https://i.example/a"),
    ],
)
def test_claims_are_read_back_unchanged(claims: Claims) -> None:
    assert claims_of(claims_json(claims)) == claims
    assert (claims_json(claims) is None) == (claims == Claims())


def test_a_checked_outcome_is_what_a_writer_stores(engine: Engine) -> None:
    for number, change in enumerate(({"title": "a\0b"}, {"site": "x" * 301}, {"agency": "x" * 301}, {})):
        made = article(f"https://a.example/{number}", "It sails.", **change)  # type: ignore[arg-type]
        store(engine, [made])
        outcome = checked(made)

        rejected = {row["location"]: row["detail"] for row in view(engine, "rejections")}
        stored = {row["url"]: row["title"] for row in view(engine, "articles")}
        if isinstance(outcome, Rejection):
            assert rejected[made.location] == outcome.detail
            assert outcome.reason is Reason.STORAGE_ERROR
            assert outcome.at == made.page.fetched_at
        else:
            assert stored[made.url] == outcome.title
            assert made.location not in rejected
    assert len(stored) == len(rejected) == 2
