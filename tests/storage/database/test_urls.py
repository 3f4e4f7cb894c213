"""Nothing secret of a database's URL is shown, wherever it stands in it; and every mistake is one line."""

from __future__ import annotations

import logging
import stat
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from storage.database import DatabaseError, connect, explain, open_database, shown_url
from storage.database.engines import _postgresql_engine
from storage.database.urls import lasting_url, parsed_url, shown, without_secrets_of

SECRET = "Zq7xKw"

# Where a password may stand: {} is the password, as it is or encoded.
SPELLINGS = [
    "postgresql://desk:{}@127.0.0.1:1/news",
    "postgres://desk:{}@127.0.0.1:1/news",
    "postgresql+psycopg://desk:{}@127.0.0.1:1/news",
    "POSTGRESQL://desk:{}@127.0.0.1:1/news",
    "postgresql://:{}@127.0.0.1:1/news",
    "postgresql://desk@127.0.0.1:1/news?password={}",
    "postgresql://desk@127.0.0.1:1/news?sslpassword={}&sslmode=disable",
    "postgresql://desk@127.0.0.1:1/news?oauth_client_secret={}",
    "postgresql:///news?host=127.0.0.1&port=1&user=desk&password={}",
    "postgresql:///?service=none&password={}",
    "postgresql://desk:{}@/news?host=127.0.0.1&port=1",
    # mistakes
    "postgresql://desk:{}@127.0.0.1:54x2/news",
    "postgresql://desk:{}@127.0.0.1:99999/news",
    "postgresql://desk@127.0.0.1:{}/news",
    "postgresql://desk@127.0.0.1:1:{}/news",
    "postgresql://desk@127.0.0.1/news?port={}",
    "postgresql://desk:p@{}@127.0.0.1:1/news",
    "postgresql://desk:p/{}@127.0.0.1:1/news",
    "postgresql://desk:p?{}@127.0.0.1:1/news",
    "postgresql://desk:p#{}@127.0.0.1:1/news",
    "postgresql://desk%3A{}@127.0.0.1:1/news",
    "postgresql://desk@127.0.0.1:1/news?Password={}",
    "postgresql://desk@127.0.0.1:1/news?pasword={}",
    "postgresql://desk@127.0.0.1:1/news?{}=1",
    "postgresql://desk@127.0.0.1:1/news?host=desk:{}@localhost",
    "postgresql://desk@127.0.0.1:1/news?user=desk:{}",
    "postgresql:///host=127.0.0.1 port=1 password={}",
    "postgresql:///?dbname=postgresql://desk:{}@127.0.0.1/news",
    "postgresql://desk:{}@127.0.0.1:1/news?connect_timeout=soon",
    "postgresql://desk:{}@127.0.0.1:1/news?sslmode=sometimes",
    "postgresql:desk:{}@127.0.0.1/news",
    "postgresql//desk:{}@127.0.0.1/news",
    "desk:{}@127.0.0.1/news",
    "host=127.0.0.1 port=1 user=desk password={}",
    "mysql://desk:{}@127.0.0.1/news",
    "nothing+psycopg://desk:{}@127.0.0.1/news",
    "sqlite://desk:{}@host/news.db",
    "sqlite:////tmp/none/news.db?password={}",
    "jdbc:postgresql://127.0.0.1/news?user=desk&password={}",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_password_is_in_no_message(spelling: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(DatabaseError) as caught:
        open_database(spelling.format(SECRET))
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    shown_by_python = "".join(traceback.format_exception(caught.value))
    assert SECRET not in "\n".join(line for line in shown_by_python.splitlines() if ".format(" not in line)
    assert SECRET not in caplog.text


_passwords = st.text(alphabet="aB3 @:/?#%&=+'\"\\é-_.", min_size=1, max_size=6).map(
    lambda some: f"Zq{some}7x"
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(SPELLINGS), _passwords, st.booleans())
def test_no_spelling_shows_a_password(spelling: str, password: str, is_encoded: bool) -> None:
    url = spelling.format(quote(password, safe="") if is_encoded else password)
    written = (password, quote(password, safe=""), password.split("@")[-1].split("/")[-1][-3:])
    try:
        parsed = parsed_url(url)
    except DatabaseError as error:
        said = [str(error), "".join(traceback.format_exception(error)).rpartition("DatabaseError")[2]]
    else:
        said = [shown(parsed)]
        lasting, _ = lasting_url(url)
        assert make_url(lasting).password is None
        said.append(lasting)
        if password in (parsed.password, *parsed.query.values()):
            said.append(without_secrets_of(parsed, f'FATAL: no such thing "{password}" in {password}'))
    for text in said:
        assert not any(secret in text for secret in written), text


@pytest.mark.parametrize(
    ("url", "said", "lasting"),
    [
        (
            "postgresql://desk:Zq7xKw@db.example:5433/news?sslmode=require&sslpassword=Zq7xKw",
            "postgresql://desk:***@db.example:5433/news?sslmode=require",
            "postgresql://desk@db.example:5433/news?sslmode=require",
        ),
        (
            "postgresql:///?service=desk&passfile=/etc/desk/pgpass",
            "postgresql:///?passfile=%2Fetc%2Fdesk%2Fpgpass&service=desk",
            "postgresql:///?passfile=%2Fetc%2Fdesk%2Fpgpass&service=desk",
        ),
        (
            "postgresql:///news?host=/run/postgresql",
            "postgresql:///news?host=%2Frun%2Fpostgresql",
            "postgresql:///news?host=%2Frun%2Fpostgresql",
        ),
        ("postgresql://desk@[::1]:5432/news", *["postgresql://desk@[::1]:5432/news"] * 2),
    ],
)
def test_what_is_no_secret_is_shown(url: str, said: str, lasting: str) -> None:
    assert shown(parsed_url(url)) == said
    assert lasting_url(url) == (lasting, None)


def test_a_mistyped_parameter_is_named() -> None:
    with pytest.raises(DatabaseError, match="unknown parameter 'pasword'; did you mean password"):
        parsed_url("postgresql://desk@localhost/news?pasword=x")


def test_a_drivers_message_has_no_secret() -> None:
    import psycopg

    engine = _postgresql_engine(parsed_url("postgresql://desk:Zq%407x@localhost/news?sslpassword=ab"))
    error = psycopg.OperationalError("could not use 'Zq@7x', Zq%407x or ab in a cab")
    assert explain(error, engine) == (
        "postgresql://desk:***@localhost/news cannot be reached: could not use ***, *** or *** in a cab"
    )
    assert shown_url(engine) == "postgresql://desk:***@localhost/news"


def test_a_new_database_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    engine = open_database(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        files = sorted(tmp_path.iterdir())
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert {file.name for file in files} == {"news.db", "news.db-shm", "news.db-wal"}
    engine.dispose()
    path.chmod(0o640)
    connect(f"sqlite:///{path}").dispose()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640, "what an operator chose stays"
