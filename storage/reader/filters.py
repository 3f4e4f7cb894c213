"""Which articles are meant: one filter for lists, searches, changes, exports and stories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    FromClause,
    cast,
    func,
    literal,
    not_,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Text

from storage.base import storable_name


@dataclass(frozen=True, slots=True)
class ArticleFilter:
    """Articles that meet every condition that is given.

    sites: of one of these, each as the column `site` has it; all sites for none. language, agency: as in
    their columns. since, until: published from then on, and before then; articles without a date are in
    neither. changed_since: their text is new or changed from then on (`updated_at`). exclude_reserved:
    without those of which a statement in `rights` reserves the text or a use of it.
    """

    sites: tuple[str, ...] = ()
    language: str | None = None
    agency: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    changed_since: datetime | None = None
    exclude_reserved: bool = False

    def conditions(self, engine: Engine, table: FromClause) -> list[ColumnElement[bool]]:
        """The filter in SQL. table: the table or the view of articles."""
        return list(self._conditions(engine, table.c))

    def _conditions(self, engine: Engine, columns: Any) -> Iterator[ColumnElement[bool]]:
        if len(self.sites) == 1:
            yield columns.site == storable_name(self.sites[0])
        elif self.sites:
            yield columns.site.in_([storable_name(site) for site in self.sites])
        if self.language is not None:
            yield columns.language == storable_name(self.language)
        if self.agency is not None:
            yield columns.agency == storable_name(self.agency)
        if self.since is not None:
            yield columns.published_at >= self.since
        if self.until is not None:
            yield columns.published_at < self.until
        if self.changed_since is not None:
            yield columns.updated_at >= self.changed_since
        if self.exclude_reserved:
            yield _without_reservation(engine, columns.rights)


EVERY_ARTICLE = ArticleFilter()


def _without_reservation(engine: Engine, rights: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether no statement in the column `rights` reserves the article; also true where nothing is said."""
    if engine.dialect.name == "postgresql":
        reserved = cast(literal('[{"reserved": true}]', Text()), JSONB)
        return or_(rights.is_(None), not_(type_coerce(rights, JSONB).bool_op("@>")(reserved)))
    statement = func.json_each(rights).table_valued("value")
    reserves = func.json_extract(statement.c.value, "$.reserved") == 1
    return not_(select(literal(1)).select_from(statement).where(reserves).exists())
