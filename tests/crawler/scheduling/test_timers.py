"""What systemd and cron are handed: read back as they read it, and checked by systemd where it is there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.scheduling.schedule import trigger
from crawler.scheduling.timers import Place, calendar, crontab, here, systemd_units
from crawler.sites.site import Site
from crawler.sites.timetable import Cron, parse_schedule
from pipeline.errors import OperatorError
from storage.database import DatabaseError, connect

ODD = ('it\'s 100% "new$" €5 desk', "a $HOME = 100% désk")
SYSTEMD = shutil.which("systemd-analyze")


def _site(key: str, schedule: str) -> Site:
    return Site(
        key=key,
        name=key,
        homepage="https://x.example/",
        feeds=("https://x.example/rss",),
        schedule=schedule,
    )


@pytest.fixture(params=ODD, ids=["quotes", "dollar"])
def odd(tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    """Everything under a path of signs that mean something to systemd, cron or a shell."""
    folder = tmp_path / request.param
    folder.mkdir()
    python = folder / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@" "$COPYDESK_DB" "$COPYDESK_SITES" "$COPYDESK_CONTACT"\n')
    python.chmod(0o755)
    return Place(
        python=str(python),
        user="root",
        database_url=f"sqlite:///{folder}/news.db",
        writes=folder,
        sites_file=folder / "sites.toml",
        environment={"COPYDESK_CONTACT": "desk%20@x.example", "COPYDESK_METRICS_PORT": "9410"},
    )


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


def test_units_say_the_odd_path_as_systemd_reads_it(odd: Place, tmp_path: Path) -> None:
    sites = [_site("gazette", "every 45 min"), _site("a-b.c", "30 6-18/4 5 * mon"), _site("x", "0 7 * * *")]
    units = systemd_units(sites, odd, names=["gazette", "a-b.c", "x"], concurrent=3, jitter=30)
    assert set(units) == {
        "copydesk.service",
        "copydesk-crawl@.service",
        "copydesk-crawl@gazette.timer",
        "copydesk-crawl@a-b.c.timer",
        "copydesk-crawl@x.timer",
    }
    scheduler, crawl = (_settings(units[name]) for name in ("copydesk.service", "copydesk-crawl@.service"))
    for service, rest in (
        (scheduler, "-P -m copydesk schedule --concurrent 3 --jitter 30 gazette a-b.c x"),
        (crawl, "-P -m copydesk crawl %i"),
    ):
        command = service["ExecStart"][0].removesuffix(f" {rest}")
        shell = """/bin/sh -c 'exec "$$0" "$$@"' """
        if command.startswith(shell):
            command = command.removeprefix(shell).replace("$$", "$")
        assert _word(command) == odd.python
        values = dict(_word(value).split("=", 1) for value in service["Environment"])
        assert values == (odd.variables if service is scheduler else odd.crawl_variables)
        assert _word(service["ReadWritePaths"][0]) == str(odd.writes)
        # The path lies in /tmp, which is one's own or read-only otherwise.
        assert (service["PrivateTmp"], service["ReadWritePaths"][1:]) == (["no"], ["/tmp", "/var/tmp"])
        assert service["KillMode"] == ["mixed"]
    assert "COPYDESK_METRICS_PORT" not in odd.crawl_variables
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
    place = Place(python="/opt/copydesk/bin/python", user="desk", database_url="postgresql://desk@db/news")
    service = _settings(
        systemd_units([_site("x", "every 1 h")], place, concurrent=1, jitter=0)["copydesk.service"]
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
    """The next times of an OnCalendar expression, told by systemd."""
    assert SYSTEMD
    command = [SYSTEMD, "calendar", "--iterations=6", f"--base-time={now:%Y-%m-%d %H:%M:%S UTC}", expression]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env={"TZ": "UTC"}).stdout
    found = re.findall(r"(?:Next elapse|Iter\. #\d+|\(in UTC\)): \w{3} (\S+ \S+) UTC", told)
    return [datetime.strptime(time, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for time in found]


def test_a_crontab_runs_what_it_says_from_the_odd_path(odd: Place, tmp_path: Path) -> None:
    """As cron does: variables to their quotes, `\\%` to `%`, and the rest to a shell."""
    place = replace(
        odd, sites_file=tmp_path / "it's 100%" / "sites.toml", database_url="sqlite:////a 'b' %.db"
    )
    lines = crontab([_site("gazette", "0 6 * * MON")], place).splitlines()
    (command,) = (line for line in lines if "crawl gazette" in line)
    assert command.startswith("0 6 * * 1 ")
    command = command.split(maxsplit=5)[5]
    assert not re.search(r"(?<!\\)%", command)
    variables = dict(re.findall(r"""^(\w+)=(["'].*["'])$""", "\n".join(lines), re.MULTILINE))
    logger = tmp_path / "logger"
    logger.write_text(f'#!/bin/sh\necho "$@" >&2; cat > "{tmp_path}/said"\n')
    logger.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("\\%", "%")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", **{name: value[1:-1] for name, value in variables.items()}},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "-t copydesk-gazette\n"
    assert (tmp_path / "said").read_text().splitlines() == [
        *("-P", "-m", "copydesk", "crawl", "gazette"),
        "sqlite:////a 'b' %.db",
        str(place.sites_file),
        "desk%20@x.example",
    ]


@pytest.mark.parametrize(
    ("schedule", "line", "remark"),
    [
        ("every 1 min", r"\* \* \* \* \*", ""),
        ("every 20 min", r"(\d+),(\d+),(\d+) \* \* \* \*", ""),
        ("every 45 min", r"\d+ \* \* \* \*", "; a crontab cannot say that: every 1 h"),
        ("every 7 min", r"(\d+,){5}\d+ \* \* \* \*", "; a crontab cannot say that: every 10 min"),
        ("every 8 h", r"\d+ (\d+),(\d+),(\d+) \* \* \*", ""),
        ("every 5 h", r"\d+ (\d+,){3}\d+ \* \* \*", "; a crontab cannot say that: every 6 h"),
        ("every 1 d", r"\d+ \d+ \* \* \*", ""),
        ("every 24 h", r"\d+ \d+ \* \* \*", ""),
        (
            "every 2 d",
            r"\d+ \d+ 1,3,.*,31 \* \*",
            "; a crontab cannot say that quite, counted from the first",
        ),
        ("every 36 h", r"\d+ \d+ 1,3,.*,31 \* \*", "; a crontab cannot say that: every 2 d, counted from"),
        ("every 90 d", r"\d+ \d+ 1 \* \*", "; a crontab cannot say that: every 31 d, counted from the first"),
        ("*/5 1-3 * jan sun", r"\*/5 1-3 \* 1 0", ""),
    ],
)
def test_an_interval_that_cron_cannot_keep_is_said_so(schedule: str, line: str, remark: str) -> None:
    place = Place(python="/usr/bin/python3", user="desk", database_url="postgresql://db/news")
    for key in ("gazette", "herald", "courier"):
        comment, command = crontab([_site(key, schedule)], place).splitlines()[-2:]
        assert comment.startswith(f"# {key}: {schedule}{remark}")
        assert bool(remark) or comment == f"# {key}: {schedule}"
        fields = re.fullmatch(rf"({line}) /usr/bin/python3 -P -m copydesk crawl {key} .*", command)
        assert fields, command
        assert isinstance(parse_schedule(fields[1]), Cron)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"python": "/opt/a\nb/python"}, "characters that no unit and no crontab"),
        ({"python": "/opt/a\\b/python"}, "crons differ in how they read a backslash"),
        ({"sites_file": Path("/a\"b'c.toml")}, "both kinds of quotation marks"),
        ({"environment": {"COPYDESK_CONTACT": "x" * 2000}}, "too long"),
        ({"python": "/" + "x" * 2000}, "too long"),
    ],
)
def test_what_crons_do_not_read_alike_is_refused(changed: dict[str, object], why: str) -> None:
    place = Place(python="/usr/bin/python3", user="desk", database_url="postgresql://db/news")
    with pytest.raises(OperatorError, match=why):
        crontab([_site("x", "every 1 h")], replace(place, **changed))  # type: ignore[arg-type]


def test_the_place_is_told_without_passwords_and_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "100% ?news#"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("COPYDESK_SITES", "COPYDESK_METRICS_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COPYDESK_ALERT_WEBHOOK", "https://hooks.example/secret")
    monkeypatch.setenv("COPYDESK_CONTACT", "desk@x.example")
    place = here("sqlite:///news.db", "sites.toml")
    assert place.sites_file == folder / "sites.toml"
    assert place.writes == folder
    assert place.environment["COPYDESK_CONTACT"] == "desk@x.example"
    assert "secret" not in str(place)
    monkeypatch.chdir("/")
    connect(place.database_url, create=True).dispose()
    assert (folder / "news.db").exists()

    server = here("postgresql://desk:secret@db.example:5433/news?sslmode=require&password=secret", None)
    assert server.database_url == "postgresql://desk@db.example:5433/news?sslmode=require"
    assert (server.writes, server.sites_file) == (None, None)
    with pytest.raises(DatabaseError, match="in memory"):
        here("sqlite://", None)
