"""Runs rounds of chaos, then kills for watchlists: `python -m tests.chaos` (`make chaos`). See README.md."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.chaos.databases import DATABASES, database, server_of
from tests.chaos.plan import Kind
from tests.chaos.rooms import may_mount
from tests.chaos.round import Report, run_round
from tests.chaos.watching import kill_on_each


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--seed", type=int, help="of the first round; the next has the next seed. Default: random"
    )
    parser.add_argument(
        "--minutes", type=float, default=10, help="no round begins later than that, default 10"
    )
    parser.add_argument("--rounds", type=int, help="at most so many seeds")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both")
    parser.add_argument("--faults", type=int, default=5, help="of each kind in a round, default 5")
    parser.add_argument("--documents", type=int, default=240, help="of each writer, default 240")
    parser.add_argument(
        "--kills", type=int, default=60, help="of ingests beside watch runs on each database, default 60"
    )
    parser.add_argument(
        "--quick", action="store_true", help="pages are read without a parser, so that workers start quickly"
    )
    options = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    print(f"--seed {seed}", flush=True)
    if not may_mount():
        print("no file system can be mounted here: no full disk and no full $TMPDIR, but file limits")
    end = time.monotonic() + 60 * options.minutes
    kinds = DATABASES if options.database == "both" else (options.database,)
    with ExitStack() as servers:
        of = {kind: servers.enter_context(server_of(kind)) for kind in kinds}
        number = 0
        while (options.rounds is None or number < options.rounds) and (number == 0 or time.monotonic() < end):
            for kind in kinds:
                folder = Path(tempfile.mkdtemp(prefix="copydesk-chaos-"))
                folder.chmod(0o755)  # the server of PostgreSQL has a user of its own
                try:
                    with database(kind, folder, of[kind]) as fresh:
                        report = run_round(
                            fresh,
                            seed + number,
                            folder,
                            each=options.faults,
                            documents=options.documents,
                            is_quick=options.quick,
                        )
                except Exception as error:
                    again = f"python -m tests.chaos --seed {seed + number} --rounds 1 --database {kind}"
                    sizes = f"--faults {options.faults} --documents {options.documents}"
                    quick = f"{' --quick' if options.quick else ''} --kills 0"
                    print(f"seed {seed + number}, {kind}: {type(error).__name__}: {error}")
                    print(f"Again: {again} {sizes}{quick}")
                    print(f"Logs: {folder}")
                    return 1
                shutil.rmtree(folder)
                print(f"seed {seed + number}, {kind}: {_said(report)}", flush=True)
            number += 1
        return kill_on_each(of, seed, options.kills) if options.kills else 0


def _said(report: Report) -> str:
    faults = ", ".join(f"{report.faults[kind]} {kind}" for kind in Kind if report.faults[kind])
    ends = Counter({f"{status}": count for status, count in report.ends.items()})
    ended = ", ".join(f"{count} with {status}" for status, count in sorted(ends.items()))
    return (
        f"same as without faults. {report.faults.total()} faults ({faults});"
        f" runs ended {ended}; {report.reads} reads, {report.failed} not possible"
    )


if __name__ == "__main__":
    sys.exit(main())
