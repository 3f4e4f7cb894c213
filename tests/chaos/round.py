"""One round: four writers and a reader on a fresh database, the faults of its plan, and a run without any."""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import socket
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.comparison import differences
from tests.chaos.databases import Database
from tests.chaos.documents import write_documents
from tests.chaos.plan import WRITERS, Fault, Kind, make_plan
from tests.chaos.processes import fork_servers, in_sessions, workers
from tests.chaos.quick import import_beforehand
from tests.chaos.reader import FAILED, READ, WRONG, fork_reader
from tests.chaos.rooms import Room
from tests.chaos.writer import REACHED, fork_command
from tests.waiting import PATIENCE, wait_until

_BATCH_SIZES = (4, 5, 7, 4)
# How many statements later a fault is tried again that was not possible, as without a worker to kill; after
# each try so many more.
_LATER = 3
# A writer that has come to no place for a fault in so many further runs never will.
_FURTHER_RUNS = 20
_SIGNALS = {
    **dict.fromkeys((Kind.KILL, Kind.KILL_WORKER, Kind.KILL_SERVER), signal.SIGKILL),
    **dict.fromkeys((Kind.STOP, Kind.STOP_WORKER, Kind.STOP_SERVER), signal.SIGSTOP),
    **dict.fromkeys((Kind.TERM, Kind.TERM_WORKER, Kind.TERM_SERVER), signal.SIGTERM),
}
_OF_WORKERS = (Kind.KILL_WORKER, Kind.STOP_WORKER, Kind.TERM_WORKER)
_OF_SERVERS = (Kind.KILL_SERVER, Kind.STOP_SERVER, Kind.TERM_SERVER)
_OF_ROOM = (Kind.FILE_LIMIT, Kind.FULL_DISK)
# With these a run may end with 2: the disk is full, or there is no worker process.
_ENDING = (*_OF_ROOM, Kind.FULL_TMP)


class ChaosError(Exception):
    """Something that must not happen, in one line or more."""


@dataclass(slots=True)
class _Writer:
    """A writer, through all its runs. tries: how often its next fault was not possible. further: runs that
    ended with 0 before its last fault. ended: whether a run has ended with 0 after it.
    """

    number: int
    paths: list[str]
    faults: deque[Fault]
    temporary: Path
    room: Room | None
    pid: int = 0
    runs: int = 0
    channel: socket.socket | None = None
    log: Path = Path()
    had: set[Kind] = field(default_factory=set)  # faults of its present run
    tries: int = 0
    further: int = 0
    ended: bool = False

    @property
    def next_fault(self) -> int:
        """After how many statements its next fault is due; 0 without one.

        A further run finds everything stored and makes few statements, so its faults follow one another.
        """
        if not self.faults:
            return 0
        return _LATER if self.further else self.faults[0].after


