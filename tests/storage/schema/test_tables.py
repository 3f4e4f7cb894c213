"""The tables of a database are those of the code."""

from __future__ import annotations

from sqlalchemy import Engine, inspect, text

from storage import schema
from storage.database import connect
from tests.conftest import PostgresServer


def test_the_tables_are_as_the_code_has_them(engine: Engine) -> None:
    found = inspect(engine)

    tables = set(found.get_table_names())
    index = {name for name in tables if name.startswith("search_words")}  # FTS5 has tables of its own
    assert "search_words" in index
    assert tables - index == {*schema.metadata.tables, "alembic_version"}
    for table in schema.metadata.tables.values():
        columns = {column["name"]: column for column in found.get_columns(table.name)}
        if table.name in ("article", "revision"):  # in the database they are in the order of the migrations
            assert sorted(columns) == sorted(column.name for column in table.columns), table.name
        else:
            assert list(columns) == [column.name for column in table.columns], table.name
        for column in table.columns:
            assert columns[column.name]["nullable"] == bool(column.nullable), (table.name, column.name)


def test_the_tables_have_the_types_that_rows_are_copied_in_by(postgres: PostgresServer) -> None:
    engine = connect(postgres.url_of("copydesk_template"))
    with engine.connect() as connection:
        query = """SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
                   WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 AND NOT attisdropped"""
        for table in schema.metadata.tables.values():
            found = {
                row.attname: row.format_type for row in connection.execute(text(query), {"name": table.name})
            }
            wanted = {c.name: c.type.compile(engine.dialect).lower() for c in table.columns}
            assert found == wanted, table.name
    engine.dispose()
