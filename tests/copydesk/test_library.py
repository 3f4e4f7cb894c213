"""`import copydesk`: what programs may use, and that it costs nothing until they do."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import copydesk
from pipeline.errors import OperatorError
from storage import reader
from storage.database import open_database
from tests.copydesk.conftest import FERRY, NEWS
from tests.crawler.web import Page, article, rss, serve


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
    from datasketch import LeanMinHash, MinHash

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


PAGE = (NEWS / FERRY).read_text(encoding="utf-8")
QUICK_CRAWL = {"COPYDESK_ALLOW_LOOPBACK": "1", "NO_PROXY": "*"}


def test_a_page_is_extracted() -> None:
    article = copydesk.extract(PAGE, url="https://gazette.example/ferry")
    assert "ran aground" in article.text
    assert article.url == "https://gazette.example/ferry"
    assert article.removed
    assert copydesk.extract(PAGE.encode()).text == article.text
    assert "PageBytes" not in repr(article)


@pytest.mark.parametrize(
    ("page", "reason"),
    [("", "empty"), (b"%PDF-1.7\n\0\1", "unsupported type"), ("<p>Nothing</p>", "no article")],
)
def test_a_page_without_an_article_says_why(page: str | bytes, reason: str) -> None:
    with pytest.raises(copydesk.DocumentRejected) as found:
        copydesk.extract(page)
    assert found.value.reason == reason
    assert found.value.detail


def test_no_date_of_publication_is_after_the_fetch() -> None:
    page = '<meta property="article:published_time" content="2026-03-05T10:00:00Z">' + f"<p>{PAGE}</p>"
    later = copydesk.extract(page, fetched_at=datetime(2026, 3, 6))  # noqa: DTZ001
    assert later.published_at == datetime(2026, 3, 5, 10, tzinfo=UTC)
    earlier = copydesk.extract(page, fetched_at=datetime(2026, 3, 4, tzinfo=UTC))
    assert earlier.published_at is None or earlier.published_at <= datetime(2026, 3, 4, tzinfo=UTC)


def test_an_extractor_can_be_named() -> None:
    assert copydesk.extract(PAGE, extractor="trafilatura").rules_version.endswith("-trafilatura")
    with pytest.raises(copydesk.OperatorError, match="write one of"):
        copydesk.extract(PAGE, extractor="newspaper")


def test_files_and_records_are_stored_and_read(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/own.db"
    done = copydesk.ingest(NEWS / "copied", db, workers=1)
    assert done.counts.stored == done.counts.seen > 1
    assert copydesk.ingest([NEWS / "copied"], db, workers=1).counts.unchanged == done.counts.seen
    records = ({"url": f"https://gazette.example/{n}", "text": PAGE, "title": f"Part {n}"} for n in range(3))
    assert copydesk.ingest(records, db, workers=1).counts.stored == 3
    bad = copydesk.ingest([{"url": "https://gazette.example/none"}], db, workers=1)
    assert bad.counts.reasons == {"malformed record": 1}
    with copydesk.open(db) as opened:
        (one,) = opened.articles(site="gazette.example", limit=1)
        assert opened.article(one.id) == opened.article(one.url) == one
        assert len(list(opened.articles())) == done.counts.stored + 3
        assert len(list(opened.articles(unique=True))) < done.counts.stored + 3
        assert not list(opened.articles(changed_since=datetime(2100, 1, 1)))  # noqa: DTZ001
        assert list(opened.articles(changed_since="1h", site="gazette.example"))
        assert {hit.article.site for hit in opened.search("ferry", site="gazette.example")} == {one.site}
        changes = list(opened.changes())
        assert len(changes) == done.counts.stored + 3
        assert not list(opened.changes(after=changes[-1].change))
        assert opened.copies(one.id)
        with pytest.raises(copydesk.OperatorError):
            opened.search("-ferry")
        stories = list(opened.stories())
        assert [one.time for one in stories] == sorted((one.time for one in stories), reverse=True)
        (shared,) = opened.stories(site="gazette.example", min_size=2)
        assert {member.site for member in opened.members(shared.id)} >= {"gazette.example"}
        assert len(list(opened.stories(limit=1))) == 1
        for wrong in ({"site": "nobody.example"}, {"since": "soon"}, {"sort": "colour"}):
            with pytest.raises(copydesk.OperatorError):
                list(opened.stories(**wrong))  # type: ignore[arg-type]


def test_a_folder_is_made_and_loaded(tmp_path: Path) -> None:
    out, urls = tmp_path / "out", [f"sqlite:///{tmp_path}/{name}.db" for name in ("ingested", "loaded")]
    made = copydesk.backfill(NEWS / "copied", out, workers=1)
    again = copydesk.backfill([NEWS / "copied"], str(out))
    assert (made.is_new, again.is_new, again.manifest) == (True, False, made.manifest)
    ingested, loaded = copydesk.ingest(NEWS / "copied", urls[0], workers=1), copydesk.load(out, urls[1])
    assert loaded.counts.stored == ingested.counts.stored == made.manifest.counts["documents"]["stored"] > 1
    stored = []
    for url in urls:
        with copydesk.open(url) as db:
            stored.append(list(db.articles()))
    assert stored[0] == stored[1]
    merged = copydesk.load(out, urls[0])
    assert merged.merged
    assert merged.counts.unchanged == merged.counts.seen


def test_mistakes_of_a_backfill(tmp_path: Path) -> None:
    for wrong in ({"engine": "flink"}, {"master": "local[1]"}):
        with pytest.raises(copydesk.OperatorError):
            copydesk.backfill(NEWS / "copied", tmp_path / "out", **wrong)  # type: ignore[arg-type]
    with pytest.raises(copydesk.OperatorError, match="not the folder of a backfill"):
        copydesk.load(tmp_path, f"sqlite:///{tmp_path}/none.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mixed", [["a.txt", {"text": "b"}], [{"text": PAGE}, "a.txt"]])
def test_paths_and_records_are_not_mixed(tmp_path: Path, mixed: list[Any]) -> None:
    with pytest.raises(copydesk.OperatorError, match="paths alone, or records alone"):
        copydesk.ingest(mixed, f"sqlite:///{tmp_path}/own.db", workers=1)


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(copydesk.OperatorError, match="no such file"):
        copydesk.ingest(tmp_path / "none", f"sqlite:///{tmp_path}/own.db")


def test_texts_are_compared() -> None:
    text = copydesk.extract(PAGE).text
    half = "\n".join(text.splitlines()[:5])
    found = copydesk.compare(text, f"{half}\nA new line of the town of Westerby itself.")
    assert found.is_copy
    assert found.refusal is None
    assert found.containment > 0.9 > found.jaccard
    assert [change.copy for change in found.differences.changes if change.kind == "added"] == [
        "A new line of the town of Westerby itself."
    ]
    other = copydesk.compare(text, "The council voted on the tram. " * 4)
    assert not other.is_copy
    assert other.refusal


def test_sites_are_crawled_in_any_number_of_crawls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in QUICK_CRAWL.items():
        monkeypatch.setenv(name, value)
    db = f"sqlite:///{tmp_path}/own.db"
    with serve() as web:
        web.pages["/rss.xml"] = Page(rss([f"{web.base}/{n}" for n in range(3)]), "application/rss+xml")
        for number in range(3):
            web.pages[f"/{number}"] = Page(article(number))
        sites = tmp_path / "sites.toml"
        sites.write_text(
            f'[sites.gazette]\nname = "Gazette"\nhomepage = "{web.base}/"\nfeeds = ["{web.base}/rss.xml"]\n'
            "[sites.gazette.politeness]\ndelay = 0\n"
        )
        first = copydesk.crawl("gazette", db, sites_file=sites, workers=1)
        again = copydesk.crawl(["gazette"], db, sites_file=sites, workers=1)
    assert (first.counts.stored, first.finish_reason) == (3, "finished")
    assert again.counts.stored == 0
    with pytest.raises(copydesk.OperatorError, match="herald"):
        copydesk.crawl("herald", db, sites_file=sites)
