"""The answers of a worker, also for documents and calls that fail."""

from __future__ import annotations

import multiprocessing
import resource
import signal
import socket
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from crawler.workers import worker
from crawler.workers.messages import Answer, Call, Raised, TaskFailed, receive, send
from crawler.workers.worker import _call, _process_all, rejection
from pipeline.document import Document, Outcome, Reason, Rejection, Stage
from pipeline.settings import Settings
from tests.crawler import misbehaving
from tests.crawler.misbehaving import document

SETTINGS = Settings()


def _raise(error: BaseException) -> NoReturn:
    raise error


def _failing(document: Document, settings: Settings) -> Outcome:
    """Does what the document's text says."""
    errors = {b"memory": MemoryError(), b"exit": SystemExit(3), b"fault": ValueError("odd")}
    if document.body in errors:
        raise errors[document.body]
    return rejection(document, settings, Reason.NO_ARTICLE, "")


def test_a_rejection_is_that_of_its_document_with_a_short_detail() -> None:
    made = document("text", 7)
    found = rejection(made, SETTINGS, Reason.TIMEOUT, "x" * 9000)
    assert (found.location, found.url, found.at) == (made.location, made.url, made.fetched_at)
    assert (found.stage, found.reason, found.rules_version) == (
        Stage.WORKER,
        Reason.TIMEOUT,
        SETTINGS.rules_version,
    )
    assert len(found.detail) == 500


def test_whatever_processing_raises_ends_one_document() -> None:
    documents = [document(text, n) for n, text in enumerate(("good", "memory", "exit", "fault", "good"))]
    outcomes = _process_all(_failing, documents, SETTINGS)
    found = [(o.location, o.reason, o.detail) for o in outcomes if isinstance(o, Rejection)]
    assert found == [
        ("doc-0", Reason.NO_ARTICLE, ""),
        ("doc-1", Reason.WORKER_DIED, "out of memory (the worker's limit)"),
        ("doc-2", Reason.INTERNAL_ERROR, "SystemExit: 3"),
        ("doc-3", Reason.INTERNAL_ERROR, "ValueError: odd"),
        ("doc-4", Reason.NO_ARTICLE, ""),
    ]


def test_a_call_has_its_result_or_what_it_raised() -> None:
    assert _call(Call(len, (b"abc",))) == 3
    error = ValueError("not a feed")
    found = _call(Call(_raise, (error,)))
    assert isinstance(found, Raised)
    assert found.error is error


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (MemoryError(), Reason.WORKER_DIED, "out of memory (the worker's limit)"),
        (SystemExit(3), Reason.INTERNAL_ERROR, "SystemExit: 3"),
        (type("Local", (Exception,), {})("cannot be sent"), Reason.INTERNAL_ERROR, "Local: cannot be sent"),
    ],
)
def test_an_exception_that_cannot_be_raised_again_is_a_failed_task(
    error: BaseException, reason: Reason, detail: str
) -> None:
    found = _call(Call(_raise, (error,)))
    assert isinstance(found, Raised)
    assert isinstance(found.error, TaskFailed)
    assert found.error.args == (reason, detail)


@pytest.fixture
def alarms(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The seconds of each alarm. The signals and limits of this process do not change."""
    seconds: list[float] = []
    monkeypatch.setattr(signal, "setitimer", lambda which, value: seconds.append(value))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: None)
    handlers = {
        number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    }
    yield seconds
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _answers(*messages: Any, memory_bytes: int = 1 << 45) -> list[Answer]:
    """The answers of a worker to the messages, after the one that says that it is ready."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for message in messages:
            send(ours, message)
        ours.shutdown(socket.SHUT_WR)
        worker.serve(theirs, Settings(timeout_seconds=3), misbehaving.process, memory_bytes)
        assert receive(ours) == Answer([])
        return [receive(ours) for _ in messages]


def test_each_message_has_an_answer_and_an_alarm_until_then(alarms: list[float]) -> None:
    documents, call = _answers([document("length", 1), document("length", 2)], Call(divmod, (7, 2)))
    assert [outcome.location for outcome in documents.results] == ["doc-1", "doc-2"]
    assert call.results == [(3, 1)]
    assert alarms == [11.0, 0, 11.0, 0]


@pytest.mark.usefixtures("alarms")
def test_an_outcome_that_cannot_be_sent_costs_itself_alone() -> None:
    (answer,) = _answers([document("unsendable", 1), document("length", 2)])
    lost, other = answer.results
    assert (lost.location, lost.reason) == ("doc-1", Reason.INTERNAL_ERROR)
    assert lost.detail.startswith("the outcome cannot be sent: ")
    assert (other.location, other.detail) == ("doc-2", "6")


@pytest.mark.usefixtures("alarms")
def test_signals_to_the_whole_process_group_do_not_end_a_worker() -> None:
    _answers()
    assert signal.getsignal(signal.SIGINT) == signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


@pytest.mark.usefixtures("alarms")
@pytest.mark.parametrize(
    ("message", "memory_bytes", "is_spent"),
    [
        ([document("length")], 1 << 45, False),
        ([document("length")], 0, True),  # the process uses more than half of its limit
        (Call(_raise, (MemoryError(),)), 1 << 45, True),
    ],
)
def test_a_worker_that_used_its_memory_says_so(message: Any, memory_bytes: int, is_spent: bool) -> None:
    assert [answer.is_spent for answer in _answers(message, memory_bytes=memory_bytes)] == [is_spent]


def test_a_worker_whose_pool_closed_before_it_was_ready_ends() -> None:
    def start() -> None:
        ours, theirs = socket.socketpair()
        ours.close()
        with theirs:
            worker.serve(theirs, SETTINGS, _failing, 2**40)

    process = multiprocessing.get_context("fork").Process(target=start)
    process.start()
    process.join()
    assert process.exitcode == 0
