"""The programs and addresses of the page about the API, against a desk that runs."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from copydesk.web import DeskSettings, make_app
from crawler.runs import ingest
from pipeline.settings import Settings
from storage.database import open_database
from tests.copydesk.conftest import NEWS

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "api.md"
SAID = "http://127.0.0.1:8017"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a desk listens, over a database of some examples."""
    url = f"sqlite:///{tmp_path_factory.mktemp('api')}/news.db"
    engine = open_database(url)
    ingest(
        engine, [str(NEWS / "copied"), str(NEWS / "tessaryobserver.example")], workers=1, settings=Settings()
    )
    engine.dispose()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(make_app(DeskSettings(url)), log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("program", re.findall(r"```py\n(.*?)```", TEXT, re.DOTALL))
def test_programs_run(address: str, program: str) -> None:
    assert SAID in program
    done = subprocess.run(
        [sys.executable, "-c", program.replace(SAID, address)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout.split()[0]) > 3


def test_addresses_are_answered(address: str) -> None:
    fences = "\n".join(re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL))
    commands = [shlex.split(line) for line in fences.splitlines() if line.startswith("curl ")]
    assert len(commands) == 5
    for command in commands:
        asked = command[-1].replace(SAID, address).replace("https://news.example", address)
        assert httpx.get(asked).status_code == 200, asked


def test_every_address_is_in_the_table(address: str) -> None:
    described = httpx.get(f"{address}/api/v1/openapi.json").json()["paths"]
    table = TEXT.partition("| address")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-zA-Z/]+)", table))
    for path in described:
        assert path.removeprefix("/api/v1/").replace("{id}", "ID").replace("{key}", "KEY") in named


def test_every_metric_is_in_the_table_of_operations(address: str) -> None:
    names = re.findall(r"^# HELP (copydesk_\w+)", httpx.get(f"{address}/metrics").text, re.MULTILINE)
    page = PAGE.with_name("operations.md").read_text(encoding="utf-8")
    assert "copydesk_last_run_documents" in names
    assert [name for name in names if f"| `{name}` |" not in page] == []
