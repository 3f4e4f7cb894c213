"""Writers take turns."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage import database
from storage.database import begin_write, open_database, transactions


def test_writers_take_turns(database_url: str) -> None:
    one, other = open_database(database_url), open_database(database_url)
    hurry = {"sqlite": "PRAGMA busy_timeout = 1", "postgresql": "SET lock_timeout = '50ms'"}[one.dialect.name]
    with begin_write(one), other.connect().execution_options(copydesk_writes=True) as waiting:
        driver = waiting.connection.driver_connection
        assert driver is not None
        driver.execute(hurry)
        if other.dialect.name == "postgresql":
            driver.commit()
        with pytest.raises(DBAPIError) as refused, waiting.begin():
            waiting.execute(text(f"SELECT pg_advisory_xact_lock({transactions.WRITER_LOCK})"))
        assert database.is_transient(refused.value)
    one.dispose()
    other.dispose()
