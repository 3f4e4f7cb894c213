"""The short form: a few kills of ingests and `watch run` on both databases; what is told twice is found."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from storage import schema
from storage.database import begin_write
from storage.watching import Rule, add_watchlist, claim, delivered, match_news
from tests.chaos import watching
from tests.chaos.round import ChaosError
from tests.storage.news import START, store, wire
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]


def test_each_story_is_told_once_and_delivered_whatever_is_killed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--rounds", "0", "--seed", "8", "--kills", "4"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(re.findall(r"^watchlists, (\w+): (\d+) kills .* told once each", done.stdout, re.MULTILINE))
    assert counts.keys() == {"sqlite", "postgresql"}
    assert all(int(kills) >= 4 for kills in counts.values())


def test_what_is_told_twice_or_not_at_all_is_found(engine: Engine, tmp_path: Path) -> None:
    for n, query in enumerate(watching._QUERIES):
        tells = ("story", "copies") if n % 2 else ("story",)
        sites = 2 if n == len(watching._QUERIES) - 1 else None
        add_watchlist(engine, Rule(f"list {n}", query, min_sites=sites, tells=tells, ways=("mail:x",)), START)
    store(engine, wire(30))
    match_news(engine, START)
    assert watching._judge(engine)["story"] > 0
    made = schema.notification
    with begin_write(engine) as connection:
        first = connection.scalar(select(made.c.id).where(made.c.kind == "story").limit(1))
        connection.execute(update(made).where(made.c.id == first).values(kind="outlets"))
    with pytest.raises(ChaosError, match=r"not each of .* once"):
        watching._judge(engine)

    received = tmp_path / "received.jsonl"
    with pytest.raises(ChaosError, match="not everything was delivered"):
        watching._judge_received(engine, received)
    dues = claim(engine, datetime.now(UTC) + timedelta(days=1), 1000)
    for due in dues:
        delivered(engine, [due], START)
    messages = [f'{{"id": "{due.id}"}}' for due in dues]
    received.write_text("".join(messages[1:]))
    with pytest.raises(ChaosError, match="1 messages never came"):
        watching._judge_received(engine, received)
    received.write_text("".join([*messages, messages[0]]))
    assert watching._judge_received(engine, received) == (len(dues) + 1, 1)
