"""Signatures are datasketch's, and restyled text has the signature of its source."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies.fingerprint import bands, fingerprint, shingle_hashes, signature
from pipeline.settings import BAND_BITS, WINNOWED_BIT, FingerprintSettings

SETTINGS = FingerprintSettings()
WINNOWING = (
    *("winnow_words", "winnow_chars", "winnow_window"),
    *("winnow_most", "winnow_long", "winnow_most_of_long"),
)
# Bands that every text has; those of its passages come after them.
BANDS = SETTINGS.bands + SETTINGS.lead_bands + SETTINGS.far_bands + SETTINGS.far_lead_bands


def datasketchs(hashes: list[int], settings: FingerprintSettings) -> list[int]:
    """What a user of datasketch computes of the hashes."""
    from datasketch import MinHash

    whole = MinHash(settings.whole_size, seed=settings.seed, scheme="affine32", hashfunc=lambda h: h)
    whole.update_batch(hashes)
    lead = MinHash(settings.lead_size, seed=settings.seed + 1, scheme="affine32", hashfunc=lambda h: h)
    lead.update_batch(hashes[: settings.lead_words])
    return [*whole.hashvalues.tolist(), *lead.hashvalues.tolist()]


def test_scipy_is_imported_once_more_of_datasketch_is_used() -> None:
    program = """
import sys, numpy
from pipeline.copies.fingerprint import signature
from pipeline.settings import FingerprintSettings
signature(numpy.arange(9, dtype=numpy.uint32), FingerprintSettings())
print("scipy" in sys.modules)
import datasketch, datasketch.minhash
print(hasattr(datasketch, "no such name"), datasketch.MinHashLSH(num_perm=64).is_empty())
print("scipy" in sys.modules, datasketch.MinHash is datasketch.minhash.MinHash, datasketch.__version__)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True", "True", "True", version("datasketch")]


@given(
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=300),
    st.builds(
        FingerprintSettings,
        bands=st.integers(1, 20),
        rows=st.integers(1, 4),
        lead_words=st.integers(1, 200),
        lead_bands=st.integers(1, 20),
        lead_rows=st.integers(1, 4),
        far_bands=st.just(1),
        far_lead_bands=st.just(1),
        far_rows=st.just(1),
        seed=st.integers(1, 5),
    ),
)
def test_signatures_are_datasketchs(hashes: list[int], settings: FingerprintSettings) -> None:
    values = signature(np.array(hashes, dtype=np.uint32), settings)
    assert values.dtype == np.uint32
    assert values.tolist() == datasketchs(hashes, settings)


def test_signature_of_a_long_text() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**32, 10_000, dtype=np.uint32)
    assert signature(hashes, SETTINGS).tolist() == datasketchs(hashes.tolist(), SETTINGS)


# Letters, marks and punctuation of a script; whether it writes blanks between words.
SCRIPTS = {
    "Latin": ("abcdefghijklmnopqrstuvwxyzäéñßøABC’“”,.-0123456789", True),
    "Cyrillic": ("абвгдежзийклмнопрстуфхцчшщыьэюяёіїАБВ«».,0123456789", True),
    "Greek": ("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώΑΒΓ·;.", True),
    "Arabic": ("ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءًَُِّ،؟٠١٢٣", True),
    "Hebrew": ("אבגדהוזחטיכךלמםנןסעפףצץקרשתְָֻֿ״׳.", True),
    "Devanagari": ("अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसहािीुूृेैोौं़्।०१२३", True),
    "Hangul": ("가나다라마바사아자차카타파하각난달랄맘밥삿강잔찬칸탄판한.,", True),
    "Han": ("港务局星期二宣布新渡轮码头开放東京都は二十日に新しい港を開いた。、１２", False),
    "Thai": ("กขคงจฉชซญดตถทธนบปผพฟภมยรลวศษสหอเแโใไาะิีึืุู่้๊๋์ํๆฯ๏๛๑๒", False),
    "Burmese": ("ကခဂဃငစဆဇဈညတထဒဓနပဖဗဘမယရလဝသဟအာိီုူေဲံ့း်ျြွှ၊။၁၂", False),
}


def generated_texts(script: str, count: int) -> list[str]:
    """Texts of one word to some hundreds, with figures and foreign words in between."""
    letters, has_blanks = SCRIPTS[script]
    draw = random.Random(script)
    texts = []
    for _ in range(count):
        words = ["".join(draw.choices(letters, k=draw.randint(1, 9))) for _ in range(draw.randint(1, 250))]
        words += draw.sample(["1,250.5", "Alba", "5 per cent", "twenty-five", "\n"], draw.randint(0, 3))
        texts.append((" " if has_blanks else "").join(words))
    return texts


@pytest.mark.parametrize("script", SCRIPTS)
def test_stored_signatures_are_datasketchs_in_all_scripts(script: str) -> None:
    for text in generated_texts(script, 100):
        hashes = shingle_hashes(text, SETTINGS).tolist()
        made = fingerprint(text, SETTINGS)
        assert (made is None) == (not hashes)
        if made is not None:
            assert np.frombuffer(made.signature, dtype="<u4").tolist() == datasketchs(hashes, SETTINGS)


