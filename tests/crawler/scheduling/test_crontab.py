"""Crontab lines."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from crawler.scheduling.crontab import crontab
from crawler.scheduling.installation import Installation
from crawler.sites.timetable import Cron, parse_schedule
from pipeline.errors import OperatorError
from tests.crawler.scheduling.scheduled import scheduled_site


def test_a_crontab_runs_its_command_from_a_path_of_special_characters(
    odd: Installation, tmp_path: Path
) -> None:
    """As cron does: variables to their quotes, `\\%` to `%`, and the rest to a shell."""
    installation = replace(
        odd, sites_file=tmp_path / "it's 100%" / "sites.toml", database_url="sqlite:////a 'b' %.db"
    )
    lines = crontab([scheduled_site("gazette", "0 6 * * MON")], installation).splitlines()
    (command,) = (line for line in lines if "crawl gazette" in line)
    assert command.startswith("0 6 * * 1 ")
    (watch,) = (line for line in lines if "watch run" in line)
    assert watch.startswith("*/5 * * * * ")
    assert watch.endswith(" -P -m copydesk watch run 2>&1 >/dev/null | logger -t copydesk-watch")
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
        str(installation.sites_file),
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
def test_an_interval_that_cron_cannot_keep_is_refused(schedule: str, line: str, remark: str) -> None:
    installation = Installation(python="/usr/bin/python3", user="desk", database_url="postgresql://db/news")
    for key in ("gazette", "herald", "courier"):
        comment, command = crontab([scheduled_site(key, schedule)], installation).splitlines()[-2:]
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
def test_lines_that_crons_read_differently_are_refused(changed: dict[str, object], why: str) -> None:
    installation = Installation(python="/usr/bin/python3", user="desk", database_url="postgresql://db/news")
    with pytest.raises(OperatorError, match=why):
        crontab([scheduled_site("x", "every 1 h")], replace(installation, **changed))  # type: ignore[arg-type]
