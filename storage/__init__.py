"""Everything that is stored, and the only code that knows SQL.

`writer` is the only way in and `reader` the way out; `schema` says what the columns mean. `upkeep` works on
whole databases, `crawls` keeps what crawls need, `export` and `datasette` serve other programs. Both SQLite
and PostgreSQL give the same views.
"""
