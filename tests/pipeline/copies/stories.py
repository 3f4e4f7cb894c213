"""A story, a rival's account of it, and how a test makes an article of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.copies.article_copy import ArticleCopy

NOON = datetime(2024, 5, 14, 12, tzinfo=UTC)

FERRY = [
    "The harbour board of Port Alba said on Tuesday that it would close two of its seven ferry terminals, "
    "citing a 12.5 per cent fall in passengers since 2019.",
    "Chairwoman Ines Moreau told reporters that the board had lost 4,300,000 crowns last year and could not "
    "keep empty piers open through another winter.",
    "“We have waited for the summer crowds, and they did not come back,” she said. “The islands will "
    "still be served, but by fewer boats and from fewer places.”",
    "The terminals at Gull Point and Old Salt Street would close on September 30, with 146 jobs lost, the "
    "board said in a statement. A shuttle bus is to carry commuters to the central pier.",
    "Unions called the plan a blow to the outer islands and promised to fight it. Deckhands' leader Tomas "
    "Lindqvist said that members would vote on a strike within a fortnight.",
    "The board, founded in 1871, runs 31 vessels and carried 9.8 million passengers at its peak. Its debt "
    "was rated one notch above junk in March.",
]
# Another reporter's account of the same morning.
RIVAL = (
    "Commuters on Alba's outer islands face longer journeys after port managers announced the closure of the "
    "Gull Point and Old Salt Street piers.\nPassenger numbers have dropped 12.5 per cent since 2019, board "
    "chair Ines Moreau said, leaving a loss of 4.3 million crowns. Nearly 150 people will lose their jobs "
    "when the gates shut on September 30.\nTomas Lindqvist, who speaks for deckhands, said a strike ballot "
    "was likely. Buses will replace the boats, according to the plan, which was presented at a noisy meeting."
)


def story(text: str | Sequence[str], *, days: float | None = 0.0, id: int = 1, **more: object) -> ArticleCopy:
    body = text if isinstance(text, str) else "\n".join(text)
    published = None if days is None else NOON + timedelta(days=days)
    return replace(
        ArticleCopy(id=id, url=f"https://a.example/{id}", title="", text=body, fetched_at=NOON),
        published_at=published,
        **more,  # type: ignore[arg-type]
    )


def edited(paragraphs: list[str], old: str, new: str) -> list[str]:
    assert any(old in p for p in paragraphs)
    return [p.replace(old, new) for p in paragraphs]
