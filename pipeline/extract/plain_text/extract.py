"""The recipe for copied text: repair, paragraphs, headline and masthead, date and authors."""

from __future__ import annotations

from datetime import datetime

from pipeline.document import Block, DocumentRejected, Extraction, Reason, Removed, Stage
from pipeline.extract.plain_text.byline import authors_in, published_in
from pipeline.extract.plain_text.headline import HEAD_LINES, find_headline, make_headline, stated_headline
from pipeline.extract.plain_text.paragraphs import paragraphs_of
from pipeline.extract.plain_text.text_repair import repair_text
from pipeline.settings import Settings
from pipeline.text import WORD, identify_language, words_key


def extract_text(
    text: str, url: str, fetched_at: datetime, settings: Settings, *, title: str | None = None
) -> Extraction:
    """Extracts headline, paragraphs, date and authors of copied text.

    title: the headline, if the source states it; the text is then only searched for its repetition.
    fetched_at: aware UTC; no date found is later. url, settings: not used; as for a page.

    Raises DocumentRejected where the text has no words.
    """
    del url, settings
    paragraphs = paragraphs_of(repair_text(text))
    if not any(WORD.search(paragraph.text) for paragraph in paragraphs):
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, "no words in the text")
    stated = " ".join(repair_text(title).split()) if title else ""
    begin, headline = stated_headline(paragraphs, stated) if stated else find_headline(paragraphs)
    masthead, body = paragraphs[:begin], paragraphs[begin:]
    removed = [Removed(0, paragraph.text, "copied.masthead") for paragraph in masthead]
    key = words_key(headline)
    titles = [paragraph for paragraph in body[:HEAD_LINES] if key and words_key(paragraph.text) == key]
    # The headline has a field of its own; only what repeats it is clutter.
    removed += [Removed(0, paragraph.text, "copied.repeated-title") for paragraph in titles[1:]]
    story = [p for n, p in enumerate(body) if n >= HEAD_LINES or p not in titles] or body
    published = published_in(story[:HEAD_LINES], fetched_at)
    return Extraction(
        blocks=tuple(Block(p.kind, p.text, p.link_density) for p in story),
        title=headline or make_headline(story),
        removed=tuple(removed),
        authors=authors_in(story[:HEAD_LINES]),
        published_at=published.at if published else None,
        published_offset=published.offset if published else None,
        published_source="text" if published else None,
        language=identify_language(" ".join([headline, *(p.text for p in story)])),
    )
