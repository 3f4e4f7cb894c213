"""The page on notifications: its commands with real receivers, and the receiver that it shows."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crawler.notifications import NotificationSettings, send_samples
from crawler.notifications.message import TYPES
from storage.database import open_database
from tests.crawler.notifications.conftest import LOOPBACK
from tests.crawler.notifications.hook import listening
from tests.crawler.notifications.postbox import taking_mail
from tests.docs.pages import ROOT, blocks
from tests.docs.shell import Shell
from tests.docs.test_commands import NOTIFYING, follow
from tests.waiting import wait_until

TEXT = (ROOT / NOTIFYING).read_text(encoding="utf-8")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_commands_of_the_page_reach_real_receivers(shell: Shell, request: pytest.FixtureRequest) -> None:
    shutil.copyfile(request.getfixturevalue("news_database"), shell.folder / "copydesk.db")
    (shell.folder / "password").write_text("x\n")
    with listening() as hook, taking_mail() as postbox:
        shell.replaced |= {
            "https://chat.example": f"http://127.0.0.1:{hook.port}",
            "smtps://news%40desk.example@mail.desk.example": f"smtp+plain://127.0.0.1:{postbox.port}",
            "/etc/copydesk/smtp-password": str(shell.folder / "password"),
        }
        shell.patch.setenv("COPYDESK_NOTIFY_PRIVATE_ADDRESSES", "127.0.0.1")
        follow(NOTIFYING, shell)
        [(_, body)] = hook.requests
        [(sender, recipient, mail)] = postbox.taken
    assert (sender, recipient) == ("news@desk.example", "you@desk.example")
    assert mail["Subject"].startswith("[ferries] ")
    posted, told = json.loads(body), json.loads((shell.folder / "told.jsonl").read_text())
    assert posted["data"] == told["data"]


def test_the_receiver_on_the_page_takes_what_is_signed(tmp_path: Path) -> None:
    [program] = blocks("py", page=NOTIFYING)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = tmp_path / "receiver.py"
    file.write_text(program.text.replace("8080", str(port)))
    receiver = subprocess.Popen(
        [sys.executable, str(file)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        wait_until(lambda: _listens(port))
        way = f"webhook:http://127.0.0.1:{port}/"
        signed = NotificationSettings(secrets=(SECRET,), reach=LOOPBACK)
        [sample] = send_samples("ferries", [way], signed)
        assert sample.error is None
        [sample] = send_samples("ferries", [way], NotificationSettings(reach=LOOPBACK))
        assert sample.error == "answered 401 Unauthorized"
    finally:
        receiver.terminate()
        said, _ = receiver.communicate()
    assert said.splitlines() == ["story.matched A sample: the news of this watchlist will look like this"]


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _keys(value: Any) -> Any:
    return {key: _keys(inner) for key, inner in value.items()} if isinstance(value, dict) else None


def test_the_message_on_the_page_has_the_keys_of_a_real_one(shell: Shell) -> None:
    [shown] = blocks("json", page=NOTIFYING)
    told = shell.folder / "told.jsonl"
    engine = open_database(f"sqlite:///{shell.folder}/copydesk.db")
    engine.dispose()
    shell.run(f"copydesk watch add ferries ferry --to 'command:tee -a {told}'")
    shell.run("copydesk ingest examples/news")
    messages = [json.loads(line) for line in told.read_text().replace("}{", "}\n{").splitlines()]
    assert messages
    assert _keys(json.loads(shown.text)) == _keys(messages[0])
    assert set(re.findall(r"`(story\.\w+)`", TEXT)) == set(TYPES.values())
