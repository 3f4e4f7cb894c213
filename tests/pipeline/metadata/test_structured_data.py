"""Head and JSON-LD of a page, damaged ones too."""

from __future__ import annotations

import pytest

from pipeline.metadata.structured_data import cleaned, read_json_ld


@pytest.mark.parametrize(
    "text",
    [
        '{"@type": "Article", "headline": "Chain found", "datePublished": "2026-03-01",}',
        '{"@type": "Article", "headline": "Chain\nfound", "datePublished": "2026-03-01"}',
        '<!-- {"@type": "Article", "headline": "Chain found", "datePublished": "2026-03-01"} -->',
        '//<![CDATA[\n{"@type": "Article", "headline": "Chain found", "datePublished": "2026-03-01"}//]]>',
        '{"@type": "Article", "headline": "Chain found", "datePublished": "2026-03-01", "image": {{x}} }',
        '[{"@graph": [{"@type": "Article", "headline": "Chain found", "datePublished": "2026-03-01"}]}]',
        '{"@type": "Article", "headline": "Chain found", "datePublished": "2026-03-01", "text": "a "b" c',
    ],
)
def test_damaged_json_ld_is_read_as_far_as_it_goes(text: str) -> None:
    node = next(n for n in read_json_ld(text) if "headline" in n)
    assert " ".join(str(node["headline"]).split()) == "Chain found"
    assert node["datePublished"] == "2026-03-01"


@pytest.mark.parametrize(
    "text",
    ["Hafen\u00adbehörde", "\ufeffHafen\u200bbehörde\u200e", "Hafen&amp;shy;behörde", "Hafen&#8203;behörde"],
)
def test_cleaned_text_has_no_invisible_characters(text: str) -> None:
    assert cleaned(text) == "Hafenbehörde"
