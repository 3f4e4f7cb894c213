"""Messages between the pool and its workers arrive whole, in whatever pieces their bytes arrive."""

from __future__ import annotations

import pickle
import random
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.workers.messages import Answer, Call, Raised, TaskFailed, answer, complete, frame, receive, send
from pipeline.document import Reason
from tests.crawler.misbehaving import document


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.mark.parametrize("size", [0, 1, 1 << 16, (3 << 20) + 1])
def test_documents_and_calls_arrive_as_they_were_sent(
    ends: tuple[socket.socket, socket.socket], size: int
) -> None:
    ours, theirs = ends
    documents = [document("x" * size, n) for n in range(3)]

    def send_both() -> None:
        send(ours, documents)
        send(ours, Call(divmod, (7, 2)))

    sender = threading.Thread(target=send_both)
    sender.start()
    assert receive(theirs) == documents
    assert receive(theirs) == Call(divmod, (7, 2))
    sender.join()


@given(st.lists(st.binary(max_size=500), max_size=5), st.integers(1, 200))
def test_answers_are_read_as_soon_as_they_are_complete(results: list[bytes], piece: int) -> None:
    sent = b"".join(bytes(frame(Answer([result], is_spent=bool(result)))) for result in results)
    buffer, found = bytearray(), []
    for start in range(0, len(sent), piece):
        buffer += sent[start : start + piece]
        found += [answer(content) for content in complete(buffer)]
    assert [(one.results, one.is_spent) for one in found] == [([r], bool(r)) for r in results]
    assert not buffer


def test_the_other_process_may_have_ended(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    ours.sendall(bytes(frame(Answer(["cut"])))[:-3])
    ours.close()
    assert receive(theirs) is None
    assert receive(theirs) is None


def test_values_that_cannot_be_pickled_raise_before_anything_is_sent(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    with pytest.raises((pickle.PicklingError, AttributeError)):
        send(ours, Answer([lambda: None]))
    send(ours, Answer([1]))
    assert receive(theirs) == Answer([1])


def test_a_failure_keeps_its_reason_on_the_way() -> None:
    (found,) = answer(pickle.dumps(Answer([Raised(TaskFailed(Reason.TIMEOUT, "not done"))]))).results
    assert (found.error.reason, str(found.error)) == (Reason.TIMEOUT, "timeout: not done")


def test_damaged_answers_raise() -> None:
    content = pickle.dumps(Answer([random.Random(1).randbytes(100)]))
    with pytest.raises((pickle.UnpicklingError, EOFError)):
        answer(content[:-20])
