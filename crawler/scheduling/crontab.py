"""A crontab that crawls sites by their schedules.

A value that not every cron reads alike is refused. An interval that cron cannot keep is rounded up, and a
comment in the crontab says so.
"""

from __future__ import annotations

import shlex
import zlib
from collections.abc import Sequence
from datetime import timedelta

from crawler.scheduling.installation import Installation, check_printable
from crawler.sites import Cron, Site, parse_schedule
from pipeline.errors import OperatorError

# Vixie cron allows 1000 characters for a command and 1000 bytes for a variable; later crons allow more.
_LONGEST = 990

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Intervals that a crontab line can express.
_STEPS = (
    *(minutes * _MINUTE for minutes in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 4, 6, 8, 12)),
    *(days * _DAY for days in range(1, 29)),
)


def crontab(sites: Sequence[Site], installation: Installation) -> str:
    """Return a crontab for those sites, all of which have a schedule.

    Raises OperatorError for a path or a variable that not every cron reads alike.
    """
    lines = ["# Crawls by cron, in its own time zone; a site that is being crawled is left out (status 75)."]
    lines += [_assignment(name, value) for name, value in installation.crawl_variables.items()]
    lines += ["# What watchlists have to tell: retries and digests.", _watch_line(installation)]
    for site in sites:
        timing = parse_schedule(site.schedule or "")
        if isinstance(timing, Cron):
            lines.append(f"# {site.key}: {site.schedule}")
            line = timing.line
        else:
            line, remark = _cron_line(timing.every, site.key)
            lines.append(f"# {site.key}: {site.schedule}{remark}")
        # Its output goes to the system's log, or cron would mail it each time.
        command = _cron_command(installation, f"crawl {site.key} 2>&1", f"copydesk-{site.key}")
        lines.append(f"{line} {command}")
    return "\n".join(lines) + "\n"


def _assignment(name: str, value: str) -> str:
    """A line that sets a variable: cron removes one pair of quotes, and knows no escapes."""
    check_printable(value)
    quote = next((quote for quote in "\"'" if quote not in value), None)
    if quote is None or len(value.encode()) > _LONGEST:
        raise OperatorError(
            f"{name}: cannot be written into a crontab, because it is too long or has both kinds of quotation"
            f" marks: {value}"
        )
    return f"{name}={quote}{value}{quote}"


def _watch_line(installation: Installation) -> str:
    # What went wrong is on standard error.
    command = _cron_command(installation, "watch run 2>&1 >/dev/null", "copydesk-watch")
    return f"*/5 * * * * {command}"


def _cron_command(installation: Installation, arguments: str, tag: str) -> str:
    """A command of Copydesk, whose output goes to the system's log with that tag."""
    check_printable(installation.python)
    # Some crons remove backslashes, others do not.
    if "\\" in installation.python:
        raise OperatorError(f"{installation.python}: crons differ in how they read a backslash; use systemd")
    command = f"{shlex.quote(installation.python)} -P -m copydesk {arguments} | logger -t {tag}"
    command = command.replace("%", "\\%")
    if len(command) > _LONGEST:
        raise OperatorError(f"{installation.python}: too long for a crontab")
    return command


def _cron_line(every: timedelta, key: str) -> tuple[str, str]:
    """Return five fields for an interval, and a remark if they are not exact; "" if they are.

    The minute (and hour) follow from the key, so that not all sites are crawled at the same time.
    """
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
