"""The command line that units and crontabs start."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.scheduling.installation import this_installation
from storage.database import DatabaseError, connect


def test_paths_are_absolute_and_passwords_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "100% ?news#"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("COPYDESK_SITES", "COPYDESK_METRICS_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COPYDESK_ALERT_WEBHOOK", "https://hooks.example/secret")
    monkeypatch.setenv("COPYDESK_WEBHOOK_SECRET", "whsec_secret")
    monkeypatch.setenv("COPYDESK_SMTP_PASSWORD", "secret")
    monkeypatch.setenv("COPYDESK_SMTP_PASSWORD_FILE", "/etc/copydesk/smtp")
    monkeypatch.setenv("COPYDESK_CONTACT", "desk@x.example")
    monkeypatch.setenv("COPYDESK_OTHER", "postgresql://desk:secret@db/news")
    installation = this_installation("sqlite:///news.db", "sites.toml")
    assert installation.sites_file == folder / "sites.toml"
    assert installation.writable_folder == folder
    assert installation.environment["COPYDESK_CONTACT"] == "desk@x.example"
    assert installation.environment["COPYDESK_SMTP_PASSWORD_FILE"] == "/etc/copydesk/smtp"
    assert "secret" not in str(installation)
    monkeypatch.chdir("/")
    connect(installation.database_url, create=True).dispose()
    assert (folder / "news.db").exists()

    server = this_installation(
        "postgresql://desk:secret@db.example:5433/news?sslmode=require&password=secret&sslpassword=secret",
        None,
    )
    assert server.database_url == "postgresql://desk@db.example:5433/news?sslmode=require"
    assert (server.writable_folder, server.sites_file) == (None, None)
    with pytest.raises(DatabaseError, match="in memory"):
        this_installation("sqlite://", None)
