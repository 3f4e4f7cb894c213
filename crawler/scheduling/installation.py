"""Describes how Copydesk is installed here, for systemd units and crontab lines that start it.

Neither gets the database's password: everybody can read units, and libpq has a file for passwords.
"""

from __future__ import annotations

import os
import pwd
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crawler.sites import sites_path
from pipeline.errors import OperatorError
from storage.database import lasting_url

# Variables that may hold a secret; systemd reads them from ENVIRONMENT_FILE (crawler/scheduling/systemd.py).
_SECRET = ("COPYDESK_ALERT_WEBHOOK", "COPYDESK_WEBHOOK_SECRET", "COPYDESK_SMTP_PASSWORD")
_METRICS = "COPYDESK_METRICS_"
# A value with a password in a URL or beside a parameter; it is left out like the variables above.
_PASSWORD = re.compile(r"://[^\s/@]{0,200}:[^\s/@]{0,200}@|(?:password|passwd|secret|token)=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Installation:
    """What a unit or a crontab needs to know to start Copydesk from any folder.

    python: the interpreter's absolute path. user: who runs it. database_url: valid from any folder, without a
    password. writable_folder: that of a SQLite database; None for a server. sites_file: absolute; None for
    the one that comes with Copydesk. environment: further variables, e.g. COPYDESK_CONTACT.
    """

    python: str
    user: str
    database_url: str
    writable_folder: Path | None = None
    sites_file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of the scheduler."""
        sites = {"COPYDESK_SITES": str(self.sites_file)} if self.sites_file else {}
        return {"COPYDESK_DB": self.database_url, **sites, **self.environment}

    @property
    def crawl_variables(self) -> dict[str, str]:
        """Those of a crawl by itself: several crawls cannot serve metrics on one port."""
        return {name: value for name, value in self.variables.items() if not name.startswith(_METRICS)}


def this_installation(database_url: str, sites_file: str | None) -> Installation:
    """The installation that this process runs in. Raises DatabaseError for an invalid database URL."""
    url, file = lasting_url(database_url)
    sites = sites_path(sites_file)
    excluded = ("COPYDESK_DB", "COPYDESK_SITES", *_SECRET)
    return Installation(
        python=sys.executable,
        user=pwd.getpwuid(os.getuid()).pw_name,
        database_url=url,
        writable_folder=file.parent if file else None,
        sites_file=sites.absolute() if sites else None,
        environment={
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith("COPYDESK_") and name not in excluded and not _PASSWORD.search(value)
        },
    )


def check_printable(value: str) -> None:
    """Raise OperatorError for a value with characters that no unit and no crontab can hold."""
    if not value.isprintable():
        raise OperatorError(f"{value!r}: has characters that no unit and no crontab can hold; rename it")
