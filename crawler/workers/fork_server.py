"""Starts worker processes that import from where this process does, and from nowhere else.

multiprocessing starts its fork server and its resource tracker by `python -c`, which puts the current folder
first on their path, wherever the program itself imports from. A file `lxml.py` or `selectors.py` of that
folder would be executed in them. PYTHONSAFEPATH keeps the folder out. PYTHONPATH gives them the path of this
process, which Python 3.11 does not pass on to the fork server.

multiprocessing also has each child execute the file of the `__main__` module again. Our workers need nothing
of it, and for a program on standard input that file would be one called `<stdin>` in the current folder.

Ctrl-C on a terminal goes to every process of the group, and a service manager's SIGTERM to every process of
the service. The fork server and the workers have both signals blocked, because the run itself decides when
they end.
"""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import multiprocessing.process
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerProcess
from types import ModuleType
from typing import Any

from pipeline.errors import OperatorError

_LOCK = threading.Lock()
# Workers share the cores already; threads of a linear algebra library in each would only compete for them.
_VARIABLES = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def start_fork_server(modules: Sequence[str]) -> None:
    """Start the fork server once in a program, with these modules imported for all workers.

    Not `fork`: the parent has threads. Not `spawn`: every replaced worker would import again, for seconds.
    Raises OSError if it cannot be started, for example for want of space for its socket in $TMPDIR.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(modules))
    with safe_start(_VARIABLES), _signals_blocked():
        _forget_inherited_server()
        forkserver.ensure_running()


def start_worker(target: Callable[..., None], arguments: tuple[Any, ...]) -> ForkServerProcess:
    """Start a process that calls the target; the fork server is started again if it has ended.

    Raises OSError, or EOFError if the fork server ends meanwhile. If it is stopped, this waits until it goes
    on.
    """
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=target, args=arguments, name="copydesk-worker", daemon=True)
    with safe_start(_VARIABLES), _signals_blocked():
        _forget_inherited_server()
        process.start()
    # At the end of the program multiprocessing would wait for this process, for ever if its fork server is
    # stopped. A worker ends by itself when its socket is closed.
    multiprocessing.process._children.discard(process)  # type: ignore[attr-defined]
    return process


def _forget_inherited_server() -> None:
    """Let a process that was forked start a fork server of its own.

    multiprocessing would wait for the one of its parent, which is no child of this process, and fail.
    """
    server: Any = forkserver._forkserver
    if server._forkserver_pid is None:
        return
    try:
        os.waitid(os.P_PID, server._forkserver_pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        os.close(server._forkserver_alive_fd)
        server._forkserver_alive_fd = server._forkserver_pid = server._forkserver_address = None


def cannot_start(error: Exception) -> str:
    """Why there is no worker process, and what to do if the disk or $TMPDIR is the reason."""
    # Without a number: Python itself raises it. A socket's path has 107 bytes at most.
    if isinstance(error, OSError) and str(error) == "AF_UNIX path too long":
        folder = tempfile.gettempdir()
        return (
            f"no worker process can be started: TMPDIR is too long for a socket, name a shorter one: {folder}"
        )
    remedy = "; free some space, or let TMPDIR name another folder" if isinstance(error, OSError) else ""
    if getattr(error, "errno", None) not in (errno.ENOSPC, errno.EDQUOT, errno.ENOENT, errno.EACCES):
        remedy = ""
    return f"no worker process can be started: {type(error).__name__}: {error}".rstrip(": ") + remedy


def kill_process(process: ForkServerProcess) -> None:
    """End a worker process at once, if it has not ended."""
    with contextlib.suppress(OSError, ValueError):
        process.kill()


def manner_of_death(process: ForkServerProcess) -> str:
    """What ended a worker process, in words."""
    process.join(5)
    code = process.exitcode
    if code is None or code >= 0:
        return f"the worker ended with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"the worker was ended by {name}"


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Block SIGINT and SIGTERM in this thread: a process that is started inherits that."""
    resource_tracker.ensure_running()  # unblocks them where it starts the tracker
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def safe_start(variables: Mapping[str, str] | None = None) -> Iterator[None]:
    """Give processes that multiprocessing starts in this context the path of this process only.

    variables: more variables for their environment, where it does not have them yet. The environment and
    `__main__` of this process are restored afterwards. Raises OperatorError under `python -E` without `-P`,
    where the environment is ignored.
    """
    if sys.flags.ignore_environment and not sys.flags.safe_path:
        raise OperatorError(
            "python -E: its workers would import from the current folder; start it with -E -P, or with -I"
        )
    with _LOCK:  # which also keeps the variables of another thread apart from those that were there before
        own = {name: value for name, value in (variables or {}).items() if name not in os.environ}
        before = {name: os.environ.get(name) for name in (*own, "PYTHONSAFEPATH", "PYTHONPATH")}
        main = sys.modules["__main__"]
        try:
            os.environ.update(own, **safe_path_variables())
            sys.modules["__main__"] = ModuleType("__main__")
            yield
        finally:
            sys.modules["__main__"] = main
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def safe_path_variables() -> dict[str, str]:
    """Environment variables by which a Python process imports from where this process does, and not from the
    current folder.

    Of the path, as much as PYTHONPATH can hold. Python would look for a relative entry, such as the mark of
    an editable install, in the current folder, and would split an entry with a colon in two.
    """
    path = [entry or os.getcwd() for entry in sys.path]
    kept = [entry for entry in path if os.path.isabs(entry) and os.pathsep not in entry]
    return {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(kept)}
