"""An installation with special characters of systemd, cron and shells in its paths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from crawler.scheduling.installation import Installation

ODD = ('it\'s 100% "new$" €5 desk', "a $HOME = 100% désk")


@pytest.fixture(params=ODD, ids=["quotes", "dollar"])
def odd(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """An installation below /tmp, and a path of characters that are special to systemd, cron or a shell."""
    with TemporaryDirectory(prefix="copydesk-odd-", dir="/tmp") as made:
        yield _installation(Path(made) / request.param)


def _installation(folder: Path) -> Installation:
    folder.mkdir()
    python = folder / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@" "$COPYDESK_DB" "$COPYDESK_SITES" "$COPYDESK_CONTACT"\n')
    python.chmod(0o755)
    return Installation(
        python=str(python),
        user="root",
        database_url=f"sqlite:///{folder}/news.db",
        writable_folder=folder,
        sites_file=folder / "sites.toml",
        environment={"COPYDESK_CONTACT": "desk%20@x.example", "COPYDESK_METRICS_PORT": "9410"},
    )
