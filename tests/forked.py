"""Starts `scrapy` and `copydesk` for tests quickly: forks a process that has imported what they need.

A command that is started anew spends three seconds of processor time on imports, most of them in the fork
server of its workers. The tests run hundreds of commands. So there is a server that has imported everything,
and a warm fork server beside it, and the server forks for each command. All processes of pytest-xdist share
one. The command is a process of its own, run as `python -m` runs it: it has its own arguments, environment,
current folder, files and exit status. Tests of how a program starts, and of process groups, start it anew.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import traceback
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]

# These read the environment when they are imported, most by importing the settings, so each command imports
# them itself. Twisted's reactor, which Scrapy chooses, is not imported either.
_NOT_BEFOREHAND = (
    "crawler.settings",
    "crawler.addon",
    "crawler.commands",
    "crawler.probing",
    "storage.migrations",
)
_LIBRARIES = (
    "alembic.command",
    "pipeline.warm",
    "psycopg",
    "rich.progress",
    "scrapy.cmdline",
    "scrapy.core.engine",
    "scrapy.utils.reactor",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "tldextract",
    "typer",
)
_LARGEST_REQUEST = 1 << 20
# The server's own, which is not that of the test that happens to be the first to run a command.
_ENVIRONMENT = dict(os.environ)


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: str = "",
    check: bool = False,
    timeout: float = 600,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as subprocess.run does with text and captured output.

    Raises TimeoutError after so many seconds; CalledProcessError where a failure is checked for.
    """
    started = Started(command, cwd=cwd, env=env, input=input)
    try:
        out, err = started.communicate(timeout)
    finally:
        started.kill()
    done = subprocess.CompletedProcess(command, started.wait(), out, err)
    if check:
        done.check_returncode()
    return done


