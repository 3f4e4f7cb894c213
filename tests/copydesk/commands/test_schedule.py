"""`copydesk schedule --print-…`: output for a shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.copydesk.conftest import Run

FILES = ("--sites", "sites.toml", "--db", "sqlite:///copydesk.db")
SITES = """
[sites.gazette]
homepage = "https://gazette.example/"
feeds = ["https://gazette.example/rss"]
schedule = "every 20 min"

[sites.herald]
homepage = "https://herald.example/"
feeds = ["https://herald.example/rss"]
schedule = "30 6 * * mon-fri"

[sites.mirror]
homepage = "https://mirror.example/"
feeds = ["https://mirror.example/rss"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sites.toml").write_text(SITES)
    return tmp_path


def test_a_crontab_is_printed_and_nothing_else_is_done(copydesk: Run, folder: Path) -> None:
    done = copydesk("schedule", *FILES, "--print-cron", cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert f'COPYDESK_DB="sqlite:///{folder}/copydesk.db"' in lines
    assert f'COPYDESK_SITES="{folder}/sites.toml"' in lines
    crawls = [line for line in lines if "copydesk crawl" in line]
    assert [line.split(" crawl ")[1].split()[0] for line in crawls] == ["gazette", "herald"]
    assert crawls[1].startswith("30 6 * * 1,2,3,4,5 /")
    assert done.stderr == "mirror: has no schedule, left out\n"
    assert [file.name for file in folder.iterdir()] == ["sites.toml"]


def test_units_are_printed_or_written(copydesk: Run, folder: Path) -> None:
    arguments = ("schedule", "gazette", *FILES, "--jitter", "5", "--print-systemd")
    printed = copydesk(*arguments, cwd=folder)
    assert printed.returncode == 0, printed.stderr
    units = folder / "units"
    units.mkdir()
    written = copydesk(*arguments, "--out", "units", cwd=folder)
    assert (written.returncode, written.stdout) == (0, "")
    files = {file.name: file.read_text() for file in units.iterdir()}
    names = [
        line.removeprefix("# /etc/systemd/system/")
        for line in printed.stdout.splitlines()
        if line.startswith("# /etc/systemd/system/")
    ]
    assert sorted(names) == [
        "copydesk-crawl@.service",
        "copydesk-crawl@gazette.timer",
        "copydesk-watch.service",
        "copydesk-watch.timer",
        "copydesk.service",
    ]
    assert sorted(files) == sorted(names)
    assert printed.stdout == "".join(f"# /etc/systemd/system/{name}\n{files[name]}\n" for name in names)
    assert "-P -m copydesk schedule --concurrent 4 --jitter 5 gazette\n" in files["copydesk.service"]

    refused = copydesk(*arguments, "--out", "nowhere", cwd=folder)
    assert refused.returncode == 2
    assert (
        refused.stderr
        == "copydesk: nowhere/copydesk.service: cannot be written (No such file or directory)\n"
    )


def test_an_unknown_site_is_one_line_and_no_crontab(copydesk: Run, folder: Path) -> None:
    done = copydesk("schedule", "gazete", *FILES, "--print-cron", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "copydesk: no site 'gazete' in the sites file; did you mean gazette?\n"
