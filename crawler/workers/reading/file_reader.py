"""Reads files in a process of their own: whatever a file does to it costs that file alone.

A compressed file, an archive or a WARC comes from strangers, as pages do. Workers get whole documents; a file
gives documents one by one, as many as there are. So one process reads files and sends what is in them as it
finds it, and waits while the run has enough. A few files are handed over ahead. They are answered in their
order, so this side knows which one is being read. If the process dies, of a limit or twice, that file ends
with a rejection, and another process goes on behind it.

Limits: memory and processor time are limited by the process itself (`crawler.workers.reading.process`). This
side ends it when a file neither gives anything nor is read further for too long, such as one on a network
drive that is gone. Nothing limits how long a pipe is waited for.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import select
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from typing import Self, cast

from crawler.files import DocumentOrRejection, InputFile, find_files, open_file, os_error
from crawler.workers.fork_server import cannot_start, kill_process, manner_of_death, start_worker
from crawler.workers.messages import complete
from crawler.workers.pool import PoolBroken
from crawler.workers.reading.process import End, Message, seconds_for, send_file, serve
from pipeline.document import Reason, Rejection
from pipeline.settings import Settings

# Files that are handed over ahead, and the characters of their paths: they must fit into the socket, because
# the process does not take them while it sends.
_FILES_AHEAD = 8
_PATHS_AHEAD = 20_000
_RECEIVE_BYTES = 1 << 20
# As for workers (`crawler.workers.pool`): a start may include imports; a fork server that was killed needs a
# moment.
_START_SECONDS = 120.0
_START_ATTEMPTS = 5
_START_PAUSE = 0.1
# How long a process that was killed is waited for.
_DEATH_SECONDS = 5.0


@dataclass(slots=True)
class _Handed:
    """A file that is open. is_sent: the present process has it."""

    file: InputFile
    raw: io.FileIO
    is_sent: bool = False


@dataclass(slots=True)
class _Process:
    """A process, this side's end of its socket, and what was received of it."""

    process: ForkServerProcess
    channel: socket.socket
    incoming: bytearray = field(default_factory=bytearray)
    messages: deque[bytes] = field(default_factory=deque)
    poll: select.poll = field(default_factory=select.poll)

    def __post_init__(self) -> None:
        self.poll.register(self.channel, select.POLLIN)

    def receive(self, seconds: float | None) -> bool | None:
        """Wait for something to arrive. True if it did, False if the process is dead, None for too late."""
        if not self.poll.poll(None if seconds is None else seconds * 1000):
            return None
        try:
            data = self.channel.recv(_RECEIVE_BYTES)
        except OSError:
            return False
        self.incoming += data
        self.messages.extend(complete(self.incoming))
        return bool(data)


