"""Crawls by the system's own clock, for those who prefer it: systemd units, and lines of a crontab.

From the same schedules that `copydesk schedule` goes by. What cannot be written so that every systemd or cron
reads it alike is refused, never approximated silently. Neither gets the database's password: everybody can
read units, and libpq has a file for it.
"""

from __future__ import annotations

import os
import pwd
import shlex
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from crawler.sites import Cron, Interval, Site, parse_schedule, sites_path
from pipeline.errors import OperatorError
from storage.database import lasting_url

# Where an administrator puts what is not for everybody's eyes, as the address of a webhook may be.
ENVIRONMENT_FILE = "/etc/copydesk/environment"
_SECRET = ("COPYDESK_ALERT_WEBHOOK",)
_METRICS = "COPYDESK_METRICS_"
# Seconds that a crawl may take beyond its site's time budget, and to end in order.
_OVERRUN = 600
_END = 300
# Vixie cron's limits for a command and for a variable are 1000 characters or bytes, and more in later crons.
_LONGEST = 990

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_STEPS = (
    *(minutes * _MINUTE for minutes in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 4, 6, 8, 12)),
    *(days * _DAY for days in range(1, 29)),
)

# What a crawl needs of the system is the network, its database, and processes of its own.
_HARDENING = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=read-only
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0027
"""


@dataclass(frozen=True, slots=True)
class Place:
    """What a crawl is started with, wherever it is started from.

    python: the interpreter's absolute path. user: who runs it. database_url: valid from any folder, without a
    password. writes: the folder of a SQLite database; None for a server. sites_file: absolute, None for the
    one that comes with Copydesk. environment: further variables, e.g. COPYDESK_CONTACT.
    """

    python: str
    user: str
    database_url: str
    writes: Path | None = None
    sites_file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the scheduler."""
        sites = {"COPYDESK_SITES": str(self.sites_file)} if self.sites_file else {}
        return {"COPYDESK_DB": self.database_url, **sites, **self.environment}

    @property
    def crawl_variables(self) -> dict[str, str]:
        """The environment of one of several crawls, which cannot all serve metrics on one port."""
        return {name: value for name, value in self.variables.items() if not name.startswith(_METRICS)}


def here(database_url: str, sites_file: str | None) -> Place:
    """The place that this process runs in. Raises DatabaseError for what is no URL of a database."""
    url, file = lasting_url(database_url)
    sites = sites_path(sites_file)
    left_out = ("COPYDESK_DB", "COPYDESK_SITES", *_SECRET)
    return Place(
        python=sys.executable,
        user=pwd.getpwuid(os.getuid()).pw_name,
        database_url=url,
        writes=file.parent if file else None,
        sites_file=sites.absolute() if sites else None,
        environment={
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith("COPYDESK_") and name not in left_out
        },
    )


def systemd_units(
    sites: Sequence[Site], place: Place, *, names: Sequence[str] = (), concurrent: int, jitter: float
) -> dict[str, str]:
    """Return unit files by name: a service of `copydesk schedule`; and, in place of it, a timer a site.

    sites: those with a schedule. names: what `copydesk schedule` is to be kept to. Raises OperatorError for a
    path or a variable that no unit can hold.
    """
    longest = max((site.politeness.time_budget for site in sites), default=0)
    scheduler = f"schedule --concurrent {concurrent} --jitter {jitter:g}"
    timers = {f"copydesk-crawl@{site.key}.timer": _timer(site, jitter) for site in sites}
    return {
        "copydesk.service": _service(
            place,
            place.variables,
            "Copydesk: crawl news sites by their schedules",
            f"Type=exec\n{_command(place, ' '.join((scheduler, *names)))}"
            "ExecReload=/bin/kill -HUP $MAINPID\nRestart=on-failure\nRestartSec=1min\n",
        )
        + "\n[Install]\nWantedBy=multi-user.target\n",
        "copydesk-crawl@.service": _service(
            place,
            place.crawl_variables,
            "Copydesk: crawl %i",
            f"Type=oneshot\n{_command(place, 'crawl %i')}"
            # Another process was crawling the site.
            f"SuccessExitStatus=75\nTimeoutStartSec={longest + _OVERRUN:.0f}\n",
        ),
        **timers,
    }


def crontab(sites: Sequence[Site], place: Place) -> str:
    """Return a crontab for those sites, all of which have a schedule.

    Raises OperatorError for a path or a variable that not every cron reads alike.
    """
    lines = ["# Crawls by cron, in its own time zone; a site that is being crawled is left out (status 75)."]
    lines += [_assignment(name, value) for name, value in place.crawl_variables.items()]
    for site in sites:
        timing = parse_schedule(site.schedule or "")
        if isinstance(timing, Cron):
            lines.append(f"# {site.key}: {site.schedule}")
            line = timing.line
        else:
            line, remark = _cron_line(timing.every, site.key)
            lines.append(f"# {site.key}: {site.schedule}{remark}")
        lines.append(f"{line} {_cron_command(place, site.key)}")
    return "\n".join(lines) + "\n"


def calendar(cron: Cron) -> list[str]:
    """Return systemd's OnCalendar expressions that together mean what the cron line means."""
    months, days = _padded(cron.months, 12), _padded(cron.days, 31)
    at = f"{_padded(cron.hours, 24)}:{_padded(cron.minutes, 60)}:00"
    weekdays = f"{','.join(_WEEKDAYS[day] for day in cron.weekdays)} " if len(cron.weekdays) < 7 else ""
    if cron.either:
        return [f"*-{months}-{days} {at}", f"{weekdays}*-{months}-* {at}"]
    return [f"{weekdays}*-{months}-{days} {at}"]


