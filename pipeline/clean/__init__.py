"""Boilerplate removal and wire conventions: what is left is the text that is compared and stored.

Every removed line names its rule. Rules of phrases are data (clutter.toml) with their own examples.
"""

from pipeline.clean.boilerplate import clean
from pipeline.clean.rules import compile_rules
from pipeline.clean.wire import WireCopy, compile_patterns, parse_wire

__all__ = [
    "WireCopy",
    "clean",
    "compile_patterns",
    "compile_rules",
    "parse_wire",
]
