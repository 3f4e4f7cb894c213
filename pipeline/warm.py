"""What every worker needs and none changes, read once: imported by the process that workers are forked from.

A worker that had to read the language model and to compile the phrases itself would take a second of
processor time for its first page, and hold a hundred megabytes of its own; forked from here it shares them.
"""

from __future__ import annotations

import gc
from datetime import UTC, datetime

from pipeline.clean import compile_patterns, compile_rules
from pipeline.document import Document, MediaType, Origin
from pipeline.extract import article_lines, parse
from pipeline.process import process_document
from pipeline.settings import Settings
from pipeline.text import language_model

# Whatever a page of this kind brings into memory stays there.
_PAGE = """<html lang="en"><head><title>Harbour opens</title></head><body><article><h1>Harbour opens</h1>
<p>The harbour of the town was opened again on Monday after repairs that took the whole of the winter.</p>
<p>Three ships had been waiting outside, the harbour master said, and a fourth was on its way.</p>
</article></body></html>"""


def warm_up() -> None:
    """Take a page and a text through the pipeline; what that made is no garbage and need not be looked at."""
    compile_rules()
    compile_patterns()
    for media_type in (MediaType.HTML, MediaType.TEXT):
        process_document(
            Document(
                location="warm",
                url="https://warm.example/",
                body=_PAGE.encode(),
                media_type=media_type,
                fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
                origin=Origin.FILE,
            ),
            Settings(),
        )
    language_model()  # of languages, for texts whose words do not settle it
    article_lines(parse(_PAGE))  # Trafilatura, for the pages of which the model is not sure
    gc.collect()
    gc.freeze()


warm_up()
