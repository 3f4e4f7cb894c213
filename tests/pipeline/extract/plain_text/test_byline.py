"""Date and authors of copied text."""

from datetime import UTC, datetime

import pytest

from pipeline.document import Extraction
from pipeline.extract.plain_text.byline import is_masthead_line
from pipeline.extract.plain_text.extract import extract_text
from pipeline.settings import Settings

NOW = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)


def read(text: str, title: str | None = None) -> Extraction:
    return extract_text(text, "file:///copy.txt", NOW, Settings(), title=title)


@pytest.mark.parametrize(
    ("line", "published", "authors"),
    [
        ("Staff Writer | 2024-02-21", datetime(2024, 2, 21, tzinfo=UTC), ()),
        ("Published: March 3, 2024 10:15 GMT", datetime(2024, 3, 3, 10, 15, tzinfo=UTC), ()),
        ("Updated 2024-03-03T10:15:00Z", datetime(2024, 3, 3, 10, 15, tzinfo=UTC), ()),
        ("Published: 2031-01-01", None, ()),
        ("By Jane Doe and John Smith", None, ("Jane Doe", "John Smith")),
    ],
)
def test_dates_and_names_beside_the_headline(
    line: str, published: datetime | None, authors: tuple[str, ...]
) -> None:
    story = (
        "The harbour council voted on Monday to let the old ferry sail for one more winter, its chair said."
    )
    extraction = read(f"Council lets old ferry sail one more winter\n{line}\n\n{story}\n")
    assert extraction.title == "Council lets old ferry sail one more winter"
    assert (extraction.published_at, extraction.authors) == (published, authors)
    assert extraction.published_source == ("text" if published else None)


@pytest.mark.parametrize(
    ("line", "is_masthead"),
    [
        ("Monday, May 6, 2024", True),
        ("6. Mai 2024 um 10:15 Uhr", True),
        ("2024年5月6日", True),
        ("Home > News > Harbour", True),
        ("www.example.com", True),
        ("desk@example.com", True),
        ("By Jane Doe", True),
        ("By the harbour nobody slept", False),
        ("Council lets old ferry sail one more winter", False),
        ("On May 6, 2024 the ferry sailed", False),
    ],
)
def test_lines_of_a_masthead_are_told_by_their_form(line: str, is_masthead: bool) -> None:
    assert is_masthead_line(line) is is_masthead