def _service(place: Place, variables: Mapping[str, str], description: str, what: str) -> str:
    after = "network-online.target" if place.writes else "network-online.target postgresql.service"
    environment = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in variables.items())
    writes = [_quoted(str(place.writes))] if place.writes else []
    # A /tmp of its own would hide from the crawl what lies in that of all; a read-only one stops its workers.
    paths = [str(path) for path in (place.writes, place.sites_file, place.python) if path]
    is_in_tmp = any(path.startswith(("/tmp/", "/var/tmp/")) for path in paths)
    writes += ["/tmp", "/var/tmp"] if is_in_tmp else []
    return (
        f"[Unit]\nDescription={description}\nWants=network-online.target\nAfter={after}\n"
        f"\n[Service]\nUser={place.user}\n{environment}EnvironmentFile=-{ENVIRONMENT_FILE}\n{what}"
        # SIGTERM is for the crawl alone: it ends in order, and tells its workers.
        f"KillMode=mixed\nTimeoutStopSec={_END}\n"
        f"{_HARDENING}PrivateTmp={'no' if is_in_tmp else 'yes'}\n"
        + "".join(f"ReadWritePaths={path}\n" for path in writes)
    )


def _command(place: Place, arguments: str) -> str:
    python = _quoted(place.python)
    if any(sign in place.python for sign in "\"'\\"):
        # systemd takes no program with such a name, but any argument; there a dollar sign is written twice.
        python = f"""/bin/sh -c 'exec "$$0" "$$@"' {python.replace("$", "$$")}"""
    return f"ExecStart={python} -P -m copydesk {arguments}\n"


def _timer(site: Site, jitter: float) -> str:
    timing = parse_schedule(site.schedule or "")
    if isinstance(timing, Interval):
        seconds = timing.every.total_seconds()
        jitter = min(jitter, seconds / 10)
        when = f"OnActiveSec=1min\nOnUnitActiveSec={seconds:.0f}\n"
    else:
        when = "".join(f"OnCalendar={one}\n" for one in calendar(timing)) + "Persistent=true\n"
    return (
        f"[Unit]\nDescription=Copydesk: when to crawl {site.key} ({site.schedule})\n"
        f"\n[Timer]\n{when}RandomizedDelaySec={jitter:g}\nAccuracySec=1s\n"
        "\n[Install]\nWantedBy=timers.target\n"
    )


def _quoted(value: str) -> str:
    """A word of a unit file, see systemd.syntax(7) and the specifiers of systemd.unit(5)."""
    _refuse_unprintable(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _assignment(name: str, value: str) -> str:
    """A variable of a crontab: cron takes off one pair of quotes, and knows no escapes."""
    _refuse_unprintable(value)
    quote = next((quote for quote in "\"'" if quote not in value), None)
    if quote is None or len(value.encode()) > _LONGEST:
        raise OperatorError(
            f"{name}: cannot be written into a crontab, because it is too long or has both kinds of quotation"
            f" marks: {value}"
        )
    return f"{name}={quote}{value}{quote}"


def _cron_command(place: Place, key: str) -> str:
    """To the system's log, or cron would mail each of them."""
    _refuse_unprintable(place.python)
    # Some crons take backslashes away, others do not.
    if "\\" in place.python:
        raise OperatorError(f"{place.python}: crons differ in how they read a backslash; use systemd")
    command = f"{shlex.quote(place.python)} -P -m copydesk crawl {key} 2>&1 | logger -t copydesk-{key}"
    command = command.replace("%", "\\%")
    if len(command) > _LONGEST:
        raise OperatorError(f"{place.python}: too long for a crontab")
    return command


def _cron_line(every: timedelta, key: str) -> tuple[str, str]:
    """Five fields, at a minute (and hour) of the site's own, and a remark where they are not exact."""
    step = next((step for step in _STEPS if step >= every), 31 * _DAY)
    remark = "" if step == every else f"; a crontab cannot say that: every {_spoken(step)}"
    own = zlib.crc32(key.encode())
    minute, hour = own % 60, own // 60 % 24
    if step < _HOUR:
        minutes = int(step / _MINUTE)
        return f"{_every(minute % minutes, minutes, 60)} * * * *", remark
    if step < _DAY:
        hours = int(step / _HOUR)
        return f"{minute} {_every(hour % hours, hours, 24)} * * *", remark
    days = int(step / _DAY)
    if days == 1:
        return f"{minute} {hour} * * *", remark
    return (
        f"{minute} {hour} {_every(1, days, 32)} * *",
        f"{remark or '; a crontab cannot say that quite'}, counted from the first of each month",
    )


def _every(first: int, step: int, end: int) -> str:
    return "*" if step == 1 else ",".join(map(str, range(first, end, step)))


def _spoken(step: timedelta) -> str:
    if step < _HOUR:
        return f"{step // _MINUTE} min"
    return f"{step // _HOUR} h" if step < _DAY else f"{step // _DAY} d"


def _padded(numbers: Sequence[int], of: int) -> str:
    return "*" if len(numbers) == of else ",".join(f"{number:02}" for number in numbers)


def _refuse_unprintable(value: str) -> None:
    if not value.isprintable():
        raise OperatorError(f"{value!r}: has characters that no unit and no crontab can hold; rename it")
