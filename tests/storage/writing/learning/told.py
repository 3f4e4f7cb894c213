"""Invented articles with repeated lines, and the rows of learning in a comparable form."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, func, select

from pipeline.document import Article
from storage import reader, schema
from storage.database import begin_write
from storage.writing.learning import learn, sightings, site_lines
from tests.storage.news import START, article, story

FURNITURE = "Stay ahead of the tide: become a Harbour Friend today."


SITE = "post.example"


def told(
    number: int, *lines: str, site: str = SITE, seed: int | None = None, at: Any = START, **changes: Any
) -> Article:
    """An article with a story of its own (chosen by the seed) and these lines at its end."""
    text = "\n".join((story(1000 + number if seed is None else seed, 60), *lines))
    title = changes.pop(
        "title", f"{'abcdefghij'[number % 10]}{'klmnopqrst'[number // 10 % 10]} comes to town"
    )
    url, body = f"https://{site}/{number}", f"<p>{at} {text}"
    return article(url, text, at, site=site, title=title, removed=(), body=body, **changes)


def lines_of(engine: Engine) -> set[tuple[str, str, int]]:
    return {(line.site, line.text, line.stories) for line in site_lines(engine)}


def state(engine: Engine) -> dict[str, Any]:
    """All rows of learning, without ids."""
    with engine.connect() as connection:
        blocks = {row.id: (row.site, row.quarter) for row in connection.execute(select(schema.sight_block))}
        urls = {
            row.id: row.url for row in connection.execute(select(schema.article.c.id, schema.article.c.url))
        }
        sightings = {
            (urls[row.article_id], blocks[row.block_id], row.title, row.lines)
            for row in connection.execute(select(schema.sighting))
        }
        learned = {
            (blocks[row.block_id], row.hash, row.stories, row.is_shared)
            for row in connection.execute(select(schema.learned_line))
        }
        assert {row.example for row in connection.execute(select(schema.learned_line))} <= urls.keys()
        assert not connection.scalar(
            select(func.count()).select_from(schema.sight_block).where(schema.sight_block.c.changes > 0)
        )
    return {"blocks": set(blocks.values()), "sightings": sightings, "learned": learned}


def anew(engine: Engine) -> dict[str, Any]:
    """The state after counting all articles from the beginning, in the same database."""
    with begin_write(engine) as connection:
        for table in (schema.sighting, schema.sight_block, schema.learned_line):
            connection.execute(table.delete())
        connection.execute(schema.counter.delete().where(schema.counter.c.name == sightings.CURSOR))
    learn(engine)
    return state(engine)


def id_of(engine: Engine, made: Article) -> int:
    found = reader.article_by_url(engine, made.url)
    assert found is not None
    return found.id
