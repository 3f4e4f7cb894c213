"""The short form: kept inputs, and a number of others made of them, always the same ones."""

from __future__ import annotations

import random
import time

import pytest

from tests.fuzz.mutation import mutated, places
from tests.fuzz.oracles import Finding, check, check_growth, warm_up
from tests.fuzz.seeds import SEEDS, seeds
from tests.fuzz.targets import TARGETS, Target

# Pieces of each kept input that are repeated.
PLACES = 2


def test_every_target_has_seeds() -> None:
    assert list(SEEDS) == list(TARGETS)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_only_what_is_declared_comes_of_kept_and_changed_inputs(target: Target) -> None:
    chance, kept = random.Random(target.name), seeds(target.name)
    warm_up(target, kept)
    for seed in kept:
        check(target, seed)
    for _ in range(target.runs):
        check(target, mutated(chance.choice(kept), kept, chance))


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_time_grows_linearly_when_a_piece_is_repeated(target: Target) -> None:
    chance, kept = random.Random(target.name), seeds(target.name)
    warm_up(target, kept)
    for seed in kept:
        for start, end in places(seed, PLACES, chance):
            check_growth(target, (seed, start, end))


def _quadratic(data: bytes) -> None:
    began = time.thread_time()
    while time.thread_time() - began < (len(data) / 200_000) ** 2:
        pass


def _hungry(data: bytes) -> bytes:
    return bytes(range(256)) * ((200 << 20) // 256)


def _failing(data: bytes) -> None:
    if b"bad" in data:
        raise KeyError("bad")


def test_the_oracles_find_what_they_look_for() -> None:
    with pytest.raises(Finding, match="not linear in repetitions"):
        check_growth(Target("quadratic", _quadratic, longest=1 << 16), (b"seed", 0, 4))
    with pytest.raises(Finding, match="MiB for an input of 4 bytes"):
        check(Target("hungry", _hungry), b"seed")
    with pytest.raises(Finding, match="KeyError: 'bad'"):
        check(Target("failing", _failing), b"a bad one")
    check(Target("declared", _failing, (KeyError,)), b"a bad one")
    check_growth(Target("linear", bytes.upper), (b"seed", 0, 4))
