"""A process of our own gets a task, answers, and says in its log why it died."""

from __future__ import annotations

import pytest

from crawler.child_process import ChildProcess
from crawler.page_process import require_page_urls
from pipeline.errors import OperatorError


def test_what_the_module_prints_is_its_answer() -> None:
    with ChildProcess("this", None) as child:
        assert b"Namespaces are one honking great idea" in child.answer.read()
        child.process.wait()
    assert child.last_lines() == "it said nothing"


def test_a_module_that_dies_says_why_in_its_log() -> None:
    lines: list[str] = []
    with ChildProcess("no_such_module", "a task", log=lines.append) as child:
        assert child.answer.read() == b""
        child.process.wait()
    assert child.process.returncode == 1
    assert child.last_lines().endswith("No module named no_such_module")
    assert lines[-1].endswith("No module named no_such_module")


@pytest.mark.parametrize("url", ["https://", "http:///a", "https://[::1/a"])
def test_a_url_without_a_host_is_refused(url: str) -> None:
    with pytest.raises(OperatorError, match="no URL of a page"):
        require_page_urls(["https://a.example/1", url])