@pytest.mark.parametrize("text", ["", "  \n", "— … !", "\u200b"])
def test_nothing_to_shingle(text: str) -> None:
    assert fingerprint(text, SETTINGS) is None


STORY = (
    "The harbour board of Port Alba said on Tuesday that it would close two of its seven ferry terminals, "
    "citing a 12.5 per cent fall in passengers. Chairwoman Ines Moreau told reporters the board had lost "
    "4,300,000 crowns last year. “We can’t keep empty piers open,” she said. Unions called the plan a blow "
    "to the islands – and promised to fight it."
)
RESTYLED = (
    "The Harbour Board of Port Alba said on Tuesday that it would close 2 of its seven ferry terminals, "
    "citing a 12,5% fall in passengers.\n\nChairwoman Ines Moreau told reporters the board had lost "
    '4 300 000 crowns last year.\n"We can\'t keep empty piers open", she said. Unions called the plan a blow '
    "to the islands -- and promised to fight it."
)


def test_restyled_copy_has_the_same_fingerprint() -> None:
    assert fingerprint(RESTYLED, SETTINGS) == fingerprint(STORY, SETTINGS)


def test_shape() -> None:
    settings = FingerprintSettings(bands=5, rows=3, lead_bands=4, lead_rows=2, far_lead_bands=1, far_rows=5)
    found = fingerprint(STORY, settings)
    assert found is not None
    assert len(found.signature) == 4 * (5 * 3 + 4 * 2) == 4 * settings.num_perm
    assert len(set(found.bands)) == 5 + 4 + 3 + 1 + 1, "the text is one window, and has one winnowed band"
    assert all(0 <= band < WINNOWED_BIT for band in found.bands[: 5 + 4])
    assert all(-(2**63) <= band < 0 for band in found.bands[5 + 4 : -1])
    assert WINNOWED_BIT <= found.bands[-1] < 2**BAND_BITS


def test_keys_do_not_change_between_versions_of_the_code() -> None:
    """Stored keys are compared with new ones: who changes them raises FINGERPRINT_REVISION."""
    found = fingerprint(STORY, SETTINGS)
    assert found is not None
    assert found.version == "affine32-r5-w3c5-12x2-60-12x2-f3x6-2x6-p8c13-100-12-1500-10-s1"
    digest = xxhash.xxh3_64_hexdigest(np.array(found.bands, dtype="<i8").tobytes() + found.signature)
    assert digest == "29ebf5e1647ab937"


def test_every_band_has_a_key_of_its_own() -> None:
    """A text whose signature repeats itself still has a key of its own for every band."""
    one_word = fingerprint("ferry", SETTINGS)
    assert one_word is not None
    assert len(set(one_word.bands)) == BANDS + 1
    same = np.full(SETTINGS.num_perm, 7, dtype=np.uint32)
    assert len(set(bands(same, SETTINGS))) == BANDS


def winnowed(text: str) -> set[int]:
    found = fingerprint(text, SETTINGS)
    return {band for band in found.bands if band & WINNOWED_BIT and band > 0} if found else set()


@pytest.mark.parametrize("place", range(4))
def test_a_part_of_a_longer_text_shares_a_winnowed_band_with_it(place: int) -> None:
    """Wherever it stands in a page of briefs: it is as long as a window and a shingle."""
    words = SETTINGS.winnow_window + SETTINGS.winnow_words - 1
    brief, *others = (" ".join(f"w{n}x{word}" for word in range(words)) for n in range(4))
    assert winnowed(brief) & winnowed("\n".join([*others[:place], brief, *others[place:]]))
    assert not winnowed(brief) & winnowed("\n".join(others))


def test_copy_cut_from_the_bottom_keeps_the_lead() -> None:
    body = " ".join(f"Sentence {n} of the long report follows here with words w{n} v{n}." for n in range(80))
    whole, cut = (fingerprint(f"{STORY} {more}", SETTINGS) for more in (body, body[:300]))
    assert whole is not None
    assert cut is not None
    far_lead = slice(BANDS - SETTINGS.far_lead_bands, BANDS)
    near_lead = slice(SETTINGS.bands, SETTINGS.bands + SETTINGS.lead_bands)
    assert whole.bands[near_lead] == cut.bands[near_lead]
    assert whole.bands[far_lead] == cut.bands[far_lead]


@pytest.mark.parametrize(
    "text", ["Ferry sinks.", "Ferry sinks off Alba", "渡轮沉没", "One dead after ferry sinks off Port Alba."]
)
def test_short_items(text: str) -> None:
    found, other = fingerprint(text, SETTINGS), fingerprint(f"{text} Rescue continues", SETTINGS)
    assert found is not None
    assert other is not None
    assert found.bands != other.bands
    assert fingerprint(text.upper(), SETTINGS) == found


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    found = fingerprint(text, SETTINGS)
    assert found == fingerprint(f"\n{text} ", SETTINGS)
    assert found is None or len(found.bands) > BANDS


@pytest.mark.parametrize(
    "change", ["shingle_words", "shingle_chars", "bands", "rows", "lead_words", *WINNOWING, "seed"]
)
def test_every_setting_is_in_the_version(change: str) -> None:
    assert replace(SETTINGS, **{change: getattr(SETTINGS, change) + 1}).version != SETTINGS.version
