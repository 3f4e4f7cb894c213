"""Measures what matching watchlists costs beside ingesting the same articles.

    python -m benchmarks.watchlists [--articles N] [--watchlists N] [--form texts|pages] [--rounds N]

Invented news (`benchmarks.newsroom`), as plain texts or as pages, goes from bytes to a SQLite file in this
process (`process_documents`, `write_batch`), which has so many watchlists; then `match_news` looks at all of
it. Texts are the harder comparison, because ingesting them costs least. Queries have one to four words,
quotations, alternatives, beginnings and exclusions. Words that are looked for alone are rare, as names are;
where several must occur, they may be frequent. Seconds are processor time.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from benchmarks.medians import Spread, spread
from benchmarks.newsroom import SITES, Newsroom
from crawler.runs.drive import BATCH_SIZE
from pipeline import process
from pipeline.document import Document
from pipeline.settings import Settings
from storage import writer
from storage.database import Engine, open_database
from storage.watching import Rule, add_watchlist, match_news

SETTINGS = Settings()
ARTICLES, WATCHLISTS, ROUNDS = 10_000, 1_000, 3
# The least ranks of words: rare ones are in one of some hundred articles, usual ones in one of ten or fewer.
_RARE, _USUAL = 12_000, 400


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds of one round; `told`: notifications that were made."""

    ingesting: float
    matching: float
    articles: int
    told: int

    @property
    def share(self) -> float:
        return self.matching / self.ingesting


def rules(words: Sequence[str], count: int, seed: int) -> Iterator[Rule]:
    """Watchlists of every form. words: the most frequent first."""
    chance = random.Random(seed)

    def word(least: int) -> str:
        return words[int(math.exp(chance.uniform(math.log(least), math.log(len(words)))))]

    forms = (
        lambda: word(_RARE),
        lambda: f"{word(_USUAL)} {word(_USUAL)}",
        lambda: f'"{word(_USUAL)} {word(_USUAL)}"',
        lambda: f"{word(_RARE)} OR {word(_RARE)}",
        lambda: f"{word(_RARE)[:5]}* {word(_USUAL)}",
        lambda: f"{word(_USUAL)} {word(_USUAL)} -{word(_USUAL)}",
        lambda: f'"{word(_USUAL)} {word(_USUAL)}" OR {word(_RARE)} {word(_USUAL)}',
    )
    for n in range(count):
        site = f"outlet{chance.randrange(SITES)}.example" if n % 10 == 0 else None
        sites = 2 if n % 7 == 0 else None
        tells = ("story", "copies") if n % 5 == 0 else ("story",)
        yield Rule(f"list {n}", forms[n % len(forms)](), site=site, min_sites=sites, tells=tells)


def one_round(documents: Sequence[Document], watched: Sequence[Rule]) -> Turn:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/watched.db")
        for rule in watched:
            add_watchlist(engine, rule, datetime.now(UTC))
        ingesting, articles = _ingest(engine, documents)
        began = time.process_time()
        done = match_news(engine)
        matching = time.process_time() - began
        engine.dispose()
    assert done.news == articles, "every article is news"
    return Turn(ingesting, matching, articles, done.told)


def _ingest(engine: Engine, documents: Sequence[Document]) -> tuple[float, int]:
    """Seconds, and how many articles there were. The run does not end, so it matches nothing itself."""
    run = writer.start_run(engine, "watchlists", datetime.now(UTC))
    counts = writer.BatchCounts()
    began = time.process_time()
    for start in range(0, len(documents), BATCH_SIZE):
        outcomes = process.process_documents(documents[start : start + BATCH_SIZE], SETTINGS)
        counts += writer.write_batch(engine, run, outcomes, SETTINGS)
    return time.process_time() - began, counts.stored


def measure(form: str, articles: int, lists: int, rounds: int) -> list[Turn]:
    room = Newsroom()
    watched = list(rules(room.words, lists, seed=7))
    documents = list(islice(room.texts() if form == "texts" else room.documents(), articles))
    one_round(documents[:200], watched[:50])  # what is loaded late
    return [one_round(documents, watched) for _ in range(rounds)]


def as_markdown(form: str, lists: int, turns: Sequence[Turn]) -> str:
    first = turns[0]

    def each(values: Sequence[float]) -> Spread:
        return spread([1000 * value / first.articles for value in values])

    return "\n".join(
        (
            f"{first.articles:,} articles of {form}, {lists:,} watchlists, {first.told:,} notifications:",
            f"ingesting {each([turn.ingesting for turn in turns]).shown()} ms an article,",
            f"matching {each([turn.matching for turn in turns]).shown()} ms;",
            f"matching takes {spread([100 * turn.share for turn in turns]).shown()} % of ingesting",
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watchlists", description=__doc__)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--watchlists", type=int, default=WATCHLISTS)
    parser.add_argument("--form", choices=["texts", "pages"], action="append")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(arguments)
    for form in options.form or ["texts", "pages"]:
        turns = measure(form, options.articles, options.watchlists, options.rounds)
        print(as_markdown(form, options.watchlists, turns), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