class FileReader:
    """The documents of files and folders, as `crawler.files.read_paths` gives them; to be iterated once.

    A context manager; leaving it ends the process, whatever it does, and the iteration in the other thread.
    Raises OperatorError where a path does not exist; the iteration raises PoolBroken where no process can be
    started.
    """

    def __init__(self, paths: Sequence[str], settings: Settings) -> None:
        self._begin(find_files(paths, settings), settings)

    @classmethod
    def of_files(cls, files: Iterable[InputFile | Rejection], settings: Settings) -> Self:
        """A reader of files that were found already, with rejections for what cannot be read."""
        reader = cls.__new__(cls)
        reader._begin(iter(files), settings)
        return reader

    def _begin(self, found: Iterator[InputFile | Rejection], settings: Settings) -> None:
        self._found = found
        self._settings = settings
        self._lock = threading.Lock()
        self._is_closed = False
        self._process: _Process | None = None
        self._pipe: InputFile | None = None  # was found, and is opened when nothing else is being read
        self._ahead: deque[_Handed | Rejection] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End the process and the iteration. May be called from any thread."""
        with self._lock:
            self._is_closed = True
            if self._process is not None:
                kill_process(self._process.process)
                with contextlib.suppress(OSError):
                    self._process.channel.shutdown(socket.SHUT_RDWR)  # wakes the thread that iterates

    def pids(self) -> list[int]:
        """Return the process id of the present process, if there is one."""
        process = self._process
        pid = process.process.pid if process else None
        return [] if pid is None else [pid]

    def __iter__(self) -> Iterator[DocumentOrRejection]:
        try:
            while not self._is_closed and self._hand_over():
                head = self._ahead[0]
                if isinstance(head, Rejection):
                    yield head
                else:
                    yield from self._read(head)
                    head.raw.close()
                self._ahead.popleft()
        finally:
            self._dismiss()
            for handed in self._ahead:
                if isinstance(handed, _Handed):
                    handed.raw.close()

    def _hand_over(self) -> bool:
        """Open some files ahead, and see to it that a process has them; False if everything was read."""
        characters = 0
        while len(self._ahead) < _FILES_AHEAD and characters < _PATHS_AHEAD:
            found = self._pipe or next(self._found, None)
            self._pipe = None
            if found is None:
                break
            if isinstance(found, InputFile) and found.size is None and self._ahead:
                self._pipe = found  # opening it may wait for the other side
                break
            self._ahead.append(found if isinstance(found, Rejection) else self._opened(found))
            characters += len(found.location if isinstance(found, Rejection) else found.url)
        for handed in self._ahead:
            if isinstance(handed, _Handed) and not handed.is_sent:
                process = self._process or self._start()
                if process is None:
                    return False
                with contextlib.suppress(OSError):  # dead: reading shows it next
                    send_file(process.channel, handed.file, handed.raw.fileno())
                handed.is_sent = True
        return bool(self._ahead)

    def _opened(self, file: InputFile) -> _Handed | Rejection:
        try:
            return _Handed(file, open_file(file))
        except OSError as error:
            return file.position(self._settings).rejection(Reason.UNREADABLE, os_error(error))

    def _read(self, handed: _Handed) -> Iterator[DocumentOrRejection]:
        """Yield what the process sends of the file that it is reading.

        A process may have been killed for what the file cannot help. So a file that was within its limits is
        read once more, without what it has given. A pipe cannot be read again.
        """
        given = skipping = 0
        is_last_try = handed.file.size is None
        while process := self._process:
            while process.messages:
                message = cast(Message, pickle.loads(process.messages.popleft()))
                if isinstance(message, End):
                    if message.is_spent:
                        self._dismiss()
                    if message.last is not None:
                        yield message.last
                    return
                if skipping:
                    skipping -= 1
                else:
                    given += 1
                    yield message
            is_alive = process.receive(None if handed.file.size is None else self._stall_seconds())
            is_stalled = is_alive is None and self._stands_still(process, handed)
            if is_stalled:
                kill_process(process.process)
                while process.receive(_DEATH_SECONDS):
                    process.messages.clear()
            if is_stalled or is_alive is False:
                self._dismiss()
                if self._is_closed:
                    return
                rejection = self._rejection(handed.file, process.process, is_stalled)
                if is_last_try or rejection.reason is Reason.TIMEOUT:
                    yield rejection
                    return
                is_last_try, skipping = True, given
                self._hand_over()

    def _stall_seconds(self) -> float:
        return self._settings.reading.stall_seconds / 2

    def _stands_still(self, process: _Process, handed: _Handed) -> bool:
        """True if nothing comes and the file is read no further for the second half of the time, too.

        The place in the file is that of the process: both sides have the same open file.
        """
        before = _place(handed.raw)
        return process.receive(self._stall_seconds()) is None and _place(handed.raw) == before

    def _rejection(self, file: InputFile, process: ForkServerProcess, is_stalled: bool) -> Rejection:
        """The end of a file that its process died of."""
        limits = self._settings.reading
        reason, detail = Reason.WORKER_DIED, manner_of_death(process)
        if is_stalled:
            seconds = f"{limits.stall_seconds:g} seconds (reading.stall_seconds)"
            reason, detail = Reason.TIMEOUT, f"nothing could be read for {seconds}"
        elif process.exitcode == -signal.SIGPROF:
            seconds = f"{seconds_for(file, limits):.1f} seconds of processor time (reading.seconds)"
            reason, detail = Reason.TIMEOUT, f"not read within {seconds}"
        return file.position(self._settings).rejection(reason, detail)

    def _dismiss(self) -> None:
        """Forget the process; it ends when its socket is closed. What was handed over is to be sent again."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.channel.close()
        for handed in self._ahead:
            if isinstance(handed, _Handed):
                handed.is_sent = False

    def _start(self) -> _Process | None:
        """Start a process and wait until it is ready; None if this was closed meanwhile."""
        fault = ""
        for attempt in range(_START_ATTEMPTS):
            time.sleep(_START_PAUSE * attempt)
            ours, theirs = socket.socketpair()
            try:
                process = _Process(start_worker(serve, (theirs, self._settings)), ours)
            except Exception as error:
                fault = cannot_start(error)
                ours.close()
                continue
            finally:
                theirs.close()
            with self._lock:
                self._process = process
                if self._is_closed:
                    kill_process(process.process)
            is_alive: bool | None = True
            while is_alive and not process.messages:
                is_alive = process.receive(_START_SECONDS)
            if self._is_closed:
                return None
            if is_alive:
                process.messages.popleft()  # ready
                return process
            fault = "worker processes end as soon as they start"
            kill_process(process.process)
            self._dismiss()
        raise PoolBroken(f"{fault} ({_START_ATTEMPTS} attempts)")


def _place(raw: io.FileIO) -> int:
    return os.lseek(raw.fileno(), 0, os.SEEK_CUR)
