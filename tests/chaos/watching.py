"""Kills ingests and `copydesk watch run` at random places: `python -m tests.chaos.watching --kills 60`.

An ingest and a `watch run` work on one database at a time, both are killed at random statements and started
again, until there were so many kills. In the end each watchlist has told each of its stories exactly once,
and each further copy exactly once if it asked for copies, and a receiver got each message at least once.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import selectors
import shutil
import signal
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, func, select

from crawler.notifications import NotificationSettings, deliver
from storage import reader, schema
from storage.database import open_database
from storage.watching import Rule, add_watchlist, match_news, outbox, outbox_counts
from tests.chaos.databases import DATABASES, database, server_of
from tests.chaos.quick import import_beforehand
from tests.chaos.round import ChaosError
from tests.chaos.writer import REACHED, fork_command
from tests.postgres import OwnServer
from tests.storage.news import cut, story
from tests.waiting import PATIENCE

# Words of `tests.storage.news`, alone and together.
_QUERIES = ("ferry", "harbour bridge", '"storm" OR turbine', "elect* -police", "police court -fire")
_DOCUMENTS = 16
# The first and the last statement of a process at which it may be killed; a `watch run` delivers after some.
_STATEMENTS = {"ingest": (1, 120), "watch": (7, 60)}
# A claim of a process that was killed runs out soon, so that the next one delivers.
_LEASE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Report:
    """kills: by command. told: notifications by kind. repeated: messages that came more than once."""

    kills: Counter[str]
    told: Counter[str]
    delivered: int
    repeated: int

    def __str__(self) -> str:
        kills = ", ".join(f"{count} of {name}" for name, count in sorted(self.kills.items()))
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(self.told.items()))
        return (
            f"{self.kills.total()} kills ({kills}); {told} told once each;"
            f" {self.delivered} deliveries, {self.repeated} of them repeated"
        )


def kill_and_count(url: str, seed: int, kills: int, folder: Path) -> Report:
    """Play it on an empty database; raises ChaosError for what was told twice or not at all."""
    chance = random.Random(seed)
    received = folder / "received.jsonl"
    engine = open_database(url)
    for n, query in enumerate(_QUERIES):
        tells = ("story", "copies") if n % 2 else ("story",)
        sites = 2 if n == len(_QUERIES) - 1 else None
        rule = Rule(f"list {n}", query, min_sites=sites, tells=tells, ways=(f"command:tee -a {received}",))
        add_watchlist(engine, rule, datetime.now(UTC))
    engine.dispose()
    outbox.LEASE, lease = _LEASE, outbox.LEASE
    try:
        happened = _kill(url, chance, kills, folder)
    finally:
        outbox.LEASE = lease
    match_news(engine)
    deliver(engine, NotificationSettings(), datetime.now(UTC) + _LEASE + timedelta(hours=1), seconds=PATIENCE)
    told = _judge(engine)
    delivered, repeated = _judge_received(engine, received)
    engine.dispose()
    return Report(happened, told, delivered, repeated)


def _kill(url: str, chance: random.Random, kills: int, folder: Path) -> Counter[str]:
    """Runs pairs of commands until so many were killed and the last documents are stored."""
    happened: Counter[str] = Counter()
    number = 0
    while happened.total() < kills:
        documents = _documents(folder, chance, number)
        number += 1
        is_stored = False
        while not is_stored:
            wanted = {
                "ingest": ["ingest", str(documents), "--db", url, "--workers", "1"],
                "watch": ["watch", "run", "--db", url],
            }
            is_calm = happened.total() >= kills
            ended = _run_beside(wanted, {} if is_calm else _places(chance), folder / "log")
            happened.update(name for name, status in ended.items() if status == -signal.SIGKILL)
            is_stored = ended["ingest"] == 0
            if any(status not in (0, -signal.SIGKILL) for status in ended.values()):
                raise ChaosError(f"ended with {ended}: {(folder / 'log').read_text()[-4000:]}")
    return happened


def _places(chance: random.Random) -> dict[str, int]:
    """After how many statements each command is killed; some are not."""
    return {name: chance.randint(*span) for name, span in _STATEMENTS.items() if chance.random() < 0.8}


def _run_beside(commands: dict[str, list[str]], places: dict[str, int], log: Path) -> dict[str, int]:
    """Runs commands at a time, kills each at its place, and returns how each ended."""
    selector = selectors.DefaultSelector()
    pids: dict[str, int] = {}
    channels: list[socket.socket] = []
    ended: dict[str, int] = {}

    def close() -> None:
        for channel in channels:
            channel.close()

    for name, arguments in commands.items():
        first = places.get(name, 0)
        pids[name], channel = fork_command(
            arguments, log, batch_size=4, is_quick=True, first=first, close=close
        )
        channels.append(channel)
        selector.register(channel, selectors.EVENT_READ, name)
    while len(ended) < len(commands):
        ready = selector.select(PATIENCE)
        if not ready:
            raise ChaosError(f"nothing happened for {PATIENCE:g} s")
        for key, _ in ready:
            said = b""
            with suppress(ConnectionResetError):
                said = key.fileobj.recv(100)  # type: ignore[union-attr]
            if said == REACHED:
                os.killpg(pids[key.data], signal.SIGKILL)
            selector.unregister(key.fileobj)
            ended[key.data] = os.waitstatus_to_exitcode(os.waitpid(pids[key.data], 0)[1])
    close()
    selector.close()
    return ended


def _documents(folder: Path, chance: random.Random, number: int) -> Path:
    """A file of stories, new ones and copies of earlier ones, each at a URL of its own."""
    path = folder / f"documents-{number}.jsonl"
    with path.open("w") as file:
        for n in range(_DOCUMENTS):
            of = chance.randrange(4 * (number + 1)) if chance.random() < 0.5 else 4 * number + n % 4
            text = cut(story(7000 + of, 110), chance.choice((1.0, 1.0, 0.8)))
            paragraphs = "".join(f"<p>{line}</p>\n" for line in text.split("\n"))
            html = f"<html><head><title>Story {of}</title></head>\n<body>\n{paragraphs}</body></html>"
            url = f"https://site{n}.example/{number}"
            file.write(json.dumps({"html": html, "url": url}) + "\n")
    return path


def _judge(engine: Engine) -> Counter[str]:
    """Compares what was told with what search finds; returns how much was told, by kind."""
    told: Counter[str] = Counter()
    made, article = schema.notification, schema.article
    for n, query in enumerate(_QUERIES):
        with engine.connect() as connection:
            rows = connection.execute(
                select(made.c.kind, made.c.article_id, article.c.group_id)
                .join(article, article.c.id == made.c.article_id)
                .join(schema.watchlist, schema.watchlist.c.id == made.c.watchlist_id)
                .where(schema.watchlist.c.name == f"list {n}")
            ).all()
            sites = select(article.c.group_id, func.count(article.c.site.distinct()).label("sites"))
            groups = connection.execute(sites.group_by(article.c.group_id))
            on_sites = {row.group_id: row.sites for row in groups}
        found = [hit.article for hit in reader.search(engine, query, limit=100_000)]
        least = 2 if n == len(_QUERIES) - 1 else 1
        stories = Counter(row.group_id for row in rows if row.kind == "story")
        wanted = {hit.group_id for hit in found if on_sites[hit.group_id] >= least}
        if stories != Counter(wanted):
            raise ChaosError(
                f"{query}: told {sorted(stories.items())}, and not each of {sorted(wanted)} once"
            )
        articles = Counter(row.article_id for row in rows)
        if n % 2 and articles != Counter(hit.id for hit in found):
            raise ChaosError(f"{query}: told of articles {sorted(articles.items())}, and not of each once")
        told.update(row.kind for row in rows)
    if not told:
        raise ChaosError("no watchlist had anything to tell")
    return told


def _judge_received(engine: Engine, received: Path) -> tuple[int, int]:
    """How many messages came, and how many of them more than once; each has to come."""
    counts = outbox_counts(engine)
    if counts.waiting or counts.dead:
        raise ChaosError(f"not everything was delivered: {counts}")
    came = Counter(_ids(received.read_text("utf-8")))
    with engine.connect() as connection:
        sent = set(connection.execute(select(schema.notification.c.id)).scalars())
    if came.keys() != sent:
        raise ChaosError(
            f"{len(sent - came.keys())} messages never came, {len(came.keys() - sent)} are unknown"
        )
    return came.total(), sum(count > 1 for count in came.values())


def _ids(text: str) -> Iterator[str]:
    """The ids of messages that stand one behind the other."""
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        message, at = decoder.raw_decode(text, at)
        yield message["id"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.watching", description=__doc__)
    parser.add_argument("--seed", type=int, help="Default: random")
    parser.add_argument("--kills", type=int, default=60, help="on each database, default 60")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both")
    options = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    print(f"--seed {seed}", flush=True)
    kinds = DATABASES if options.database == "both" else (options.database,)
    with ExitStack() as servers:
        return kill_on_each(
            {kind: servers.enter_context(server_of(kind)) for kind in kinds}, seed, options.kills
        )


def kill_on_each(servers: Mapping[str, OwnServer | None], seed: int, kills: int) -> int:
    """Play it on a fresh database of each server, and print what happened; 1 if it was wrong, else 0."""
    import_beforehand()
    gc.freeze()
    for kind, server in servers.items():
        folder = Path(tempfile.mkdtemp(prefix="copydesk-watching-"))
        folder.chmod(0o755)  # the server of PostgreSQL has a user of its own
        try:
            with database(kind, folder, server) as fresh:
                print(f"watchlists, {kind}: {kill_and_count(fresh.url, seed, kills, folder)}", flush=True)
        except ChaosError as error:
            print(f"watchlists, {kind}: {error}")
            print(f"Again: python -m tests.chaos.watching --seed {seed} --kills {kills} --database {kind}")
            return 1
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
