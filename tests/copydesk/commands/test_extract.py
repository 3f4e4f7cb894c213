"""`copydesk extract`: the article of one page, without a database."""

from __future__ import annotations

import json
from pathlib import Path

from tests.copydesk.conftest import FERRY, NEWS, Run


def test_extract_needs_no_database(copydesk: Run, tmp_path: Path) -> None:
    done = copydesk("extract", str(NEWS / FERRY), "--json", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert found["title"].startswith("Divers find no leak")
    assert "Register now" not in found["text"]
    assert {"position", "rule", "text"} == set(found["removed"][0])
    assert list(tmp_path.iterdir()) == []
