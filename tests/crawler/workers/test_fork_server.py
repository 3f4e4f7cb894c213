"""The fork server: import paths of what it starts, and runs whose fork server is killed or stopped."""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, cast

import pytest

from crawler.workers import pool as pool_module
from crawler.workers.fork_server import cannot_start, safe_start, start_fork_server, start_worker
from crawler.workers.pool import WorkerPool, modules_of_workers
from pipeline.document import Rejection
from pipeline.errors import OperatorError
from pipeline.settings import Settings
from tests.crawler.misbehaving import document, process
from tests.waiting import wait_until

SETTINGS = Settings(timeout_seconds=60)


def test_started_processes_have_the_path_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    # A pool of an earlier test may still start a worker, which changes the environment as well.
    wait_until(lambda: not [t for t in threading.enumerate() if t.name == "copydesk-start"])
    main = sys.modules["__main__"]
    monkeypatch.setattr(sys, "path", ["/a", "", "mark.of.an.editable.install", "/b:c", "/d"])
    monkeypatch.setenv("PYTHONPATH", "/own")
    monkeypatch.setenv("FIRST", "kept")
    before = dict(os.environ)
    with safe_start({"FIRST": "1", "SECOND": "1"}):
        assert os.environ == {
            **before,
            "SECOND": "1",
            "PYTHONSAFEPATH": "1",
            "PYTHONPATH": f"/a:{os.getcwd()}:/d",
        }
    assert os.environ == before
    assert sys.modules["__main__"] is main


def test_each_of_two_threads_has_the_variables_that_it_asks_for() -> None:
    found: list[str | None] = []
    begun = threading.Event()

    def start() -> None:
        begun.set()
        with safe_start({"COPYDESK_TEST": "1"}):
            found.append(os.environ.get("COPYDESK_TEST"))

    thread = threading.Thread(target=start)
    with safe_start({"COPYDESK_TEST": "1"}):
        thread.start()
        begun.wait()
        time.sleep(0.1)  # it waits for its turn by now
    thread.join()
    assert found == ["1"]
    assert "COPYDESK_TEST" not in os.environ


@pytest.fixture
def server() -> Iterator[Callable[[signal.Signals], None]]:
    """Sends a signal to the fork server of this process; afterwards it goes on, or is started anew."""

    def send(number: signal.Signals) -> None:
        os.kill(_pid(), number)

    yield send
    with contextlib.suppress(ProcessLookupError):
        send(signal.SIGCONT)


def _pid() -> int:
    return cast(int, forkserver._forkserver._forkserver_pid)  # type: ignore[attr-defined]


def _done(pool: WorkerPool, text: str = "ok") -> str:
    outcome = pool.submit(document(text)).result(60)
    assert isinstance(outcome, Rejection)
    return outcome.detail


def test_a_pool_whose_fork_server_is_killed_goes_on(server: Callable[[signal.Signals], None]) -> None:
    with WorkerPool(SETTINGS, 1, process=process) as pool:
        for _ in range(3):
            assert _done(pool).isdigit()
            server(signal.SIGKILL)
            assert _done(pool, "kill").startswith("the worker ended")
            assert _done(pool).isdigit()


def test_a_run_that_starts_after_its_fork_server_was_killed_starts_another(
    server: Callable[[signal.Signals], None],
) -> None:
    start_fork_server(modules_of_workers(process))
    server(signal.SIGKILL)
    with WorkerPool(SETTINGS, 2, process=process) as pool:
        assert _done(pool).isdigit()


def test_a_start_that_the_fork_server_breaks_off_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [EOFError(), ConnectionRefusedError(), BrokenPipeError()]

    def start(*arguments: Any) -> Any:
        if faults:
            raise faults.pop()
        return start_worker(*arguments)

    monkeypatch.setattr(pool_module, "start_worker", start)
    with WorkerPool(SETTINGS, 2, process=process) as pool:
        assert _done(pool).isdigit()
    assert not faults


def test_a_fork_server_that_never_works_ends_the_run_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: Any) -> Any:
        raise EOFError

    monkeypatch.setattr(pool_module, "start_worker", start)
    with WorkerPool(SETTINGS, 1, process=process) as pool:
        future = pool.submit(document("ok"))
        with pytest.raises(OperatorError, match=r"^no worker .* started: EOFError \(3 attempts\)$"):
            future.result(60)


def test_a_stopped_fork_server_ends_the_run_in_one_line(
    server: Callable[[signal.Signals], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "_START_SECONDS", 0.5)
    start_fork_server(modules_of_workers(process))
    server(signal.SIGSTOP)
    with WorkerPool(SETTINGS, 1, process=process) as pool:
        future = pool.submit(document("ok"))
        with pytest.raises(OperatorError, match=r"^the server that starts worker processes did not answer"):
            future.result(60)
    assert not multiprocessing.active_children()


def test_a_pool_whose_fork_server_is_stopped_can_be_killed(server: Callable[[signal.Signals], None]) -> None:
    start_fork_server(modules_of_workers(process))
    server(signal.SIGSTOP)
    with WorkerPool(SETTINGS, 1, process=process) as pool:
        future = pool.submit(document("ok"))
        pool.kill()
        with pytest.raises(CancelledError):
            future.result(60)


def test_a_folder_that_is_too_long_for_its_socket_gives_one_line(tmp_path: Path) -> None:
    """It fails in the same call as a full disk."""
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    page = tmp_path / "page.txt"
    page.write_text("A headline\n\nA story.\n")
    command = [sys.executable, "-m", "copydesk", "ingest", str(page), "--db", f"sqlite:///{tmp_path}/a.db"]
    environment = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    said = "copydesk: no worker process can be started: TMPDIR is too long for a socket, name a shorter one: "
    assert line.startswith(said + str(folder)[:60])


def test_without_room_the_disk_is_named() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    assert cannot_start(full).endswith("; free some space, or let TMPDIR name another folder")
    assert cannot_start(OSError("socket")) == "no worker process can be started: OSError: socket"


def test_signals_to_the_group_do_not_end_the_fork_server() -> None:
    start_fork_server(modules_of_workers(process))
    before = _pid()
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(before, number)
    with WorkerPool(SETTINGS, 1, process=process) as pool:
        assert _done(pool).isdigit()
    assert _pid() == before


def test_a_process_that_was_forked_has_a_fork_server_of_its_own() -> None:
    program = """
import os
from crawler.workers.fork_server import start_fork_server, start_worker
start_fork_server(["json"])
pid = os.fork()
process = start_worker(print, ("worker",))
process.join()
if pid == 0:
    os._exit(process.exitcode)
assert process.exitcode == 0
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "worker\nworker\n"), done.stderr
