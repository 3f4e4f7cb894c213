"""Bylines in the lines near the headline."""

from __future__ import annotations

import pytest

from tests.pipeline.metadata.pages import read


def test_a_line_that_says_by_names_the_author() -> None:
    assert read(lines=("Harbour closed", "By Mabel Rusk", "It rained.")).authors == ("Mabel Rusk",)
    assert read(lines=("By noon the rain had stopped and nobody was left.",)).authors == ()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("By Ida Brandt March 3, 2026", ("Ida Brandt",)),
        ("March 3, 2026 By Ida Brandt", ("Ida Brandt",)),
        ("March 3, 2026\nBy Ida Brandt", ("Ida Brandt",)),
        ("By Reuters March 3, 2026", ("Reuters",)),
        ("By Ida Brandt and Baltic Press 3 March 2026", ("Ida Brandt", "Baltic Press")),
        ("By Ida Brandt in Malmö | Updated 10:15", ("Ida Brandt",)),
        ("Von Ida Brandt und dpa 3. März 2026", ("Ida Brandt", "dpa")),
        ("Par AFP 3 mars 2026", ("AFP",)),
        ("Por Ida Brandt y EFE 3 de marzo de 2026", ("Ida Brandt", "EFE")),
        ("Di Ida Brandt e Per Holm", ("Ida Brandt", "Per Holm")),
        ("Автор: Ида Брандт 3 марта 2026", ("Ида Брандт",)),
        ("Автор: Укрінформ 3 березня 2026", ("Укрінформ",)),
        ("Author Ida Brandt", ("Ida Brandt",)),
        ("By Linden Post 3 March 2026", ()),
        ("Von der Stadt verlassen", ()),
        ("By Monday evening", ()),
        ("Text messages and calls", ()),
        ("By Staff Writer", ()),
    ],
)
def test_bylines(line: str, names: tuple[str, ...]) -> None:
    site = '<meta property="og:site_name" content="Linden Post">'
    assert read(site, lines=("Harbour closed", line, "It rained.")).authors == names


def test_a_label_in_a_line_of_its_own_names_what_follows() -> None:
    assert read(lines=("Written by", "Ida Brandt", "It rained.")).authors == ("Ida Brandt",)
    assert read(lines=("Von", "Ida Brandt")).authors == ("Ida Brandt",)


def test_one_word_after_by_counts_near_the_headline_only() -> None:
    assert read(lines=(*["It rained."] * 8, "By Reuters")).authors == ()


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        # a date line beside it
        (("Liman kapandı", "Ayşe Yılmaz", "3.3.2026", "Kısa."), ("Ayşe Yılmaz",)),
        (("Liman kapandı", "Ayşe Yılmaz | 3.3.2026", "Kısa."), ("Ayşe Yılmaz",)),
        # directly above the text
        (("Boema-kepe bo koetsoe", "Thabo Mokoena", "Sekepe se senyane " * 8), ("Thabo Mokoena",)),
        (("Cảng đóng cửa", "Nguyễn Văn An và Trần Minh", "Bến cảng " * 20), ()),
        (("Liman kapandı", "Ayşe Yılmaz", "Kısa."), ()),
        (("Liman kapandı", "Son dakika haberleri", "3.3.2026"), ()),
        (("Liman kapandı", "Uzun bir cümle. " * 10, "Ayşe Yılmaz", "3.3.2026"), ()),
    ],
)
def test_a_name_alone_in_the_place_of_a_byline(lines: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert read('<meta name="content-language" content="tr">', lines=lines).authors == names


def test_a_name_alone_is_no_byline_where_the_words_for_by_are_known() -> None:
    lines = ("Harbour closed", "Key Points", "3 March 2026", "It rained.")
    assert read('<meta name="content-language" content="en">', lines=lines).authors == ()
