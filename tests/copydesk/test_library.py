"""`import copydesk`: what programs may use, and that it costs nothing until they do."""

from __future__ import annotations

import subprocess
import sys

import pytest
from datasketch import LeanMinHash, MinHash

import copydesk
from pipeline.errors import OperatorError
from storage import reader
from storage.database import open_database


def test_everything_named_is_there() -> None:
    for name in copydesk.__all__:
        assert getattr(copydesk, name).__doc__, name
    assert set(copydesk.__all__) <= set(dir(copydesk))
    with pytest.raises(AttributeError, match="no attribute 'minhash'"):
        copydesk.minhash  # noqa: B018


def test_a_program_makes_the_stored_signature_itself(news_url: str) -> None:
    engine = open_database(news_url, create=False)
    stored = next(reader.articles(engine))
    hashes = copydesk.shingle_hashes(stored.text)
    whole = MinHash(24, seed=1, scheme="affine32", hashfunc=lambda h: h)
    lead = MinHash(24, seed=2, scheme="affine32", hashfunc=lambda h: h)
    whole.update_batch(hashes)
    lead.update_batch(hashes[:60])
    with copydesk.open(news_url) as db:
        found = db.sketch(stored.id)
    assert found is not None
    assert (found.whole, found.lead) == (LeanMinHash(whole), LeanMinHash(lead))
    assert found == copydesk.sketch(stored.text)


def test_sketches_of_a_database(news_url: str) -> None:
    with copydesk.open(news_url) as db:
        found = dict(db.sketches())
        assert len(found) > 10
        assert all(db.sketch(id) == sketch for id, sketch in found.items())
        assert db.sketch(max(found) + 1) is None


def test_text_without_words() -> None:
    assert copydesk.sketch("…") is None
    assert copydesk.shingle_hashes("…").size == 0


def test_the_database_is_named_by_the_environment(news_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_DB", news_url)
    with copydesk.open() as db:
        assert next(db.sketches())
    monkeypatch.setenv("COPYDESK_DB", "sqlite:///no/such/file.db")
    with pytest.raises(OperatorError):
        copydesk.open()


def test_importing_it_imports_nothing_else() -> None:
    program = "import sys, copydesk; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = {name.split(".")[0] for name in done.stdout.split()}
    assert not imported & {"datasketch", "numpy", "sqlalchemy", "pipeline", "storage", "typer"}
