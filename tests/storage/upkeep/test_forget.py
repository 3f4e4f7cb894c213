"""Forgotten articles are deleted everywhere, and are not stored again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, select

from pipeline.document import Article, Outcome, Reason
from storage import schema
from storage.base import space
from storage.upkeep import ForgetTarget, Forgotten, erase_remains, find_targets, lift_tombstones, plan_forget
from storage.upkeep import forget as forgetting
from storage.watching import Rule, add_watchlist, match_news
from storage.writing.tombstones import withheld_urls
from tests.storage.news import START, article, contents, cut, rejection, store, story, view, wire
from tests.storage.upkeep.rows_of_tables import rows, values
from tests.storage.upkeep.spellings import gone


def test_a_forgotten_article_is_gone_from_every_table(engine: Engine) -> None:
    url = "https://a.example/1"
    old, new = story(1), story(2)
    alone: list[Outcome] = [
        article(url, old, START),
        article(url, new, START + timedelta(days=1)),
        article(url, new, START + timedelta(days=2), location="saved/1.html", body="other bytes"),
        rejection(url, START + timedelta(days=3)),
        rejection("saved/1.html", START + timedelta(days=3), url="file:///saved/1.html"),
    ]
    kept: list[Outcome] = [
        article("https://b.example/1", cut(new, 0.8), START),
        article("https://b.example/2", cut(new, 0.7), START + timedelta(hours=1)),
        rejection("https://b.example/list"),
    ]
    store(engine, [*kept, *alone])
    plan = plan_forget(engine, find_targets(engine, [url]))
    assert (plan.articles, plan.revisions, plan.pages, plan.rejections, plan.copies) == (1, 1, 4, 2, 2)
    assert plan.sites == (("a.example", 1),)
    assert plan.samples == ((url, "Title"),)

    assert gone(engine, url) == Forgotten(1, 2, is_interrupted=False)

    with_it = contents(engine)
    assert with_it["articles"].keys() == {"https://b.example/1", "https://b.example/2"}
    assert with_it["groups"] == {frozenset(with_it["articles"])}
    ids = {row["id"] for row in view(engine, "articles")}
    for column in (
        schema.document.c.article_id,
        schema.removal.c.article_id,
        schema.signature.c.article_id,
        schema.band.c.article_id,
    ):
        assert values(engine, column) == ids, column
    assert rows(engine, "revision") == 0
    assert values(engine, schema.page.c.location) == {o.location for o in kept}
    assert values(engine, schema.rejection.c.location) == {"https://b.example/list"}


def test_a_page_with_a_different_text_at_the_same_site_stays(engine: Engine) -> None:
    near = [
        article("https://a.example/s/1?id=2", story(1)),
        article("https://a.example/s/10", story(2)),
        article("https://a.example/S/1", story(3)),
        article("https://news.a.example/s/1", story(4)),
        article("https://other.example/s/1", story(5), syndicated_from="https://a.example/s/1"),
    ]
    store(engine, near)
    assert gone(engine, "https://a.example/s/1") == Forgotten(0, 0, is_interrupted=False)
    assert len(view(engine, "articles")) == 5
    assert store(engine, near).unchanged == 5


def test_a_site_is_forgotten_with_its_subdomains(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "_ARTICLES_AT_ONCE", 3)
    stays: list[Outcome] = [
        article("https://notsite1.example/1", story(50)),
        article("https://site1.example.org/1", story(51)),
        rejection("https://other.example/?u=site1.example"),
    ]
    under: list[Outcome] = [
        article("https://news.site1.example/1", story(52)),
        rejection("https://site1.example/list"),
        rejection("feed.jsonl#2", url="https://WWW.site1.example/x"),
    ]
    copies = wire(40)
    others = [o for o in copies if "site1.example" not in o.url]
    assert len(others) < 38
    fresh: list[Outcome] = [*stays, *others]
    store(engine, [*stays, *under, *copies])
    plan = plan_forget(engine, find_targets(engine, [], ["https://www.Site1.example/about"]))
    assert plan.articles == 41 - len(others)
    assert plan.rejections == 2
    assert dict(plan.sites) == {"site1.example": 40 - len(others), "news.site1.example": 1}
    assert 0 < plan.copies <= len(others)

    told: list[int] = []
    first = gone(engine, sites=("site1.example",), advance=told.append, is_stopped=lambda: len(told) > 0)
    assert first == Forgotten(3, 0, is_interrupted=True)
    late = article("https://site1.example/late", story(60))
    assert store(engine, [late]).reasons == {Reason.FORGOTTEN: 1}, "nothing of it comes in any more"
    second = gone(engine, sites=("site1.example",))
    assert second.articles == plan.articles - 3
    assert not second.is_interrupted

    after = contents(engine)
    assert after["articles"].keys() == {o.url for o in fresh if isinstance(o, Article)}
    assert {at for at, _, reason, *_ in after["rejections"] if reason != "forgotten"} == {stays[2].location}
    assert rows(engine, "page") == len(fresh)
    ids = {row["id"] for row in view(engine, "articles")}
    assert values(engine, schema.band.c.article_id) <= ids
    assert withheld_urls(engine, ["https://x.site1.example/", "https://site2.example/"]) == {
        "https://x.site1.example/"
    }
    assert lift_tombstones(engine, ForgetTarget(sites=("site1.example",))) == ["site1.example"]
    counts = store(engine, copies)
    assert counts.stored == 40 - len(others)


def test_groups_are_as_if_a_forgotten_site_had_never_been(engine: Engine, tmp_path: Path) -> None:
    from storage.database import open_database

    copies = wire(60, seed=3)
    store(engine, copies, batch=7)
    gone(engine, sites=("site2.example", "site5.example"))
    fresh = open_database(f"sqlite:///{tmp_path / 'fresh.db'}")
    store(fresh, [o for o in copies if o.site not in ("site2.example", "site5.example")])
    assert contents(engine) == contents(fresh)
    fresh.dispose()


def test_the_state_of_crawls_is_deleted(engine: Engine) -> None:
    from storage.crawls.revisits import Validators
    from storage.writer import put_fetch_states

    urls = ["https://a.example/1", "http://www.a.example/1/", "https://a.example/feed", "https://b.example/1"]
    put_fetch_states(engine, dict.fromkeys(urls, Validators()), START)
    gone(engine, "https://a.example/1")
    assert values(engine, schema.fetch_state.c.url) == set(urls[2:])
    gone(engine, sites=("a.example",))
    assert values(engine, schema.fetch_state.c.url) == {"https://b.example/1"}


def test_a_forgotten_article_is_marked_as_gone_in_the_changes(engine: Engine) -> None:
    store(engine, [article("https://a.example/1", story(1)), article("https://a.example/2", story(2))])
    seen = max(row["change"] for row in view(engine, "changes"))
    gone(engine, "https://a.example/2")
    (row,) = [row for row in view(engine, "changes") if row["change"] > seen]
    assert (row["article_id"], row["kind"]) == (2, "gone")


def files_of(engine: Engine) -> bytes:
    path = Path(make_url(str(engine.url)).database or "")
    return b"".join(p.read_bytes() for p in (path, path.with_name(f"{path.name}-wal")) if p.exists())


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("way", ["erased", "rewritten"])
def test_nothing_of_a_forgotten_text_is_left_in_the_file(engine: Engine, way: str) -> None:
    url = "https://a.example/1"
    word, older = "Quizzaciously", "Xylotomously"
    others = [article(f"https://b.example/{n}", story(n, 300), START) for n in range(60)]
    text = f"{story(70)}\n{word} said the harbour master"
    store(
        engine,
        [*others[:30], article(url, f"{story(71, 2000)}\n{older} said the harbour master"), *others[30:]],
    )
    store(engine, [article(url, text, START + timedelta(hours=1))])
    # Full-text search stores words in lower case, without the prefix that they share with the word before.
    traces = [word.encode(), word[2:].encode()]
    assert all(trace in files_of(engine) for trace in (*traces, older.encode()))
    gone(engine, url)
    assert erase_remains(engine)
    assert not any(trace in files_of(engine) for trace in traces)
    if way == "rewritten":
        space.rewrite(engine)
        assert not any(trace in files_of(engine) for trace in (*traces, older.encode(), older[2:].encode()))
        assert space.disk_space(engine).free == 0
    assert len(view(engine, "articles")) == 60


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_reader_of_the_log_keeps_it_from_being_emptied(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "_WAIT", 0.0)
    store(engine, [article("https://a.example/1", story(1))])
    with engine.connect() as reading:
        reading.execute(select(schema.article)).all()
        gone(engine, "https://a.example/1")
        assert not erase_remains(engine)
    assert erase_remains(engine)


def test_what_was_to_be_told_of_a_forgotten_article_is_gone(engine: Engine) -> None:
    url = "https://a.example/1"
    rule = Rule("ferries", "ferry", tells=("copies", "removals"), ways=("mail:a@b.example",))
    add_watchlist(engine, rule, START)
    text = f"The ferry was secretly sold. {story(1)}"
    store(engine, [article(url, text, START), article("https://b.example/1", story(2) + " A ferry.", START)])
    assert rows(engine, "notification") == rows(engine, "delivery") == rows(engine, "watch_match") == 2

    gone(engine, url)
    assert rows(engine, "notification") == rows(engine, "delivery") == 1
    match_news(engine)
    bodies = sorted(values(engine, schema.notification.c.kind))
    assert bodies == ["removal", "story"]
    assert rows(engine, "watch_match") == 1
    with engine.connect() as connection:
        said = connection.execute(select(schema.notification.c.body, schema.notification.c.kind)).all()
    assert [row.body["article"] for row in said if row.kind == "removal"] == [{"url": url}]
    assert "secretly" not in str(said)
