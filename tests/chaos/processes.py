"""Finds the processes of a writer: its fork server and its workers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Found:
    """A process that runs. session: the id of the first process of its session. command: its name, and what
    it was started with.
    """

    pid: int
    parent: int
    session: int
    command: str


def processes(sessions: Collection[int] | None = None) -> Iterator[Found]:
    """The processes that have not ended, of these sessions or of the machine."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                head, _, rest = (folder / "stat").read_text().rpartition(")")
                state, parent, _, session, *_ = rest.split()
                if state == "Z" or (sessions is not None and int(session) not in sessions):
                    continue
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
            name = head.partition("(")[2]
            yield Found(int(folder.name), int(parent), int(session), f"{name}: {command}")


def fork_servers(writer: int) -> list[int]:
    """The fork server of a writer, by the writer's process id; of two, the later one is the present one."""
    return sorted(found.pid for found in _forked(writer) if found.parent == writer)


def workers(writer: int) -> list[int]:
    """The worker processes of a writer."""
    return sorted(found.pid for found in _forked(writer) if found.parent != writer)


def _forked(writer: int) -> list[Found]:
    """The fork server and what it forked: all have its command, or its name, also when it is gone."""
    return [found for found in processes({writer}) if "forkserver" in found.command]


def in_sessions(writers: set[int]) -> list[Found]:
    """All processes of writers."""
    return list(processes(writers))
