"""Measurements of quality, speed and size. Corpora are read from a folder that is given."""
