"""The documents of a round: a folder for each writer, one for all, and pages that change."""

from __future__ import annotations

import base64
import json
import os
import random
from pathlib import Path

from tests.chaos.plan import WRITERS
from tests.storage.news import cut, story

# What each page holds beside its story, in bytes. Real pages have as much that cannot be compressed.
_JUNK = 24_000
_FIRST, _LATER = 1_700_000_000, 1_700_500_000


def write_documents(folder: Path, seed: int, each: int) -> list[list[str]]:
    """Write the documents; returns the paths that each writer is given.

    each: the documents of a writer. It has as many of its own as all have in common. Stories are copied,
    whole and cut; some pages are changed by another writer, some hold no article, some lines are damaged.
    """
    chance = random.Random(seed)
    texts = [story(chance.randrange(10**9), 110) for _ in range(each * WRITERS // 10)]
    folder.mkdir()
    addresses: list[str] = []
    for name in (*map(str, range(WRITERS)), "common"):
        lines = []
        for n in range(each // 2):
            text = cut(chance.choice(texts), chance.choice([1.0, 1.0, 0.7]))
            url = f"https://site{chance.randrange(6)}.example/news/{name}-{n}"
            addresses.append(url)
            lines.append(_line(url, text, chance, is_damaged=n % 19 == 18, is_empty=n % 17 == 16))
        _write(folder / name / "first.jsonl", lines, _FIRST)
    for n, url in enumerate(chance.sample(addresses, min(2 * WRITERS, len(addresses)))):
        text = story(chance.randrange(10**9), 110)
        path = folder / str(n % WRITERS) / f"later-{n}.jsonl"
        _write(path, [_line(url, text, chance)], _LATER + n)
    return [[str(folder / str(writer)), str(folder / "common")] for writer in range(WRITERS)]


def _line(
    url: str, text: str, chance: random.Random, *, is_damaged: bool = False, is_empty: bool = False
) -> str:
    if is_damaged:
        return '{"html": '
    junk = base64.b64encode(chance.randbytes(_JUNK)).decode()
    paragraphs = "" if is_empty else "".join(f"<p>{line}</p>\n" for line in text.split("\n"))
    title = f"The {' '.join(text.split()[:4]).lower()} story"
    html = (
        f"<html><head><title>{title}</title><script>const state = '{junk}'</script></head>\n"
        f"<body><article><h1>{title}</h1>\n{paragraphs}</article></body></html>"
    )
    return json.dumps({"html": html, "url": url})


def _write(path: Path, lines: list[str], changed: int) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    os.utime(path, (changed, changed))
