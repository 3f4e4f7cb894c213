"""systemd units that crawl sites by their schedules.

A value that not every systemd reads alike is refused, never approximated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crawler.scheduling.installation import Installation, check_printable
from crawler.sites import Cron, Interval, Site, parse_schedule

# A file for variables that other users must not read, such as the address of a webhook.
ENVIRONMENT_FILE = "/etc/copydesk/environment"
# Seconds that a crawl may take beyond its site's time budget, and to end in order.
_OVERRUN = 600
_END = 300

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")

_WATCH_TIMER = """\
[Unit]
Description=Copydesk: when to deliver what watchlists have to tell

[Timer]
OnActiveSec=1min
OnUnitActiveSec=5min

[Install]
WantedBy=timers.target
"""

# A crawl needs the network, its database, and processes of its own; everything else is closed.
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


def systemd_units(
    sites: Sequence[Site],
    installation: Installation,
    *,
    names: Sequence[str] = (),
    concurrent: int,
    jitter: float,
) -> dict[str, str]:
    """Return unit files by name: a service for `copydesk schedule`, and instead of it timers.

    There is one for each site, and one that delivers what watchlists have to tell.

    sites: those with a schedule. names: the sites that `copydesk schedule` is limited to. Raises
    OperatorError for a path or a variable that no unit can hold.
    """
    longest = max((site.politeness.time_budget for site in sites), default=0)
    scheduler = f"schedule --concurrent {concurrent} --jitter {jitter:g}"
    timers = {f"copydesk-crawl@{site.key}.timer": _timer(site, jitter) for site in sites}
    return {
        "copydesk.service": _service(
            installation,
            installation.variables,
            "Copydesk: crawl news sites by their schedules",
            f"Type=exec\n{_command(installation, ' '.join((scheduler, *names)))}"
            "ExecReload=/bin/kill -HUP $MAINPID\nRestart=on-failure\nRestartSec=1min\n",
        )
        + "\n[Install]\nWantedBy=multi-user.target\n",
        "copydesk-crawl@.service": _service(
            installation,
            installation.crawl_variables,
            "Copydesk: crawl %i",
            f"Type=oneshot\n{_command(installation, 'crawl %i')}"
            # 75: another process was crawling the site.
            f"SuccessExitStatus=75\nTimeoutStartSec={longest + _OVERRUN:.0f}\n",
        ),
        **timers,
        "copydesk-watch.service": _service(
            installation,
            installation.crawl_variables,
            "Copydesk: deliver what watchlists have to tell",
            # What went wrong is on standard error.
            f"Type=oneshot\n{_command(installation, 'watch run')}StandardOutput=null\n"
            f"TimeoutStartSec={_OVERRUN}\n",
        ),
        "copydesk-watch.timer": _WATCH_TIMER,
    }


def calendar(cron: Cron) -> list[str]:
    """Return systemd's OnCalendar expressions that together mean what the cron line means."""
    months, days = _padded(cron.months, 12), _padded(cron.days, 31)
    at = f"{_padded(cron.hours, 24)}:{_padded(cron.minutes, 60)}:00"
    weekdays = f"{','.join(_WEEKDAYS[day] for day in cron.weekdays)} " if len(cron.weekdays) < 7 else ""
    if cron.either:
        return [f"*-{months}-{days} {at}", f"{weekdays}*-{months}-* {at}"]
    return [f"{weekdays}*-{months}-{days} {at}"]


def _service(installation: Installation, variables: Mapping[str, str], description: str, what: str) -> str:
    after = (
        "network-online.target"
        if installation.writable_folder
        else "network-online.target postgresql.service"
    )
    environment = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in variables.items())
    writes = [_quoted(str(installation.writable_folder))] if installation.writable_folder else []
    # A private /tmp would hide a database or sites file in the common one; a read-only one stops the workers.
    paths = [
        str(path)
        for path in (installation.writable_folder, installation.sites_file, installation.python)
        if path
    ]
    is_in_tmp = any(path.startswith(("/tmp/", "/var/tmp/")) for path in paths)
    writes += ["/tmp", "/var/tmp"] if is_in_tmp else []
    return (
        f"[Unit]\nDescription={description}\nWants=network-online.target\nAfter={after}\n"
        f"\n[Service]\nUser={installation.user}\n{environment}EnvironmentFile=-{ENVIRONMENT_FILE}\n{what}"
        # SIGTERM goes to the crawl alone, which ends in order and tells its workers.
        f"KillMode=mixed\nTimeoutStopSec={_END}\n"
        f"{_HARDENING}PrivateTmp={'no' if is_in_tmp else 'yes'}\n"
        + "".join(f"ReadWritePaths={path}\n" for path in writes)
    )


def _command(installation: Installation, arguments: str) -> str:
    python = _quoted(installation.python)
    if any(sign in installation.python for sign in "\"'\\"):
        # systemd accepts such a path as an argument only, in which a dollar sign is written twice.
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
    check_printable(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _padded(numbers: Sequence[int], of: int) -> str:
    return "*" if len(numbers) == of else ",".join(f"{number:02}" for number in numbers)
