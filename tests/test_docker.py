"""The files for containers. There is no engine in the tests, so they are read by a linter, and by rules."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from copydesk.cli import app
from tests.test_wheel import FILES, SOURCES

FOLDER = Path(__file__).parents[1] / "examples" / "docker"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    yaml: Any = importlib.import_module("yaml")
    found: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    return found


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    command = [str(hadolint), "--failure-threshold", "style", str(FOLDER / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_without_root_and_is_built_of_what_the_wheel_needs() -> None:
    steps = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    last = steps.rpartition("\nFROM ")[2]
    assert int(re.findall(r"^USER (\d+)$", last, re.MULTILINE)[-1]) > 0
    assert "pip" not in last
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == {*SOURCES, *FILES}


def test_services_are_read_only_and_may_become_nothing_more(compose: dict[str, Any]) -> None:
    assert compose["services"].keys() == {"database", "scheduler", "desk"}
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "/tmp" in service["tmpfs"], name
        assert "privileged" not in service
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name


def test_services_run_commands_that_are_there(compose: dict[str, Any]) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name in ("scheduler", "desk"):
        service = compose["services"][name]
        command, *options = service["command"]
        known = {option for parameter in commands[command].params for option in parameter.opts}
        assert {word for word in options if word.startswith("--")} <= known, shlex.join(service["command"])
        mounted = {config["target"] for config in service["configs"]}
        assert service["environment"]["COPYDESK_SITES"] in mounted
        assert service["build"]["dockerfile"] == "examples/docker/Dockerfile"
        assert (FOLDER / service["build"]["context"]).resolve() == FOLDER.parents[1]
    assert compose["services"]["desk"]["environment"]["COPYDESK_TOKEN"].startswith("${COPYDESK_TOKEN:?")


def test_no_secret_stands_in_the_file(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service["environment"].items():
            if re.search("PASSWORD|TOKEN|CONTACT", name):
                assert str(value).startswith("${"), name
