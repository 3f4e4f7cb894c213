"""How much a command says: -q and -v, which every command takes, as it takes --version."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

import typer

from copydesk.terminal.console import err

# The packages whose messages -v shows. Those of libraries stay as they are.
_OURS = ("copydesk", "crawler", "pipeline", "storage")


class Volume(Enum):
    """What goes to standard error. QUIET: errors and questions only. VERBOSE: also how an error came."""

    QUIET = "quiet"
    NORMAL = "normal"
    VERBOSE = "verbose"


_volume = Volume.NORMAL


def volume() -> Volume:
    """What the operator asked for."""
    return _volume


def set_volume(wanted: Volume) -> None:
    """Say as much from now on."""
    global _volume
    _volume = wanted
    err.quiet = wanted is Volume.QUIET
    if wanted is Volume.VERBOSE:
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.DEBUG if wanted is Volume.VERBOSE else logging.NOTSET)


def _show_version(wanted: bool) -> None:
    if wanted:
        from copydesk import __version__

        typer.echo(f"copydesk {__version__}")
        raise typer.Exit


Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what went wrong.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more: the log, and how an error came.")]
Version = Annotated[
    bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version, and end.")
]
# Their parameters are called so, which no parameter of a command is.
HABITS = ("quiet", "verbose", "version")


def choose_volume(quiet: Quiet = False, verbose: Verbose = False, version: Version = False) -> None:
    """What stands before the name of a command: `copydesk -q crawl`."""
    set_volume(_asked(quiet, verbose) or Volume.NORMAL)


def with_habits(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the options -q, -v and --version, which also stand behind its name."""

    @functools.wraps(command)
    def louder(*arguments: Any, quiet: bool, verbose: bool, version: bool, **named: Any) -> Any:
        if asked := _asked(quiet, verbose):
            set_volume(asked)
        return command(*arguments, **named)

    own = inspect.signature(command, eval_str=True)
    common = inspect.signature(choose_volume, eval_str=True).parameters
    parameters = [*own.parameters.values(), *common.values()]
    louder.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    louder.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return louder


def _asked(quiet: bool, verbose: bool) -> Volume | None:
    if quiet and verbose:
        raise typer.BadParameter("-q and -v are opposites: give one of them")
    return Volume.QUIET if quiet else Volume.VERBOSE if verbose else None