class Started:
    """A command that runs, with the methods of subprocess.Popen that tests use.

    command: begins with `python -m MODULE` or `python -c PROGRAM`. Its output goes to a file each.
    has_session: it begins a session of its own. All that it starts belongs to it, also its fork server and
    the resource tracker, which are forked as well. terminal: a descriptor for its input and all of its
    output, which controls that session.
    forks_commands: the `copydesk` commands that it starts itself are forked from it; for `copydesk schedule`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        input: str = "",
        has_session: bool = False,
        terminal: int | None = None,
        forks_commands: bool = False,
    ) -> None:
        python, option, what, *arguments = command
        assert (python, option in ("-m", "-c")) == (sys.executable, True), command
        request = {
            "option": option,
            "what": what,
            "arguments": arguments,
            "environment": dict(os.environ if env is None else env),
            "folder": str(cwd or Path.cwd()),
            "has_session": has_session or terminal is not None,
            "has_terminal": terminal is not None,
            "forks_commands": forks_commands,
        }
        self.returncode: int | None = None
        self._out, self._err = (tempfile.TemporaryFile("w+") for _ in range(2))  # noqa: SIM115
        self._told = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._told.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGEST_REQUEST)
        self._told.connect(server_address())
        with tempfile.TemporaryFile("w+") as given:
            given.write(input)
            given.seek(0)
            files = [file.fileno() for file in (given, self._out, self._err)]
            handles = files if terminal is None else [terminal] * 3
            socket.send_fds(self._told, [json.dumps(request).encode()], handles)
        self.pid = int(self._told.recv(100))

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; returns its exit status, negative for a signal. Raises TimeoutError."""
        if self.returncode is None:
            self._told.settimeout(timeout)
            self.returncode = int(self._told.recv(100))
            self._told.close()
        return self.returncode

    def poll(self) -> int | None:
        with contextlib.suppress(BlockingIOError):
            self.wait(0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def said(self) -> str:
        """What it wrote to standard error so far."""
        file = self._err.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end; returns what it wrote to standard output and to standard error."""
        self.wait(timeout)
        said = []
        for file in (self._out, self._err):
            with file:
                file.seek(0)
                said.append(file.read())
        return said[0], said[1]


_address_of_another: str | None = None


def use_server(address: str) -> None:
    """Take the server that another process has started."""
    global _address_of_another
    _address_of_another = address


def server_address() -> str:
    """The address of the socket of the server. It is started when this is first asked, and then waits for its
    first command before it imports anything.
    """
    return _address_of_another or _start_server()


@functools.cache
def _start_server() -> str:
    """It ends when this process does, which closes its standard input."""
    address = f"\0copydesk-tests-{os.getpid()}"  # in the abstract namespace: no file
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen(64)
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.forked", str(listener.fileno())],
            cwd=ROOT,
            # As in workers: unneeded threads would not survive a fork.
            env=_ENVIRONMENT | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
        )
    assert server.stdin
    pipe = server.stdin

    def end() -> None:
        pipe.close()
        server.wait(60)

    atexit.register(end)
    return address


# The code below runs in the server.


def _import_all() -> None:
    from scrapy.settings import default_settings
    from scrapy.utils.misc import load_object, walk_modules_iter

    for name in _LIBRARIES:
        importlib.import_module(name)
    list(walk_modules_iter("scrapy.commands"))
    for names in ("EXTENSIONS_BASE", "DOWNLOADER_MIDDLEWARES_BASE", "SPIDER_MIDDLEWARES_BASE"):
        for component in getattr(default_settings, names):
            load_object(component)
    for package in ("pipeline", "storage", "crawler"):
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if not name.startswith(_NOT_BEFOREHAND):
                importlib.import_module(name)
    assert not {"crawler.settings", "twisted.internet.reactor"} & sys.modules.keys()


def _start_fork_server() -> None:
    """Start what workers are forked from, for all commands, where it does not run."""
    from crawler.workers.fork_server import start_fork_server
    from crawler.workers.pool import modules_of_workers
    from crawler.workers.worker import process_document

    start_fork_server([*modules_of_workers(process_document), "crawler.discovery"])


def _serve(listener: socket.socket) -> dict[str, Any]:
    """Fork for each request; returns in the process that is to carry it out, and never in the server.

    The pid of a process, and its exit status, are sent to who asked for it.
    """
    running: dict[int, socket.socket] = {}
    woken, waking = socket.socketpair()
    for end in (woken, waking):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([sys.stdin, listener, woken], [], [])
        if sys.stdin in ready:
            os._exit(0)
        if woken in ready:
            woken.recv(1000)
            _report_ended(running)
        if listener not in ready:
            continue
        asking, _ = listener.accept()
        data, handles, _, _ = socket.recv_fds(asking, _LARGEST_REQUEST, 3)
        _prepare()
        _start_fork_server()  # the last one may have ended
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number, handle in enumerate(handles):
                os.dup2(handle, number)
            for handle in handles:
                os.close(handle)
            for inherited in (listener, woken, waking, asking, *running.values()):
                inherited.close()
            return dict(json.loads(data))
        for handle in handles:
            os.close(handle)
        running[pid] = asking
        asking.send(str(pid).encode())


def _report_ended(running: dict[int, socket.socket]) -> None:
    for pid in list(running):  # not every child: multiprocessing waits for the fork server
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with running.pop(pid) as asking, contextlib.suppress(OSError):  # who asked may be gone
                asking.send(str(os.waitstatus_to_exitcode(status)).encode())


def _begin_session(has_terminal: bool) -> None:
    """Begin a session, in which the fork server and the resource tracker are to be of this process."""
    os.setsid()
    if has_terminal:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    _fork_own_servers()


def _fork_own_servers() -> None:
    """Fork the fork server and the resource tracker from this process when they are needed."""
    from tests.chaos.quick import fork_servers_from_here

    fork_servers_from_here()
    tracker: Any = resource_tracker._resource_tracker
    tracker._fd = tracker._pid = None


def _fork_commands() -> None:
    """From now on subprocess and asyncio fork the `copydesk` commands that this process starts.

    They are forked from a process that is forked here, before this one has opened a database. It forks twice,
    and this process gets what has lost its parent, so a command is its child, as if it had been started anew.
    """
    subreaper = 36  # PR_SET_CHILD_SUBREAPER
    assert ctypes.CDLL(None).prctl(subreaper, 1, 0, 0, 0) == 0
    asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        asking.close()
        end_process(_act(_serve_parent(asked)))
    asked.close()
    of_subprocess: Any = subprocess
    start_anew = of_subprocess._fork_exec

    def start(*given: Any) -> int:
        arguments = [os.fsdecode(argument) for argument in given[0]]
        if arguments[:3] != [sys.executable, "-m", "copydesk"]:
            return int(start_anew(*given))
        folder, environment, group = given[4], given[5], given[16]
        assert group == 0, "each command is to have a process group"
        pairs = (os.fsdecode(entry).partition("=") for entry in environment)
        request = {
            "option": "-m",
            "what": "copydesk",
            "arguments": arguments[3:],
            "environment": {name: value for name, _, value in pairs},
            "folder": folder or os.getcwd(),
        }
        handles = [given[6], given[9], given[11]]
        socket.send_fds(asking, [json.dumps(request).encode()], handles)
        return int(asking.recv(100))

    of_subprocess._fork_exec = start


def _serve_parent(asked: socket.socket) -> dict[str, Any]:
    """Fork for each request of the parent; returns in the process that is to carry it out."""
    while True:
        data, handles, _, _ = socket.recv_fds(asked, _LARGEST_REQUEST, 3)
        if not data:
            os._exit(0)
        told, telling = os.pipe()
        between = os.fork()
        if between == 0:
            pid = os.fork()
            if pid:
                os.setpgid(pid, pid)
                os.write(telling, str(pid).encode())
                os._exit(0)
            os.setpgid(0, 0)
            for inherited in (told, telling, asked.detach()):
                os.close(inherited)
            for number, handle in enumerate(handles):
                os.dup2(handle, number)
                os.close(handle)
            _fork_own_servers()
            return dict(json.loads(data))
        os.waitpid(between, 0)
        asked.send(os.read(told, 100))
        for handle in (told, telling, *handles):
            os.close(handle)


def use_inherited_fork_server() -> None:
    """In a process that was forked: take workers from the fork server of the process that it was forked from.

    That server is not a child of this process, so multiprocessing would start a second one. It ends where a
    process is killed while it asks for a worker; then this one starts its own.
    """
    server: Any = forkserver._forkserver
    inherited, ensure_running = server._forkserver_pid, server.ensure_running

    def ensure_that_one_runs() -> None:
        if _has_ended(inherited):
            os.close(server._forkserver_alive_fd)
            server._forkserver_alive_fd = None
            forkserver.ensure_running = server.ensure_running = ensure_running
            ensure_running()

    forkserver.ensure_running = server.ensure_running = ensure_that_one_runs
    server._forkserver_pid = None


def _has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _become(request: dict[str, Any]) -> int:
    """Act as the process that was requested; returns its exit status."""
    if request["has_session"]:
        _begin_session(request["has_terminal"])
    elif request["forks_commands"]:
        _fork_commands()
    else:
        use_inherited_fork_server()
    return _act(request)


def _act(request: dict[str, Any]) -> int:
    """Run the module or the program that was requested; returns the exit status."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    is_module = request["option"] == "-m"
    sys.argv = [request["what"] if is_module else "-c", *request["arguments"]]
    try:
        if is_module:
            runpy.run_module(request["what"], run_name="__main__", alter_sys=True)
        else:
            exec(request["what"], {"__name__": "__main__"})
    except SystemExit as ending:
        if ending.code is None or isinstance(ending.code, int):
            return ending.code or 0
        print(ending.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def end_process(status: int) -> NoReturn:
    """End as an interpreter does, except that it does not free what the server has imported.

    That would copy all of the memory that this process shares with the server. Of what it would free, the
    connections to databases matter: SQLite writes its log into the database file when the last one closes.
    """
    from sqlalchemy import Engine

    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for thing in gc.get_objects():  # without what the server has frozen
        if type(thing) is Engine:
            thing.dispose()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


@functools.cache
def _prepare() -> None:
    """Import everything, when the first command is asked for."""
    _import_all()
    _start_fork_server()
    gc.freeze()


def main() -> None:
    end_process(_become(_serve(socket.socket(fileno=int(sys.argv[1])))))


if __name__ == "__main__":
    main()
