"""The plan of faults of a round: the same for the same seed, whatever the machine and the database."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

WRITERS = 4


class Kind(StrEnum):
    """What happens to a writer that comes to the fault, to its processes, to the server or to the disk."""

    KILL = "writer killed"
    STOP = "writer stopped"
    TERM = "writer told to end"
    KILL_WORKER = "worker killed"
    STOP_WORKER = "worker stopped"
    TERM_WORKER = "worker told to end"
    KILL_SERVER = "fork server killed"
    STOP_SERVER = "fork server stopped"
    TERM_SERVER = "fork server told to end"
    CRASH = "PostgreSQL crashed"
    FILE_LIMIT = "files at their largest size"
    FULL_DISK = "disk full"
    FULL_TMP = "$TMPDIR full"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and where it is placed.

    after: statements and commits of its writer since its last fault, over all its runs. reads: what is
    stopped goes on when the reader has read so often. room: bytes that files or the disk may still grow.
    pick: chooses one of several processes.
    """

    kind: Kind
    after: int
    reads: int
    room: int
    pick: float


def make_plan(seed: int, each: int, kinds: Collection[Kind]) -> list[list[Fault]]:
    """The faults of each writer, in order. each: how many of each kind. kinds: those that are possible here;
    the others are left out of the plan, which is the same otherwise.
    """
    chance = random.Random(seed)
    faults = [
        Fault(
            kind,
            after=chance.randint(1, 60),
            reads=chance.randint(2, 6),
            room=chance.choice([0, chance.randrange(4096), chance.randrange(100_000)]),
            pick=chance.random(),
        )
        for kind in Kind
        for _ in range(each)
    ]
    chance.shuffle(faults)
    possible = [fault for fault in faults if fault.kind in kinds]
    return [possible[writer::WRITERS] for writer in range(WRITERS)]
