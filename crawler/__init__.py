"""Brings documents from files and from sites through the pipeline into the database."""
