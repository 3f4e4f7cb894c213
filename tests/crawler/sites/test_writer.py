"""Adding to a sites file: all other bytes stay, and no reader sees half a file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.sites import writer
from crawler.sites.reader import read_sites
from pipeline.errors import OperatorError

ENTRY: dict[str, Any] = {
    "name": "The Herald",
    "homepage": "https://herald.example/",
    "feeds": ["https://herald.example/rss", "https://herald.example/world/rss"],
    "language": "en",
}

COMMENTED = """\
# Our papers. Ask Ada before you change the delays.

[sites.gazette]          # since 2019
  name     = 'The "Gazette"'   # with quotes
homepage = "https://www.gazette.example/"
feeds = [
    "https://www.gazette.example/rss",  # main
    # "https://www.gazette.example/sport",
]
article_urls = ['/\\d{4}/']

    [sites.gazette.politeness]
    delay = 2.50 # slow


# [sites.tribune] is gone
"""


def test_all_other_bytes_stay(tmp_path: Path) -> None:
    file = tmp_path / "sites.toml"
    file.write_text(COMMENTED)
    (added,) = writer.add_sites(file, {"herald": ENTRY})
    assert file.read_text() == COMMENTED + (
        "\n"
        "[sites.herald]\n"
        'name = "The Herald"\n'
        'homepage = "https://herald.example/"\n'
        "feeds = [\n"
        '    "https://herald.example/rss",\n'
        '    "https://herald.example/world/rss",\n'
        "]\n"
        'language = "en"\n'
    )
    sites = read_sites(file)
    assert list(sites) == ["gazette", "herald"]
    assert sites["herald"] == added
    assert [path.name for path in tmp_path.iterdir()] == ["sites.toml"]


@pytest.mark.parametrize(
    "old",
    [
        b"",
        b"\n\n",
        b"# nothing yet",
        COMMENTED.rstrip().encode(),
        COMMENTED.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + COMMENTED.encode(),
        b'sites.gazette = {homepage = "https://g.example/", feeds = ["https://g.example/rss"]}',
        b'[sites]\n[sites."g.b"]\nhomepage = "https://g.example/"\nfeeds = ["https://g.example/rss"]\n[sites."g.b".politeness]',
    ],
)
def test_whatever_the_file_looks_like(tmp_path: Path, old: bytes) -> None:
    file = tmp_path / "sites.toml"
    file.write_bytes(old)
    before = read_sites(file)
    writer.add_sites(file, {"herald.north": ENTRY})
    new = file.read_bytes()
    assert new.startswith(old)
    assert (b"\r\n" in new) == (b"\r\n" in old)
    assert new.count(b"\r\n") in (0, new.count(b"\n"))
    assert list(read_sites(file)) == [*before, "herald.north"]


def test_a_new_file_and_a_second_site(tmp_path: Path) -> None:
    file = writer.own_sites_file(tmp_path / "mine.toml")
    assert writer.sites_in_file(file) == {}
    writer.add_sites(file, {"herald": ENTRY})
    writer.add_sites(file, {"gazette": {**ENTRY, "homepage": "https://gazette.example/"}})
    assert list(writer.sites_in_file(file)) == ["herald", "gazette"]
    umask = os.umask(0)
    os.umask(umask)
    assert file.stat().st_mode & 0o777 == 0o666 & ~umask


def test_the_mode_stays_and_so_does_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_text(COMMENTED)
    real.chmod(0o640)
    link.symlink_to(real)
    writer.add_sites(writer.own_sites_file(link), {"herald": ENTRY})
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "herald" in read_sites(real)


@pytest.mark.parametrize(
    ("key", "homepage", "message"),
    [
        ("gazette", "https://other.example/", "site gazette is there already; choose another key with --key"),
        ("other", "https://www.gazette.example/", "is there already, as site gazette"),
        ("other", "http://GAZETTE.example:80", "is there already, as site gazette"),
        ("The Herald", "https://herald.example/", "a site's key is made of"),
        ("other", "javascript:alert(1)", "homepage: 'javascript:alert(1)' is no http"),
    ],
)
def test_nothing_is_written_for_a_mistake(tmp_path: Path, key: str, homepage: str, message: str) -> None:
    file = tmp_path / "sites.toml"
    file.write_text(COMMENTED)
    with pytest.raises(OperatorError) as caught:
        writer.add_sites(file, {key: {**ENTRY, "homepage": homepage}})
    assert message in str(caught.value)
    assert str(file) in str(caught.value)
    assert file.read_text() == COMMENTED
    assert [path.name for path in tmp_path.iterdir()] == ["sites.toml"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[sites.gazette]\ncolour = 3\n", "site gazette: "),
        ("[sites.gazette\n", "not valid TOML"),
        (
            'sites = {g = {homepage = "https://g.example/", feeds = ["https://g.example/rss"]}}',
            "nothing was written",
        ),
    ],
)
def test_a_file_with_a_mistake_is_left_alone(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "sites.toml"
    file.write_text(content)
    with pytest.raises(OperatorError, match=message):
        writer.add_sites(file, {"herald": ENTRY})
    assert file.read_text() == content


def test_the_shipped_file_is_never_written_to(tmp_path: Path) -> None:
    shipped = Path(writer.__file__).with_name("sites.toml")
    link = tmp_path / "sites.toml"
    link.symlink_to(shipped)
    for path in (None, shipped, link):
        with pytest.raises(OperatorError, match="name one of your own with --sites FILE"):
            writer.own_sites_file(path)


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="is no file"):
        writer.own_sites_file(tmp_path)
    with pytest.raises(OperatorError, match=r"cannot be opened .*make that folder"):
        writer.add_sites(tmp_path / "none" / "sites.toml", {"herald": ENTRY})
    with pytest.raises(OperatorError, match="cannot be written"):
        writer.add_sites(tmp_path / ("x" * 250), {"herald": ENTRY})


@given(name=st.text(), url=st.text(max_size=30))
def test_no_value_changes_the_rest_of_the_file(name: str, url: str) -> None:
    try:
        text = writer.site_table_text(
            "herald", {**ENTRY, "name": name, "feeds": [f"https://h.example/{url}"]}
        )
    except UnicodeEncodeError:  # half of a surrogate pair, which no file can hold
        return
    read = tomllib.loads(text)
    assert read == {"sites": {"herald": {**ENTRY, "name": name, "feeds": [f"https://h.example/{url}"]}}}


ADDS = """
import sys
from pathlib import Path
from crawler.sites.writer import add_sites
for number in range(6):
    key = f"h-{sys.argv[2]}-{number}"
    add_sites(
        Path(sys.argv[1]),
        {key: {"homepage": f"https://{key}.example/", "feeds": [f"https://{key}.example/rss"]}},
    )