@dataclass(slots=True)
class _Held:
    """Processes that are stopped until the reader has read so often."""

    pids: list[int]
    reads: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a round came to. faults: carried out, by kind. ends: exit statuses of the writers' runs. failed:
    passes of the reader that the database did not allow.
    """

    faults: Counter[Kind]
    ends: Counter[int]
    reads: int
    failed: int


def run_round(
    database: Database, seed: int, folder: Path, *, each: int, documents: int, is_quick: bool
) -> Report:
    """Play a round; raises ChaosError, and AssertionError where nothing happens any more.

    each: faults of each kind. documents: of each writer. is_quick: see `quick`.
    """
    if is_quick:
        import_beforehand()
    gc.freeze()
    paths = write_documents(folder / "in", seed, documents)
    everything = sorted({path for of_writer in paths for path in of_writer})
    alone = _Alone(folder, is_quick)
    alone.run("ingest", *everything, "--db", database.clean_url, "--workers", "2")
    played = _Round(database, make_plan(seed, each, database.possible()), paths, folder, is_quick)
    try:
        played.play()
    finally:
        played.end_all()
    # What cost its worker is tried again, also if that happened to it twice.
    alone.run("ingest", *everything, "--db", database.url, "--workers", "2")
    alone.run("reprocess", "--quarantined", "--db", database.url, "--workers", "2")
    alone.run("db", "check", "--db", database.url)
    wrong = list(differences(database.clean_url, database.url))
    if wrong:
        raise ChaosError("\n".join(("differs from the run without faults:", *wrong)))
    return played.report()


@dataclass(frozen=True, slots=True)
class _Alone:
    """Runs commands that nothing happens to."""

    folder: Path
    is_quick: bool

    def run(self, *arguments: str) -> None:
        log = self.folder / "alone.log"
        pid, channel = fork_command(list(arguments), log, batch_size=64, is_quick=self.is_quick)
        with channel:
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status != 0:
            raise ChaosError(f"copydesk {' '.join(arguments)} ended with {status}: {log.read_text()[-4000:]}")


class _Round:
    """The state of a round. Whatever happens, happens when a writer has come to a fault and waits."""

    def __init__(
        self,
        database: Database,
        plan: list[list[Fault]],
        paths: list[list[str]],
        folder: Path,
        is_quick: bool,
    ) -> None:
        self._database = database
        self._folder = folder
        self._is_quick = is_quick
        self._selector = selectors.DefaultSelector()
        self._writers = []
        for number in range(WRITERS):
            temporary = folder / f"tmp-{number}"
            room = Room.mount(temporary) if database.room is not None else None
            temporary.mkdir(exist_ok=True)
            self._writers.append(_Writer(number, paths[number], deque(plan[number]), temporary, room))
        self._reader = 0
        self._reader_channel: socket.socket | None = None
        self._is_reader_done = False
        self._held: list[_Held] = []
        self._filled_by: _Writer | None = None  # who has to end before there is room again
        self._was_filled = False  # since the last pass of the reader
        self._waiting: list[_Writer] = []
        self._sessions: set[int] = set()
        self._faults: Counter[Kind] = Counter()
        self._ends: Counter[int] = Counter()
        self._reads = self._failed_reads = 0

    def play(self) -> None:
        self._reader, self._reader_channel = fork_reader(self._database.url, self._close_all)
        self._selector.register(self._reader_channel, selectors.EVENT_READ, None)
        for writer in self._writers:
            self._start(writer)
        while not all(writer.ended for writer in self._writers):
            self._wait()
        self._reader_channel.send(b"end")
        while not self._is_reader_done:
            self._wait()
        for held in self._held:  # no further pass of the reader lets it go on
            _signal_all(held.pids, signal.SIGCONT)
        wait_until(lambda: not in_sessions(self._sessions), self._state)

    def end_all(self) -> None:
        """Kill what still runs, and give the folders back."""
        for found in in_sessions(self._sessions):
            with contextlib.suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGKILL)
        for pid in (self._reader, *(writer.pid for writer in self._writers)):
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        self._close_all()
        if self._filled_by is not None:
            self._free_database()
        for writer in self._writers:
            if writer.room is not None:
                writer.room.unmount()

    def report(self) -> Report:
        return Report(self._faults, self._ends, self._reads, self._failed_reads)

    def _close_all(self) -> None:
        """Close the sockets: in a process that was forked, or at the end."""
        for channel in (self._reader_channel, *(writer.channel for writer in self._writers)):
            if channel is not None:
                channel.close()

    def _start(self, writer: _Writer) -> None:
        writer.runs += 1
        writer.log = self._folder / f"writer-{writer.number}-{writer.runs}.log"
        writer.had = set()
        writer.pid, writer.channel = fork_command(
            ["ingest", *writer.paths, "--db", self._database.url, "--workers", "2"],
            writer.log,
            batch_size=_BATCH_SIZES[writer.number],
            is_quick=self._is_quick,
            temporary=writer.temporary,
            first=writer.next_fault,
            close=self._close_all,
        )
        self._sessions.add(writer.pid)
        self._selector.register(writer.channel, selectors.EVENT_READ, writer)

    def _wait(self) -> None:
        """Wait until a writer or the reader reports or ends, and do what is to be done."""
        ready = self._selector.select(PATIENCE)
        if not ready:
            raise ChaosError(f"nothing happened for {PATIENCE:g} s: {self._state()}")
        for key, _ in ready:
            try:
                said = key.fileobj.recv(4096)  # type: ignore[union-attr]
            except ConnectionResetError:
                said = b""
            if key.data is None:
                self._on_read(said)
            elif said == REACHED:
                self._on_fault(key.data)
            else:
                self._on_end(key.data)

    def _on_read(self, said: bytes) -> None:
        if not said:
            assert self._reader_channel is not None
            self._selector.unregister(self._reader_channel)
            self._is_reader_done = True
            _, status = os.waitpid(self._reader, 0)
            self._reader = 0
            if status:
                raise ChaosError(f"the reader ended with {os.waitstatus_to_exitcode(status)}")
            return
        if said.startswith(WRONG):
            raise ChaosError(f"a reader found: {said.decode()}")
        self._reads += said == READ
        if said.startswith(FAILED):
            self._failed_reads += 1
            if self._database.server is None and not self._was_filled:
                raise ChaosError(f"a reader could not read: {said.decode()}")
        self._was_filled = self._filled_by is not None
        for held in list(self._held):
            held.reads -= 1
            if held.reads <= 0:
                self._held.remove(held)
                _signal_all(held.pids, signal.SIGCONT)

    def _on_fault(self, writer: _Writer) -> None:
        """A writer has come to its next fault, and waits."""
        assert writer.channel is not None
        if self._carry_out(writer, writer.faults[0]):
            fault = writer.faults.popleft()
            self._faults[fault.kind] += 1
            writer.tries = 0
            left = writer.next_fault
        else:
            writer.tries += 1
            left = _LATER * writer.tries
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it was killed
            writer.channel.send(str(left).encode())

    def _carry_out(self, writer: _Writer, fault: Fault) -> bool:
        """Returns False if it is not possible now."""
        kind = fault.kind
        if kind in (Kind.KILL, Kind.STOP, Kind.TERM):
            self._signal([writer.pid], fault)
        elif kind in _OF_WORKERS:
            found = workers(writer.pid)
            if not found:
                return False
            self._signal([found[int(fault.pick * len(found))]], fault)
        elif kind in _OF_SERVERS:
            servers, found = fork_servers(writer.pid), workers(writer.pid)
            if not servers or not found:
                return False
            self._signal(servers[-1:], fault)
            # So that it is needed.
            _signal_all([found[int(fault.pick * len(found))]], signal.SIGKILL)
        elif kind is Kind.CRASH:
            if self._filled_by is not None:
                return False  # it could not start again
            assert self._database.server is not None
            for running in self._running():
                running.had.add(kind)
            self._database.server.control("-m", "immediate", "restart")
        elif kind is Kind.FULL_TMP:
            servers, found = fork_servers(writer.pid), workers(writer.pid)
            if writer.room is None or not servers or not found:
                return False
            writer.room.fill(0)
            _signal_all([*servers, *found], signal.SIGKILL)
        else:
            if self._filled_by is not None:
                return False
            self._fill_database(writer, fault)
        writer.had.add(kind)
        return True

    def _signal(self, pids: list[int], fault: Fault) -> None:
        number = _SIGNALS[fault.kind]
        _signal_all(pids, number)
        if number is signal.SIGSTOP:
            self._held.append(_Held(pids, fault.reads))

    def _fill_database(self, writer: _Writer, fault: Fault) -> None:
        self._filled_by, self._was_filled = writer, True
        for running in self._running():
            running.had.add(fault.kind)
        if fault.kind is Kind.FULL_DISK:
            assert self._database.room is not None
            self._database.room.fill(fault.room)
        else:
            self._database.limit_files([one.pid for one in self._running()], fault.room)

    def _free_database(self) -> None:
        if self._database.room is not None:
            self._database.room.free()
        self._database.free_files([one.pid for one in self._running()])
        self._filled_by = None

    def _on_end(self, writer: _Writer) -> None:
        """A run of a writer has ended: is its end one that its faults allow? The next run begins."""
        assert writer.channel is not None
        self._selector.unregister(writer.channel)
        writer.channel.close()
        writer.channel = None
        pid, writer.pid = writer.pid, 0
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self._ends[status] += 1
        self._check_end(writer, status)
        if writer.room is not None:
            writer.room.free()
        if self._filled_by is writer:
            self._free_database()
            waiting, self._waiting = self._waiting, []
            for one in waiting:
                self._start(one)
        writer.tries = 0
        if status == 0:
            writer.ended = not writer.faults
            writer.further += 1
        if writer.further > _FURTHER_RUNS:
            raise ChaosError(f"a fault was never possible: {self._state()}")
        if writer.ended:
            return
        if self._filled_by is not None:
            self._waiting.append(writer)
        else:
            self._start(writer)

    def _check_end(self, writer: _Writer, status: int) -> None:
        said = writer.log.read_text(errors="replace")
        allowed = {0}
        if Kind.KILL in writer.had:
            allowed.add(-signal.SIGKILL)
        if Kind.TERM in writer.had:  # before a run begins, and twice, it ends at once
            allowed |= {130, -signal.SIGTERM, 128 + signal.SIGTERM}
        if writer.had & set(_ENDING):
            allowed.add(2)
        lines = said.splitlines()
        if Kind.CRASH in writer.had and len(lines) == 1 and "cannot be reached" in said:
            allowed.add(2)  # it was just opening the database, which is tried once
        is_said = status != 2 or sum(line.startswith("copydesk: ") for line in lines) == 1
        if status not in allowed or not is_said or "Traceback" in said:
            had = ", ".join(sorted(writer.had)) or "no fault"
            raise ChaosError(f"writer {writer.number} ended with {status} after {had}:\n{said[-6000:]}")

    def _running(self) -> Iterable[_Writer]:
        return [writer for writer in self._writers if writer.pid]

    def _state(self) -> str:
        """What still runs, in words."""
        stages = [
            f"writer {writer.number}: {'done' if writer.ended else writer.pid or 'waits for room'},"
            f" {len(writer.faults)} faults left, its run had {sorted(writer.had)}"
            for writer in self._writers
        ]
        left = [
            f"{found.pid} of session {found.session}: {found.command[:80]}"
            for found in in_sessions(self._sessions)
        ]
        return "; ".join((*stages, *left))


def _signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
