"""`copydesk prune` lists the pages, asks, and deletes only these."""

from __future__ import annotations

import json

import pytest

from tests.copydesk.conftest import Run, articles


def test_prune_lists_pages_and_deletes_only_these(copydesk: Run, own: str) -> None:
    dry = copydesk("prune", "--keep-size", "20kB", "--dry-run", "--db", own)
    assert dry.returncode == 0
    assert "pages would be dropped" in dry.stderr
    asked = copydesk("prune", "--keep-size", "20kB", "--db", own)
    assert (asked.returncode, asked.stderr.splitlines()[-1]) == (
        2,
        "copydesk: nothing was changed: there is no terminal to ask on, so give --yes",
    )
    before = articles(copydesk, own)
    told = json.loads(copydesk("prune", "--keep-size", "20kB", "--dry-run", "--json", "--db", own).stdout)
    done = copydesk("prune", "--keep-size", "20kB", "--yes", "--vacuum", "--json", "--db", own)
    assert done.returncode == 0, done.stderr
    assert "the file had" in done.stderr
    found = json.loads(done.stdout)
    assert found["plan"] == told["plan"]
    assert found["pruned"] == {
        "pages": told["plan"]["pages"],
        "size": told["plan"]["size"],
        "is_interrupted": False,
    }
    assert 0 < found["plan"]["kept_size"] <= 20_000
    assert found["space"]["free"] == 0
    assert articles(copydesk, own) == before
    again = copydesk("prune", "--keep-size", "20kB", "--db", own)
    assert (again.returncode, "nothing to prune" in again.stderr) == (0, True)


def test_an_article_without_its_page_is_shown_as_such(copydesk: Run, own: str) -> None:
    assert "pruned" not in copydesk("show", "1", "--db", own).stdout
    done = copydesk("prune", "--older-than", "0d", "--yes", "--db", own)
    assert "--vacuum makes it smaller" in done.stderr
    assert "pages dropped" in done.stdout
    assert "page  pruned" in copydesk("show", "1", "--db", own).stdout
    assert json.loads(copydesk("show", "1", "--json", "--db", own).stdout)["page_pruned"] is True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["prune"], "nothing to do"),
        (["prune", "--older-than", "90"], "'90' is not an age"),
        (["prune", "--older-than", "9999y"], "there were no pages then"),
        (["prune", "--keep-size", "5"], "'5' is not a size"),
    ],
)
def test_mistakes_are_explained(copydesk: Run, news_url: str, arguments: list[str], said: str) -> None:
    done = copydesk(*arguments, "--db", news_url)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
