"""Fuzzes targets under atheris, one after another, each for some seconds.

    python -m tests.fuzz [TARGET…] [--seconds 600]

What covers something new is kept in .cache/fuzz/TARGET and is where the next run begins. Inputs that do harm
are written to .cache/fuzz/found, each kind once, with a text beside it that says what they do. The exit
status is 1 if there are any.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import resource
import subprocess
import sys
import traceback
import zlib
from pathlib import Path

CACHE = Path(".cache/fuzz")
# Address space beyond what the process has at its start.
_MEMORY = 4 << 30
# By the clock, and an input that is made longer takes many times as long.
_STALL_SECONDS = 300
# Of so many inputs one is made longer in three places.
_GROWN = 50
_PACKAGES = [
    "copydesk",
    "crawler",
    "pipeline",
    "storage",
    "feedparser",
    "protego",
    "w3lib",
    "tarfile",
    "zipfile",
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        fuzz(arguments.targets[0], arguments.seconds)
    from tests.fuzz.targets import TARGETS

    if unknown := set(arguments.targets) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}; there are: {', '.join(TARGETS)}")
    found = CACHE / "found"
    found.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    for name in arguments.targets or TARGETS:
        command = [sys.executable, "-m", "tests.fuzz", name, "--alone", "--seconds", str(arguments.seconds)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        ended = re.findall(
            r"^(?:Done|stat::number_of_executed_units|==\d+== ERROR|found ).*", done.stderr, re.M
        )
        print(f"{name}: {'; '.join(ended) or done.stderr[-2000:]}", flush=True)
        if done.returncode and not set(found.iterdir()) - before:
            sys.exit(f"{name} ended with {done.returncode}: {done.stderr[-2000:]}")
    if new := sorted(set(found.iterdir()) - before):
        sys.exit("\n".join(["inputs that do harm:", *map(str, new)]))


def fuzz(name: str, seconds: int) -> None:
    """Fuzz one target, and end the process."""
    import atheris

    with atheris.instrument_imports(include=_PACKAGES):
        from tests.fuzz.targets import TARGETS
    from tests.fuzz.mutation import places
    from tests.fuzz.oracles import Finding, check, check_growth, warm_up
    from tests.fuzz.seeds import seeds

    target = TARGETS[name]
    corpus, found = CACHE / name, CACHE / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    warm_up(target, seeds(name))
    for seed in seeds(name):
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
        check(target, seed)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + _MEMORY, resource.RLIM_INFINITY))
    seen: set[str] = set()

    def try_one(data: bytes) -> None:
        chance = random.Random(zlib.crc32(data))
        grown = chance.randrange(_GROWN) == 0
        pumps = [(data, start, end) for start, end in places(data, 3, chance)] if grown else []
        try:
            check(target, data)
            for pump in pumps:
                check_growth(target, pump)
        except Finding as finding:
            kind = _kind(finding)
            if kind not in seen:
                seen.add(kind)
                path = found / f"{name}-{hashlib.sha256(kind.encode()).hexdigest()[:12]}"
                path.with_suffix(".bin").write_bytes(data)
                path.with_suffix(".txt").write_text("".join(traceback.format_exception(finding)))
                print(f"found {path}.bin: {str(finding)[:300]!r}", file=sys.stderr, flush=True)

    options = [
        f"-max_total_time={seconds}",
        "-max_len=8192",
        f"-timeout={_STALL_SECONDS}",
        "-rss_limit_mb=3072",
    ]
    # An input takes long where it is made longer, which says nothing of it.
    options.append(f"-report_slow_units={_STALL_SECONDS}")
    artifacts = f"-artifact_prefix={found}/{name}-"
    atheris.Setup([sys.argv[0], str(corpus), *options, artifacts, "-print_final_stats=1"], try_one)
    atheris.Fuzz()


def _kind(finding: BaseException) -> str:
    """Findings of one kind have the same cause at the same place."""
    cause = finding.__cause__
    if cause is None:
        return re.sub(r"repetitions of .*|\d+", "", str(finding))
    frames = traceback.extract_tb(cause.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename]
    return (
        f"{type(cause).__name__} {[(frame.filename, frame.lineno) for frame in (*ours[-1:], *frames[-1:])]}"
    )


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    main()
