"""The tests of Spark find a Java that is new enough, or install one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crawler.backfill import java


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder that is the whole PATH, beside the shell's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    java.find_java.cache_clear()
    yield folder
    java.find_java.cache_clear()


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def says(version: str) -> str:
    return f"echo 'openjdk version \"{version}\"' >&2"


@pytest.mark.parametrize(("version", "is_taken"), [("17.0.15", True), ("21", True), ("11.0.2", False)])
def test_a_java_that_is_new_enough_is_taken(programs: Path, version: str, is_taken: bool) -> None:
    path = program(programs, "java", says(version))
    assert java.on_machine() == (str(path) if is_taken else None)


def test_java_home_comes_first(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(programs, "java", says("17"))
    own = tmp_path / "own" / "bin"
    own.mkdir(parents=True)
    path = program(own, "java", says("21"))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "own"))
    assert java.find_java() == str(path)


def test_debians_package_is_installed_where_there_is_none(programs: Path, tmp_path: Path) -> None:
    """apt-get here is a script that brings the program."""
    brought = program(tmp_path, "brought", says("17"))
    program(programs, "apt-get", f"/bin/cp {brought} {programs / 'java'}")
    program(programs, "sudo", 'shift; exec "$@"')
    assert java.find_java() == str(programs / "java")


def test_without_any_the_tests_say_what_to_do(programs: Path) -> None:
    program(programs, "apt-get", "echo no network >&2; exit 100")
    program(programs, "sudo", 'shift; exec "$@"')
    with pytest.raises(java.NoJava, match=r"apt-get install default-jre-headless.*no network"):
        java.find_java()
    assert os.environ["PATH"] == str(programs)