"""


def test_concurrent_programs_lose_nothing_and_nobody_reads_half_a_file(tmp_path: Path) -> None:
    file = tmp_path / "sites.toml"
    file.write_text(COMMENTED)
    root = Path(writer.__file__).parents[2]
    programs = [
        subprocess.Popen([sys.executable, "-c", ADDS, str(file), name], cwd=root, stderr=subprocess.PIPE)
        for name in ("a", "b", "c")
    ]
    while any(program.poll() is None for program in programs):
        assert "gazette" in read_sites(file)
        time.sleep(0.01)  # leaves the processor to the programs
    for program in programs:
        _, said = program.communicate()
        assert program.returncode == 0, said
    assert set(read_sites(file)) == {"gazette", *(f"h-{a}-{n}" for a in "abc" for n in range(6))}
    assert file.read_text().startswith(COMMENTED)


def test_a_table_is_cut_out_and_all_other_bytes_stay(tmp_path: Path) -> None:
    file = tmp_path / "sites.toml"
    for line_end, mark in (("\n", ""), ("\r\n", "\ufeff")):
        text = (mark + COMMENTED).replace("\n", line_end).encode()
        file.write_bytes(text)
        before = read_sites(file)
        writer.add_sites(file, {"herald": ENTRY})
        assert [site.key for site in writer.remove_sites(file, ["herald"])] == ["herald"]
        assert file.read_bytes().rstrip() == text.rstrip()
        assert read_sites(file) == before
        writer.remove_sites(file, ["gazette"])
        assert read_sites(file) == {}
        assert b"Ask Ada" in file.read_bytes()


def test_what_cannot_be_cut_out_stays(tmp_path: Path) -> None:
    file = tmp_path / "sites.toml"
    file.write_text(COMMENTED)
    with pytest.raises(OperatorError, match="did you mean gazette"):
        writer.remove_sites(file, ["gazete"])
    assert file.read_text() == COMMENTED


def test_exported_sites_are_read_as_the_same(tmp_path: Path) -> None:
    file = tmp_path / "exported.toml"
    own = tmp_path / "own.toml"
    own.write_text(
        COMMENTED
        + '[sites.gazette.rules]\ntake = [".story"]\nclutter = ["On", { phrase = "More", scope = "tail" }]\n'
    )
    for path in (None, own):
        file.write_text(writer.as_sites_file(path, ()))
        assert read_sites(file) == read_sites(path)
    assert "bbc" not in writer.as_sites_file(None, ["dw"])


def test_opml_has_the_feeds_of_each_site() -> None:
    root = ElementTree.fromstring(writer.as_opml(read_sites().values()))
    feeds = [outline.get("xmlUrl") for outline in root.iter("outline") if outline.get("type") == "rss"]
    assert feeds == [url for site in read_sites().values() for url in site.feeds]
    assert root.get("version") == "2.0"
