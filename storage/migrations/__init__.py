"""Alembic migrations of the schema, oldest first."""
