"""systemd units."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.scheduling.installation import Installation
from crawler.scheduling.systemd import calendar, systemd_units
from crawler.scheduling.triggers import trigger
from crawler.sites.timetable import Cron, parse_schedule
from tests.crawler.scheduling.scheduled import scheduled_site

SYSTEMD = shutil.which("systemd-analyze")


def _word(quoted: str) -> str:
    """A quoted word of a unit file as systemd reads it, less the specifiers."""
    (word,) = shlex.split(quoted)
    assert not re.search(r"(?<!%)%(?:%%)*(?!%)", word), "a lone % begins a specifier"
    return word.replace("%%", "%")


def _settings(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            found.setdefault(name, []).append(value)
    return found


def test_units_quote_special_characters_as_systemd_reads_them(odd: Installation, tmp_path: Path) -> None:
    sites = [
        scheduled_site("gazette", "every 45 min"),
        scheduled_site("a-b.c", "30 6-18/4 5 * mon"),
        scheduled_site("x", "0 7 * * *"),
    ]
    units = systemd_units(sites, odd, names=["gazette", "a-b.c", "x"], concurrent=3, jitter=30)
    assert set(units) == {
        "copydesk.service",
        "copydesk-crawl@.service",
        "copydesk-crawl@gazette.timer",
        "copydesk-crawl@a-b.c.timer",
        "copydesk-crawl@x.timer",
        "copydesk-watch.service",
        "copydesk-watch.timer",
    }
    scheduler, crawl, watch = (
        _settings(units[name])
        for name in ("copydesk.service", "copydesk-crawl@.service", "copydesk-watch.service")
    )
    for service, rest in (
        (scheduler, "-P -m copydesk schedule --concurrent 3 --jitter 30 gazette a-b.c x"),
        (crawl, "-P -m copydesk crawl %i"),
        (watch, "-P -m copydesk watch run"),
    ):
        command = service["ExecStart"][0].removesuffix(f" {rest}")
        shell = """/bin/sh -c 'exec "$$0" "$$@"' """
        if command.startswith(shell):
            command = command.removeprefix(shell).replace("$$", "$")
        assert _word(command) == odd.python
        values = dict(_word(value).split("=", 1) for value in service["Environment"])
        assert values == (odd.variables if service is scheduler else odd.crawl_variables)
        assert _word(service["ReadWritePaths"][0]) == str(odd.writable_folder)
        # The path is below /tmp, which is private or read-only by default.
        assert (service["PrivateTmp"], service["ReadWritePaths"][1:]) == (["no"], ["/tmp", "/var/tmp"])
        assert service["KillMode"] == ["mixed"]
    assert "COPYDESK_METRICS_PORT" not in odd.crawl_variables
    assert _settings(units["copydesk-watch.timer"])["OnUnitActiveSec"] == ["5min"]
    assert crawl["SuccessExitStatus"] == ["75"]
    assert crawl["TimeoutStartSec"] == ["4200"]
    assert _settings(units["copydesk-crawl@gazette.timer"]) | {"Description": []} == {
        "Description": [],
        "OnActiveSec": ["1min"],
        "OnUnitActiveSec": ["2700"],
        "RandomizedDelaySec": ["30"],
        "AccuracySec": ["1s"],
        "WantedBy": ["timers.target"],
    }
    daily = _settings(units["copydesk-crawl@x.timer"])
    assert (daily["OnCalendar"], daily["Persistent"]) == (["*-*-* 07:00:00"], ["true"])

    for name, text in units.items():
        (tmp_path / name).write_text(text)
    if SYSTEMD:
        done = subprocess.run(
            [SYSTEMD, "verify", "--man=no", *(str(tmp_path / name) for name in units)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "copydesk" not in done.stderr
        assert done.returncode == 0, done.stderr


def test_units_elsewhere_have_a_tmp_of_their_own_and_wait_for_postgresql() -> None:
    installation = Installation(
        python="/opt/copydesk/bin/python", user="desk", database_url="postgresql://desk@db/news"
    )
    service = _settings(
        systemd_units([scheduled_site("x", "every 1 h")], installation, concurrent=1, jitter=0)[
            "copydesk.service"
        ]
    )
    assert service["PrivateTmp"] == ["yes"]
    assert "ReadWritePaths" not in service
    assert "postgresql.service" in service["After"][0]
    assert service["User"] == ["desk"]


@pytest.mark.parametrize(
    ("line", "expressions"),
    [
        ("*/30 * * * *", ["*-*-* *:00,30:00"]),
        ("5 6-7,22 * * *", ["*-*-* 06,07,22:05:00"]),
        ("0 0 * * 0", ["Sun *-*-* 00:00:00"]),
        ("0 0 * * fri-mon", ["Sun,Mon,Fri,Sat *-*-* 00:00:00"]),
        ("0 0 29 2 *", ["*-02-29 00:00:00"]),
        ("0 4 5 * mon", ["*-*-05 04:00:00", "Mon *-*-* 04:00:00"]),
        ("0 0 */4 3,4 mon", ["Mon *-03,04-01,05,09,13,17,21,25,29 00:00:00"]),
    ],
)
def test_a_calendar_means_what_the_trigger_means(line: str, expressions: list[str]) -> None:
    cron = parse_schedule(line)
    assert isinstance(cron, Cron)
    assert calendar(cron) == expressions
    if SYSTEMD:
        now = datetime(2026, 3, 1, 0, 0, 30, tzinfo=UTC)
        times, at, fires = [], now, trigger(cron, UTC, 0)
        for _ in range(6):
            at = fires.get_next_fire_time(at, at + timedelta(seconds=1))
            times.append(at)
        theirs = {time for one in expressions for time in _elapses(one, now)}
        assert times == sorted(theirs)[:6]


def _elapses(expression: str, now: datetime) -> list[datetime]:
    """The next times of an OnCalendar expression, according to systemd."""
    assert SYSTEMD
    command = [SYSTEMD, "calendar", "--iterations=6", f"--base-time={now:%Y-%m-%d %H:%M:%S UTC}", expression]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env={"TZ": "UTC"}).stdout
    found = re.findall(r"(?:Next elapse|Iter\. #\d+|\(in UTC\)): \w{3} (\S+ \S+) UTC", told)
    return [datetime.strptime(time, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for time in found]
