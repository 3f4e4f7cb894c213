"""Loads models and compiles rules in the process that workers are forked from (forkserver preload).

Workers share this memory. Otherwise each worker would load the language model and compile the phrases
itself, which delays its first page and takes memory of its own. docs/tuning.md: Shared memory of workers
"""

from __future__ import annotations

import gc
from datetime import UTC, datetime

from pipeline.clean import compile_patterns, compile_rules
from pipeline.document import Document, MediaType, Origin
from pipeline.process import process_document
from pipeline.settings import Settings
from pipeline.text import language_model

# Processing this page loads what pages need: rules, the block model, Trafilatura.
_PAGE = """<html lang="en"><head><title>Harbour opens</title></head><body><article><h1>Harbour opens</h1>
<p>The harbour of the town was opened again on Monday after repairs that took the whole of the winter.</p>
<p>Three ships had been waiting outside, the harbour master said, and a fourth was on its way.</p>
</article></body></html>"""


def warm_up() -> None:
    """Processes a page and a text, then calls gc.freeze, so that memory stays shared after a fork."""
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
    language_model()  # for texts whose function words do not decide the language
    gc.collect()
    gc.freeze()


warm_up()
