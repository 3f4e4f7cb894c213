"""Workers: what documents do to them costs the document, and nothing else is lost."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import time
import types
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from typing import Any

import pytest

from crawler.workers.messages import TaskFailed
from crawler.workers.pool import BudgetSpent, PoolBroken, WorkerPool
from pipeline.document import Document, Outcome, Reason, Rejection
from pipeline.settings import Settings
from tests.crawler.misbehaving import call, document, process
from tests.waiting import wait_until

SETTINGS = Settings(timeout_seconds=60)
HASTY = Settings(timeout_seconds=3)


def detail(future: Future[Outcome]) -> str:
    outcome = future.result(60)
    assert isinstance(outcome, Rejection)
    return outcome.detail


def reason(future: Future[Outcome]) -> Reason:
    outcome = future.result(60)
    assert isinstance(outcome, Rejection)
    return outcome.reason


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(SETTINGS, 2, process=process) as pool:
        yield pool


# What costs a document, or a call, itself alone: what it does, the reason, and a part of the detail.
FAULTS = [
    ("hang", Reason.TIMEOUT, "within 3 seconds"),
    ("exit 3", Reason.WORKER_DIED, "status 3"),
    ("crash", Reason.WORKER_DIED, "SIGSEGV"),
    ("bomb", Reason.WORKER_DIED, "out of memory"),
    ("quit", Reason.INTERNAL_ERROR, "SystemExit"),
    ("unsendable", Reason.INTERNAL_ERROR, "cannot be sent"),
]


@pytest.mark.parametrize(
    ("body", "expected", "said"),
    [
        *FAULTS,
        ("sleep 30", Reason.TIMEOUT, "within 3 seconds"),
        ("exit 0", Reason.WORKER_DIED, "status 0"),
        ("kill", Reason.WORKER_DIED, "SIGKILL"),
        ("raise some words", Reason.INTERNAL_ERROR, "ValueError: some words"),
    ],
)
@pytest.mark.parametrize("others", [10, 200])  # more than a few are sent several at a time
def test_a_bad_document_costs_itself_alone(body: str, expected: Reason, said: str, others: int) -> None:
    limits = HASTY if expected is Reason.TIMEOUT else SETTINGS
    bodies = ["ok"] * others + [body] + ["ok"] * others
    with WorkerPool(limits, 2, process=process, memory_bytes=500_000_000) as pool:
        futures = [pool.submit(document(body, n)) for n, body in enumerate(bodies)]
    ends = [reason(future) for future in futures]
    assert ends == [Reason.NO_ARTICLE] * others + [expected] + [Reason.NO_ARTICLE] * others
    bad = futures[others].result()
    assert isinstance(bad, Rejection)
    assert said in bad.detail
    assert (bad.location, bad.url) == (f"doc-{others}", f"https://outlet.example/doc-{others}")
    is_lost = expected in (Reason.TIMEOUT, Reason.WORKER_DIED)
    assert (bad.page and bad.page.size) == (len(body) if is_lost else None), "it can be tried again"


class Account:
    """Charges what a site costs; spent at a number of seconds."""

    def __init__(self, budget: float) -> None:
        self.budget = budget
        self.charged: list[tuple[float, bool]] = []

    def charge(self, seconds: float, *, has_failed: bool) -> None:
        self.charged.append((seconds, has_failed))

    @property
    def seconds(self) -> float:
        return sum(seconds for seconds, _ in self.charged)

    @property
    def is_spent(self) -> bool:
        return self.seconds >= self.budget


@pytest.mark.parametrize("workers", [1, 2])
def test_pages_that_hang_cost_their_site_its_budget_and_no_more(workers: int) -> None:
    own, other = Account(2 * 2.0), Account(float("inf"))
    with WorkerPool(replace(SETTINGS, timeout_seconds=2.0), workers, process=process) as pool:
        pages = [pool.submit(document("hang", n), own) for n in range(8)]
        others = [pool.submit(document("ok", n), other) for n in range(8, 40)]
    tried = [future for future in pages if future.exception(0) is None]
    assert 1 <= len(tried) <= 2 + (workers - 1), "what another worker has in hand is not ended"
    assert {reason(future) for future in tried} == {Reason.TIMEOUT}
    put_off = {type(future.exception(0)) for future in pages if future not in tried}
    assert put_off == {BudgetSpent}
    assert [has_failed for _, has_failed in own.charged] == [True] * len(tried)
    assert all(seconds >= 2.0 for seconds, _ in own.charged), "the whole time that each held its worker"
    assert {reason(future) for future in others} == {Reason.NO_ARTICLE}
    assert [has_failed for _, has_failed in other.charged] == [False] * 32


def test_a_call_is_charged_too_and_not_made_once_the_account_is_spent() -> None:
    account = Account(0.5)
    with WorkerPool(replace(SETTINGS, timeout_seconds=0.5), 1, process=process) as pool:
        with pytest.raises(TaskFailed):
            pool.run(call, "hang", account=account).result(60)
        with pytest.raises(BudgetSpent):
            pool.run(call, "ok", account=account).result(60)
        assert pool.run(call, "ok").result(60) == "ok", "what has no account has no limit"
    assert len(account.charged) == 1


def test_workers_leave_signals_to_the_parent(pool: WorkerPool) -> None:
    assert reason(pool.submit(document("interrupt"))) is Reason.NO_ARTICLE


def test_large_documents_and_answers(pool: WorkerPool) -> None:
    futures = [pool.submit(document("ok" + "x" * 8_000_000, n)) for n in range(6)]
    futures += [pool.submit(document("large 8000000", n)) for n in range(6)]
    assert [len(detail(future)) for future in futures[6:]] == [8_000_000] * 6
    assert {reason(future) for future in futures} == {Reason.NO_ARTICLE}


def test_bodies_arrive_whole_at_every_size(pool: WorkerPool) -> None:
    sizes = [7, 8, 1 << 16, 1 << 20, (3 << 20) + 1]
    futures = [pool.submit(document("length ".ljust(size, "x"))) for size in sizes]
    assert [int(detail(future)) for future in futures] == sizes
    assert reason(pool.submit(document(""))) is Reason.NO_ARTICLE


def test_a_call_ends_with_what_the_function_returns_or_raises(pool: WorkerPool) -> None:
    assert pool.run(divmod, 7, 2).result(60) == (3, 1)
    with pytest.raises(ValueError, match="invalid literal"):
        pool.run(int, "seven").result(60)


@pytest.mark.parametrize(
    ("order", "expected", "said"),
    [*FAULTS, ("raise unsendable", Reason.INTERNAL_ERROR, "Unsendable: made in the worker")],
)
def test_a_call_that_does_not_return_costs_itself_alone(order: str, expected: Reason, said: str) -> None:
    limits = HASTY if expected is Reason.TIMEOUT else SETTINGS
    with WorkerPool(limits, 2, process=process, memory_bytes=500_000_000) as pool:
        before = [pool.submit(document("ok", n)) for n in range(50)]
        bad = pool.run(call, order)
        after = [pool.submit(document("ok", n)) for n in range(50)]
        good = pool.run(call, "ok")
    with pytest.raises(TaskFailed, match=said) as failed:
        bad.result(0)
    assert failed.value.reason is expected
    assert good.result(0) == "ok"
    assert {reason(future) for future in before + after} == {Reason.NO_ARTICLE}


def test_calls_go_before_documents_in_the_order_of_their_coming() -> None:
    pool = WorkerPool(SETTINGS, 1, process=process)
    documents = [pool.submit(document("ok", n)) for n in range(50)]
    calls = [pool.run(call, "first"), pool.run(call, "second")]
    waiting: list[Future[Any]] = [*documents, *calls]
    ended: list[object] = []
    for future in waiting:
        future.add_done_callback(ended.append)
    with pool:  # no worker takes anything before
        pass
    assert ended == [*calls, *documents]


def test_a_call_that_cannot_be_sent(pool: WorkerPool) -> None:
    with pytest.raises(TaskFailed, match="cannot be sent"):
        pool.run(lambda: None).result(60)
    assert reason(pool.submit(document("ok"))) is Reason.NO_ARTICLE


def test_killed_workers_lose_nothing_but_what_they_had_in_hand() -> None:
    chance = random.Random(7)
    with WorkerPool(SETTINGS, 3, process=process, max_tasks=40) as pool:
        # One dies for certain, alone in its message. Of several in one message each is tried again, alone.
        alone = pool.submit(document("sleep 60"))
        wait_until(lambda: any(worker.sent for worker in pool._workers))
        next(worker for worker in pool._workers if worker.sent).process.kill()
        assert reason(alone) is Reason.WORKER_DIED
        bodies = ["sleep 0.002" if n % 2 else "large 200000" for n in range(1_000)]
        futures = [pool.submit(document(body, n)) for n, body in enumerate(bodies)]
        kills, wanted = 1, 0
        may_kill_a_start = True
        while (done := sum(future.done() for future in futures)) < len(futures):
            # After so many more documents, not seconds: a slow machine would get nothing done between two.
            if done < wanted:
                time.sleep(0.001)
                continue
            wanted = done + chance.randrange(40)
            # A pool none of whose workers gets as far as to be ready rightly gives up. So between two workers
            # that are killed while they start, one is killed that was ready.
            ready = {worker.process.pid for worker in list(pool._workers) if worker.is_ready}
            victims = [pid for pid in pool.worker_pids() if pid in ready or may_kill_a_start]
            with contextlib.suppress(ProcessLookupError, IndexError):
                victim = chance.choice(victims)
                os.kill(victim, signal.SIGKILL)
                kills += 1
                may_kill_a_start = victim in ready
        died = sum(reason(future) is Reason.WORKER_DIED for future in [alone, *futures])
    assert 0 < died <= kills
    outcomes = [future.result() for future in futures]
    assert [outcome.location for outcome in outcomes] == [f"doc-{n}" for n in range(1_000)]


def test_workers_are_replaced_after_so_many_documents() -> None:
    with WorkerPool(SETTINGS, 1, process=process, max_tasks=10) as pool:
        workers = [detail(pool.submit(document("ok", n))) for n in range(35)]
    assert len(set(workers)) == 4
    assert max(workers.count(worker) for worker in workers) == 10


def test_a_worker_that_ran_out_of_memory_is_replaced() -> None:
    with WorkerPool(SETTINGS, 1, process=process, memory_bytes=500_000_000) as pool:
        before = detail(pool.submit(document("ok")))
        assert reason(pool.submit(document("bomb"))) is Reason.WORKER_DIED
        assert detail(pool.submit(document("ok"))) != before


def test_documents_are_spread_over_the_workers() -> None:
    with WorkerPool(SETTINGS, 3, process=process) as pool:
        while len(pool.worker_pids()) < 3:
            time.sleep(0.01)
        futures = [pool.submit(document("sleep 0.3", n)) for n in range(24)]
        workers = {detail(future) for future in futures}
    assert len(workers) == 3


def test_leaving_waits_and_an_exception_does_not() -> None:
    with WorkerPool(SETTINGS, 2, process=process) as pool:
        futures = [pool.submit(document("sleep 0.05", n)) for n in range(20)]
    assert all(future.done() for future in futures)
    with pytest.raises(PoolBroken):
        pool.submit(document("ok"))
    futures = []
    with pytest.raises(KeyError):
        _submit_and_fail(futures)
    assert all(future.cancelled() for future in futures)


def _submit_and_fail(futures: list[Future[Outcome]]) -> None:
    with WorkerPool(SETTINGS, 1, process=process) as pool:
        futures.extend([pool.submit(document("sleep 50", n)) for n in range(20)])
        raise KeyError


def test_cancelling() -> None:
    with WorkerPool(SETTINGS, 1, process=process) as pool:
        assert reason(pool.submit(document("ok"))) is Reason.NO_ARTICLE
        futures = [pool.submit(document("sleep 0.1", n)) for n in range(30)]
        time.sleep(0.05)
        pool.cancel_waiting()
        cancelled = [future.cancelled() for future in futures]
        assert cancelled == sorted(cancelled), "only the end of the queue is cancelled"
        assert cancelled[-1]
        assert not cancelled[0]
        dropped = pool.submit(document("sleep 0.1"))
        dropped.cancel()
        last = pool.submit(document("ok"))
        assert reason(last) is Reason.NO_ARTICLE
    with pytest.raises(CancelledError):
        dropped.result(0)
    assert all(future.done() for future in futures)


def test_submitting_from_many_threads(pool: WorkerPool) -> None:
    futures: list[Future[Outcome]] = []

    def submit(start: int) -> None:
        futures.extend([pool.submit(document("ok", start + n)) for n in range(100)])

    threads = [threading.Thread(target=submit, args=(1_000 * n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({future.result().location for future in futures}) == 500


def dies_at_once(document: Document, settings: Settings) -> Outcome:
    raise AssertionError("never called: its module cannot be imported in a worker")


def test_workers_that_cannot_start_are_said_to_and_do_not_loop() -> None:
    dies_at_once.__module__ = "no.such.module"
    module = types.ModuleType("no.such.module")
    module.dies_at_once = dies_at_once  # type: ignore[attr-defined]
    sys.modules.update({"no": types.ModuleType("no"), "no.such": types.ModuleType("no.such")})
    sys.modules["no.such.module"] = module
    try:
        with WorkerPool(SETTINGS, 1, process=dies_at_once) as pool:
            future = pool.submit(document("ok"))
            with pytest.raises(PoolBroken, match="end as soon as they start"):
                future.result(60)
            with pytest.raises(PoolBroken):
                pool.submit(document("ok"))
    finally:
        for name in ("no", "no.such", "no.such.module"):
            del sys.modules[name]


def test_the_number_of_workers_is_checked() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        WorkerPool(SETTINGS, 0)
