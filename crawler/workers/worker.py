"""The worker process: takes messages from the pool, processes documents or makes a call, and answers.

A worker ignores SIGINT and SIGTERM, because the pool decides when it ends. Its memory is limited; running out
of it costs the current document or call. An alarm ends the worker if the pool was killed and can no longer
watch the time.
"""

from __future__ import annotations

import contextlib
import pickle
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from crawler.workers.memory import held_bytes, limit_memory
from crawler.workers.messages import Answer, Call, Raised, TaskFailed, receive, send
from pipeline.document import Document, Outcome, Reason, Rejection, Stage
from pipeline.settings import Settings

Process = Callable[[Document, Settings], Outcome]

_OUT_OF_MEMORY = "out of memory (the worker's limit)"


def process_document(document: Document, settings: Settings) -> Outcome:
    """`pipeline.process.process_document`, imported in the worker only: the parent needs no parsers."""
    from pipeline import process

    return process.process_document(document, settings)


def serve(channel: socket.socket, settings: Settings, process: Process, memory_bytes: int) -> None:
    """Answer messages until the pool closes the socket.

    memory_bytes: what the worker may use beyond what it has at its start.
    """
    # Ctrl-C goes to the whole process group, a service manager's SIGTERM to the whole service.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    most_held = limit_memory(memory_bytes)
    # The pool may close before its worker is ready: a run with nothing to do is that short.
    with contextlib.suppress(ConnectionError):
        send(channel, Answer([]))  # ready
        while (message := receive(channel)) is not None:
            signal.setitimer(signal.ITIMER_REAL, 2 * settings.timeout_seconds + 5)
            if isinstance(message, Call):
                results = [_call(message)]
            else:
                results = _process_all(process, message, settings)
            signal.setitimer(signal.ITIMER_REAL, 0)
            is_spent = any(map(_is_out_of_memory, results)) or held_bytes() > most_held / 2
            try:
                send(channel, Answer(results, is_spent))
            except ConnectionError:
                raise
            except Exception:  # raised before anything is sent
                sendable = [_sendable(result, message, at, settings) for at, result in enumerate(results)]
                send(channel, Answer(sendable, is_spent))


def rejection(document: Document, settings: Settings, reason: Reason, detail: str) -> Rejection:
    """The end of a document that could not be processed."""
    return Rejection(
        location=document.location,
        url=document.url,
        stage=Stage.WORKER,
        reason=reason,
        detail=detail[:500],
        at=document.fetched_at,
        rules_version=settings.rules_version,
    )


def _call(call: Call) -> Any:
    try:
        return call.function(*call.arguments)
    except MemoryError:
        return Raised(TaskFailed(Reason.WORKER_DIED, _OUT_OF_MEMORY))
    except BaseException as error:  # also SystemExit
        with contextlib.suppress(Exception):
            if isinstance(error, Exception) and type(pickle.loads(pickle.dumps(error))) is type(error):
                return Raised(error)
        return Raised(TaskFailed(Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}"[:500]))


def _process_all(process: Process, documents: Sequence[Document], settings: Settings) -> list[Outcome]:
    """The outcomes of the documents. If processing them together fails, each is tried alone."""
    if process is process_document and len(documents) > 1:
        from pipeline.process import process_documents

        with contextlib.suppress(Exception):
            return [_with_worker_reason(outcome) for outcome in process_documents(documents, settings)]
    return [_process(process, document, settings) for document in documents]


def _process(process: Process, document: Document, settings: Settings) -> Outcome:
    try:
        outcome = process(document, settings)
    except MemoryError:
        return rejection(document, settings, Reason.WORKER_DIED, _OUT_OF_MEMORY)
    except BaseException as error:  # also SystemExit: whatever it is, it ends one document
        return rejection(document, settings, Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
    return _with_worker_reason(outcome)


def _with_worker_reason(outcome: Outcome) -> Outcome:
    """The outcome, where a MemoryError is a limit of the worker and not an internal error."""
    if (
        isinstance(outcome, Rejection)
        and outcome.reason is Reason.INTERNAL_ERROR
        and outcome.detail.startswith("MemoryError")
    ):
        return replace(
            outcome, stage=Stage.WORKER, reason=Reason.WORKER_DIED, detail=_OUT_OF_MEMORY, page=None
        )
    return outcome


def _sendable(result: Any, message: Call | Sequence[Document], at: int, settings: Settings) -> Any:
    """The result as it is sent. If it cannot be pickled, a failure that says why."""
    try:
        pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
        return result
    except Exception as error:
        detail = f"the outcome cannot be sent: {type(error).__name__}: {error}"
        if isinstance(message, Call):
            return Raised(TaskFailed(Reason.INTERNAL_ERROR, detail[:500]))
        return rejection(message[at], settings, Reason.INTERNAL_ERROR, detail)


def _is_out_of_memory(result: Any) -> bool:
    if isinstance(result, Raised):
        return isinstance(result.error, TaskFailed) and result.error.detail == _OUT_OF_MEMORY
    return isinstance(result, Rejection) and result.detail == _OUT_OF_MEMORY
