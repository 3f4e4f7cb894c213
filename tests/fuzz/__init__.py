"""Fuzzing: foreign bytes go into everything that reads them, and nothing unexpected may come of it.

`targets` are the functions that read such bytes, `seeds` what they begin with, `mutation` makes other inputs
of these, `oracles` say what may not happen. `python -m tests.fuzz` runs targets under atheris, which is
guided by coverage; `tests/fuzz/test_fuzz.py` is the short form, without it. README.md says how to run both.
"""
