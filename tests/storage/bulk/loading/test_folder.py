"""What a folder says of the settings that made it."""

from __future__ import annotations

import os
import subprocess
import sys

from pipeline.settings import Settings
from pipeline.sites import SiteRulebook, SiteRules
from storage.bulk.loading import site_rules_digest

_PROGRAM = (
    "from crawler.sites import read_rulebook; from pipeline.settings import Settings;"
    " from storage.bulk import site_rules_digest;"
    " print(site_rules_digest(Settings(site_rules=read_rulebook(None))))"
)


def test_the_rules_of_sites_have_one_digest_in_every_process() -> None:
    """A set of names comes in an order of the process."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(digests) == 1
    other = Settings(site_rules=SiteRulebook((SiteRules("gazette", ("gazette.example",)),)))
    assert site_rules_digest(other) != site_rules_digest(Settings())
