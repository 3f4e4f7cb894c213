"""Digests of the pipeline's outcomes on all pages in tests/pages and examples, recorded in outcomes.json.

    python -m tests.outcomes

records them again. A stored row names the revision of the code that made it, so the same revision must give
the same rows: recording is refused while RULES_REVISION (or FINGERPRINT_REVISION, for fingerprints) is the
recorded one and a digest is different. Raise it in pipeline/settings.py first. Rule data (clutter.toml and
the like) changes `rules_version` by itself, so digests may be recorded again after such a change.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.document import Article, Document, Outcome
from pipeline.process import process_document
from pipeline.settings import FINGERPRINT_REVISION, Settings
from tests.known_pages import ROOT, copied_texts, examples, written_articles, written_rejections

RECORDED = Path(__file__).with_name("outcomes.json")

# Fields that a revision does not name (search words), that have a digest of their own (fingerprint), or that
# depend on where and when the repository was checked out.
_LEFT_OUT = frozenset({"page", "rules_version", "search_words", "fingerprint", "location", "at"})


def documents(settings: Settings) -> Iterator[Document]:
    """Every document of tests/pages and examples that can be read, in a fixed order."""
    for known in (*written_articles(), *written_rejections(), *copied_texts(), *examples(settings)):
        if isinstance(known.source, Document):
            yield known.source


def current() -> dict[str, Any]:
    """The versions of the present code, and a digest of each field over all outcomes."""
    settings = Settings()
    outcomes = [process_document(document, settings) for document in documents(settings)]
    return {
        "rules_version": settings.rules_version,
        "fingerprint_revision": FINGERPRINT_REVISION,
        "outcomes": {name: _digest(values) for name, values in sorted(_by_field(outcomes).items())},
        "fingerprints": _digest(
            [
                (outcome.fingerprint.signature.hex(), outcome.fingerprint.bands)
                for outcome in outcomes
                if isinstance(outcome, Article) and outcome.fingerprint is not None
            ]
        ),
    }


def _by_field(outcomes: list[Outcome]) -> dict[str, list[Any]]:
    fields: dict[str, list[Any]] = {}
    for number, outcome in enumerate(outcomes):
        kind = type(outcome).__name__.lower()
        for name, value in asdict(outcome).items():
            if name not in _LEFT_OUT:
                fields.setdefault(f"{kind}.{name}", []).append((number, value))
    return fields


def _digest(values: list[Any]) -> str:
    text = json.dumps(values, default=str, sort_keys=True).replace(ROOT.as_posix(), "")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def changes(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The fields with different outcomes under the same version."""
    names = sorted({*recorded["outcomes"], *now["outcomes"]})
    different = [name for name in names if recorded["outcomes"].get(name) != now["outcomes"].get(name)]
    found = different if recorded["rules_version"] == now["rules_version"] else []
    # The same text under the same revision must give the same fingerprint. Other texts may give others.
    is_same_text = "article.text" not in different
    if (
        is_same_text
        and recorded["fingerprint_revision"] == now["fingerprint_revision"]
        and recorded["fingerprints"] != now["fingerprints"]
    ):
        found = [*found, "article.fingerprint"]
    return found


def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDED.read_text("utf-8"))
    return found


def record() -> list[str]:
    """Writes the digests of the present code. Returns the fields that forbid it, and then writes nothing."""
    now = current()
    forbidden = changes(recorded(), now) if RECORDED.exists() else []
    if not forbidden:
        RECORDED.write_text(json.dumps(now, indent=1) + "\n", "utf-8")
    return forbidden


if __name__ == "__main__":
    if names := record():
        sys.exit(
            f"not recorded: {', '.join(names)} changed under the recorded revision;"
            " raise RULES_REVISION or FINGERPRINT_REVISION in pipeline/settings.py"
        )
    print(f"recorded in {RECORDED}")
