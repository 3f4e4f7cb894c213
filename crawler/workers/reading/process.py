"""The process that reads files: takes open files from the run, and sends what is in them, one by one.

It opens nothing by name: each file comes with its handle, so pipes and standard input are read as well. The
kernel ends it when a file takes too much processor time, and refuses memory beyond its limit. Sending waits
while the run has enough to do.

The processor time that a file may take grows with its size, because reading anything should. A pipe, whose
size is unknown, gets its time with each piece that comes out of it.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import signal
import socket
import threading
from dataclasses import dataclass

from crawler.files import DocumentOrRejection, InputFile, read_file
from crawler.workers.memory import held_bytes, limit_memory
from crawler.workers.messages import frame, receive, send
from pipeline.document import Document, Origin, Reason
from pipeline.settings import ReadingSettings, Settings

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class End:
    """The end of a file, and, as the first message, that the process is ready.

    is_spent: it has used too much memory, reads no other file and is to be replaced. last: the document of a
    file that is one, which saves a message a page.
    """

    is_spent: bool = False
    last: Document | None = None


Message = DocumentOrRejection | End


def send_file(channel: socket.socket, file: InputFile, handle: int) -> None:
    """Hand a file over to be read. handle: of the open file, which the sender keeps."""
    message = b"\0" + frame(file)
    sent = socket.send_fds(channel, [message], [handle])
    if sent < len(message):
        channel.sendall(memoryview(message)[sent:])


def serve(channel: socket.socket, settings: Settings) -> None:
    """Read the files that are handed over until the run closes the socket."""
    # Ctrl-C goes to the whole process group, a service manager's SIGTERM to the whole service.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    threading.Thread(target=_end_with_run, args=(channel,), daemon=True).start()
    most_held = limit_memory(settings.reading.memory_bytes)
    with contextlib.suppress(ConnectionError):
        send(channel, End())
        while (received := _receive_file(channel)) is not None:
            end = _read(channel, *received, settings)
            # One document leaves nothing behind that would count.
            if end.last is None and held_bytes() > most_held / 2:
                end = End(is_spent=True)
            send(channel, end)
            if end.is_spent:
                return


def _end_with_run(channel: socket.socket) -> None:
    """End this process when the run has closed the socket, also while a pipe is waited for."""
    poll = select.poll()
    poll.register(channel, 0)  # hang-ups are always reported
    poll.poll()
    os._exit(0)


def _receive_file(channel: socket.socket) -> tuple[InputFile, int] | None:
    """Return the next file and its handle; None if the run has closed the socket."""
    data, handles, _, _ = socket.recv_fds(channel, 1, 1)
    file = receive(channel) if data else None
    return None if file is None else (file, handles[0])


def _read(channel: socket.socket, file: InputFile, handle: int, settings: Settings) -> End:
    """Send what is in the file, except for what its end has."""
    signal.setitimer(signal.ITIMER_PROF, seconds_for(file, settings.reading))
    try:
        with _Pipe(handle, settings.reading) if file.size is None else io.FileIO(handle) as raw:
            if file.size is not None:
                raw.seek(0)  # a process that died may have read from it
            for item in read_file(file, raw, settings):
                if isinstance(item, Document) and item.origin is Origin.FILE and item.url == file.url:
                    return End(last=item)
                send(channel, item)
        return End()
    except ConnectionError:
        raise
    except MemoryError:
        end, reason, detail = End(is_spent=True), Reason.WORKER_DIED, "out of memory (the limit of reading)"
    except Exception as error:
        end, reason, detail = End(), Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    send(channel, file.position(settings).rejection(reason, detail))
    return end


def seconds_for(file: InputFile, limits: ReadingSettings) -> float:
    """Return how much processor time reading the file may take."""
    return limits.seconds + limits.seconds_per_mb * (file.size or 0) / _MB


class _Pipe(io.FileIO):
    """A pipe, each piece of which brings the processor time that it may take."""

    def __init__(self, handle: int, limits: ReadingSettings) -> None:
        super().__init__(handle)
        self._limits = limits

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]
        count = super().readinto(buffer)
        left = signal.getitimer(signal.ITIMER_PROF)[0]
        signal.setitimer(signal.ITIMER_PROF, left + self._limits.seconds_per_mb * (count or 0) / _MB)
        return count
