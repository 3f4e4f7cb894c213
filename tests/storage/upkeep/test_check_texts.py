"""Texts, documents and pages that do not belong together."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from storage.upkeep import check_texts
from tests.storage.upkeep.damage import Find, Mend, assert_found_and_repaired, damage


@pytest.mark.parametrize(
    ("statement", "find", "mend"),
    [
        (
            "UPDATE article SET revision = 7 WHERE id = 3",
            check_texts.find_wrong_revisions,
            check_texts.mend_revisions,
        ),
        (
            "UPDATE document SET text_hash = digest WHERE article_id = 4",
            check_texts.find_textless_documents,
            check_texts.drop_textless_documents,
        ),
        (
            "INSERT INTO page SELECT 9999, sha256, location, url, media_type, encoding, origin, fetched_us,"
            " publisher, claims, size, body, headers FROM page WHERE id = 1",
            check_texts.find_orphaned_pages,
            check_texts.drop_orphaned_pages,
        ),
        (
            "UPDATE article SET gone_at = (SELECT min(first_seen_at) FROM article) WHERE id = 26",
            check_texts.find_gone_too_early,
            check_texts.bring_back,
        ),
    ],
)
def test_one_fault_is_found_and_repaired(filled: Engine, statement: str, find: Find, mend: Mend) -> None:
    assert_found_and_repaired(filled, statement, find, mend)


def test_a_text_that_no_document_gave_is_found(filled: Engine) -> None:
    damage(filled, "DELETE FROM document WHERE article_id = 3")
    with filled.connect() as connection:
        assert len(list(check_texts.find_ungiven_texts(connection))) == 1
