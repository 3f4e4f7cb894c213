"""Invented earlier crawls: a history of sites to judge a crawl by."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert

from storage import schema, writer
from storage.schema import SiteRun


def remember(
    engine: Engine, at: datetime, site: str, *, command: str = "scrapy crawl news", **figures: Any
) -> int:
    """Stores a crawl of one site that began then; returns its run. Figures that are not given are zero."""
    run = writer.start_run(engine, command, at)
    nothing: dict[str, Any] = {f.name: 0 for f in fields(SiteRun) if f.name not in ("started_at", "alerts")}
    values = {**nothing, "ended": "finished", "words": None, "reasons": {}, **figures}
    with engine.begin() as connection:
        connection.execute(insert(schema.site_run), [{**values, "run_id": run, "site": site}])
    writer.finish_run(engine, run, None, at)
    return run
