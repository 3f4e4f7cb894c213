"""Runs crawls in processes of their own, as a person would, and reads the rows that they stored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage import reader
from storage.database import open_database
from tests import forked
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
QUICK = {
    "COPYDESK_ALLOW_LOOPBACK": "True",
    "COPYDESK_WORKERS": "1",
    "COPYDESK_BACKOFF_SECONDS": "0.05",
    # What is asked for is counted; the tests of rights switch it on.
    "COPYDESK_TDMREP": "False",
    "AUTOTHROTTLE_ENABLED": "False",
    "DOWNLOAD_DELAY": "0",
    "DOWNLOAD_TIMEOUT": "300",
}


Done = subprocess.CompletedProcess[str]


@dataclass
class Desk:
    """A folder with a database and a sites file."""

    folder: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'copydesk.db'}"

    @property
    def sites_file(self) -> Path:
        return self.folder / "sites.toml"

    def write_sites(self, sites: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the sites file; politeness stands among a site's keys as a dict."""
        lines = []
        for key, entry in sites.items():
            lines.append(f"[sites.{key}]")
            lines += [
                f"{name} = {json.dumps(value)}" for name, value in entry.items() if name != "politeness"
            ]
            lines.append(f"[sites.{key}.politeness]")
            lines += [f"{name} = {json.dumps(value)}" for name, value in entry.get("politeness", {}).items()]
        self.sites_file.write_text("\n".join(lines))

    def command(self, *arguments: str, spider: str = "news", **settings: str) -> list[str]:
        options = [f"-s{name}={value}" for name, value in {**QUICK, **settings}.items()]
        return [sys.executable, "-m", "scrapy", "crawl", spider, *options, *arguments]

    def environment(self) -> dict[str, str]:
        own = {
            "COPYDESK_DB": self.url,
            "COPYDESK_SITES": str(self.sites_file),
            "NO_PROXY": "*",
            "PYTHONPATH": str(ROOT),
        }
        return {**{k: v for k, v in os.environ.items() if not k.startswith("COPYDESK_")}, **own}

    def scrapy(
        self, *arguments: str, site: str | None = None, spider: str = "news", stdin: str = "", **settings: str
    ) -> str:
        """Run `scrapy crawl` to its end; returns its log."""
        chosen = [f"-asite={site}"] if site is not None else []
        command = self.command(*chosen, *arguments, spider=spider, **settings)
        done = forked.run(command, cwd=ROOT, env=self.environment(), input=stdin)
        assert done.returncode == 0, done.stderr
        assert "ERROR" not in done.stderr, done.stderr
        return done.stderr

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a `scrapy` command."""
        return forked.run(self._scrapy(*arguments, **settings), cwd=ROOT, env=self.environment())

    def run_anew(self, *arguments: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a `scrapy` command in a folder, in a Python that was started for it."""
        return subprocess.run(
            self._scrapy(*arguments, **settings),
            cwd=folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def _scrapy(self, *arguments: str, **settings: str) -> list[str]:
        options = [f"-s{name}={value}" for name, value in {**QUICK, **settings}.items()]
        return [sys.executable, "-m", "scrapy", *arguments, *options]

    def articles(self) -> dict[str, reader.StoredArticle]:
        """The articles by the URL that was requested."""
        engine = open_database(self.url, create=False)
        try:
            return {row.location: row for row in reader.articles(engine)}
        finally:
            engine.dispose()

    def rejections(self) -> dict[str, tuple[str, str]]:
        """Reason and detail by the URL that was requested."""
        engine = open_database(self.url, create=False)
        try:
            return {row.location: (row.reason, row.detail) for row in reader.rejections(engine)}
        finally:
            engine.dispose()

    def runs(self) -> list[reader.RunRow]:
        """The runs, the newest first."""
        engine = open_database(self.url, create=False)
        try:
            return reader.runs(engine)
        finally:
            engine.dispose()
