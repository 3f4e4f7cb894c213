"""What was removed: of one article, and by rule."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, and_, distinct, func, or_, select

from storage import schema
from storage.base import storable_name
from storage.reader.streaming import one_snapshot, stream
from storage.schema import RemovedLine


@dataclass(frozen=True, slots=True)
class RuleUse:
    """What a rule removed: lines of so many articles, and one of the lines."""

    rule: str
    lines: int
    articles: int
    example: str


def removed(engine: Engine, id: int) -> list[RemovedLine]:
    """What was removed from the article's current text, in the order of the page."""
    table = schema.removal
    query = select(table.c.article_id, table.c.position, table.c.rule, table.c.text).where(
        table.c.article_id == id
    )
    return list(stream(engine, query.order_by(table.c.line), RemovedLine))


def rules_used(engine: Engine) -> list[RuleUse]:
    """Every rule that removed something, the most used first; reads all removed lines."""
    table = schema.removal
    query = (
        select(
            table.c.rule,
            func.count().label("lines"),
            func.count(distinct(table.c.article_id)).label("articles"),
            func.min(table.c.text).label("example"),
        )
        .group_by(table.c.rule)
        .order_by(func.count().desc(), table.c.rule)
    )
    with one_snapshot(engine) as connection:
        return [RuleUse(*row) for row in connection.execute(query)]


def lines_of_rule(
    engine: Engine, rule: str, *, after: tuple[int, int] | None = None, limit: int = 50
) -> list[tuple[int, RemovedLine]]:
    """Lines that a rule removed, of the latest articles first, each with its number in its article.

    after: article and number of the line to go on behind.
    """
    table = schema.removal
    query = select(table.c.line, table.c.article_id, table.c.position, table.c.rule, table.c.text).where(
        table.c.rule == storable_name(rule)
    )
    if after is not None:
        article, line = table.c.article_id, table.c.line
        behind = and_(article == after[0], line > after[1])
        query = query.where(article <= after[0], or_(article < after[0], behind))
    query = query.order_by(table.c.article_id.desc(), table.c.line).limit(limit)
    with one_snapshot(engine) as connection:
        return [(line, RemovedLine(*row)) for line, *row in connection.execute(query)]
