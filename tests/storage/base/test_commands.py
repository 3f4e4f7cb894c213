"""Commands are stored as they were given, without secrets."""

from __future__ import annotations

import pytest

from storage.base import without_secrets


@pytest.mark.parametrize(
    "command",
    [
        "copydesk ingest pages 'my archive.warc.gz' --db sqlite:///news.db",
        "copydesk crawl bbc dw --db postgresql://news@localhost/copydesk --refetch",
        "scrapy crawl news -a site=bbc -s LOG_LEVEL=DEBUG",
        "copydesk ingest https://example.com/a?id=4&monkey=3 keys/turkey.html",
        "ingest it's",
    ],
)
def test_what_is_not_secret_stays_as_it_is(command: str) -> None:
    assert without_secrets(command) == command


@pytest.mark.parametrize(
    "command",
    [
        "copydesk ingest pages --db postgresql://news:HIDE@host/copydesk",
        "copydesk ingest pages --db=postgresql://host/copydesk?password=HIDE",
        "copydesk ingest https://HIDE@example.com/ https://me:HIDE@example.com/",
        "copydesk ingest 'https://example.com/a?id=4&token=HIDE' 'https://example.com/?api_key=HIDE&x=1'",
        "scrapy crawl news -s COPYDESK_ALERT_WEBHOOK=https://hooks.example/HIDE -a key=HIDE",
        "scrapy crawl news -s AWS_SECRET_ACCESS_KEY=HIDE --auth-token HIDE",
        "ingest it's postgresql://news:HIDE@host/copydesk",
    ],
)
def test_secrets_are_hidden(command: str) -> None:
    said = without_secrets(command)
    assert "HIDE" not in said
    assert "***" in said
    assert said.split()[:2] == command.split()[:2]
