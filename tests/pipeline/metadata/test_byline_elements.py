"""Bylines that a page marks up."""

from __future__ import annotations

import pytest

from tests.pipeline.metadata.pages import read


@pytest.mark.parametrize(
    "body",
    [
        '<h1>x</h1><a rel="author" href="/a/7">Ida Brandt</a>',
        # more names than any template gives an element
        f'<h1>x</h1><span class="{"wide " * 200}Author-Name">Ida Brandt</span>',
        '<h1>x</h1><span class="article__author">By Ida Brandt</span>',
        '<h1>x</h1><a href="/author/ida">Ida Brandt</a>',
        '<h1>x</h1><div itemprop="author"><span itemprop="name">Ida Brandt</span></div>',
    ],
)
def test_authors_shown_on_the_page(body: str) -> None:
    assert read(body=body).authors == ("Ida Brandt",)


def test_an_agency_of_one_word_needs_an_element_that_is_made_for_authors() -> None:
    assert read(body='<h1>x</h1><a rel="author" href="/author/dpa">dpa</a>').authors == ("dpa",)
    both = '<h1>x</h1><a rel="author" href="/a/1">Ida Brandt</a> and <a rel="author" href="/a/2">dpa</a>'
    assert read(body=both).authors == ("Ida Brandt", "dpa")
    assert read(body='<h1>x</h1><span class="author">Sports</span>').authors == ()


def test_who_comments_is_no_author() -> None:
    body = '<h1>x</h1><div class="comment"><b class="x"><span class="author-name">Ida Brandt</span></b></div>'
    assert read(body=body).authors == ()


def test_authors_of_other_stories_below_are_not_taken() -> None:
    text = "<p>" + "The harbour stayed closed on Tuesday while divers looked for the chain. " * 3 + "</p>"
    body = f'<h1>x</h1><p class="byline">Ida Brandt</p>{text * 4}<p class="byline">Per Holm</p>'
    assert read(body=body).authors == ("Ida Brandt",)


LONG = "The harbour stayed closed on Tuesday while divers looked for the chain that held the ferry. " * 2


@pytest.mark.parametrize(
    "body",
    [
        '<p class="authorName">Ida Brandt</p>',
        '<span class="Byline_bylineLink__b4K4Y"><cite>Ida Brandt</cite></span>',
        '<div class="gnt_ar_by">Ida Brandt<br>LINDEN POST</div>',
        '<p data-testid="byline-contributors"><span>Ida Brandt</span><span>Sea Editor</span></p>',
        '<div class="author"><span>Ida</span> <span>Brandt</span></div>',
        '<a href="/yazarlar/ida-brandt">Ida Brandt</a>',
        # a line that is mostly a link
        '<p>By <a href="https://social.example/ida">Ida Brandt</a></p>',
        # "By" below the text belongs to other stories
        f'<p class="author">Ida Brandt</p>{f"<p>{LONG}</p>" * 4}<p>By Per Holm</p>',
        '<p class="byline">Ida Brandt</p><h1>x</h1>',
        f'{f"<p>{LONG}</p>" * 4}<a rel="author" href="/a">Ida Brandt</a>',
        # pictures, checks and other stories beside it
        '<p class="byline">By <a href="/author/i">Ida Brandt</a> | Photos by <a href="/author/p">Per</a></p>',
        '<p class="author">Ida Brandt</p><p>Fact checked by <a class="author">Per Holm</a></p>',
        '<p class="author">Ida Brandt</p><p class="reviewer-info"><a class="author">Per Holm</a></p>',
        '<a href="/s"><h3>Storm</h3><i class="author">Per Holm</i></a><p class="author">Ida Brandt</p>',
        '<nav><a href="/author/p">Per Holm</a></nav><p class="author">Ida Brandt</p>',
        '<p class="author">About the author</p><p class="author">Ida Brandt</p>',
        '<a href="https://bsky.app/profile/lindenpost">Blue Sky</a><p class="author">Ida Brandt</p>',
        f'<p>{LONG}<a href="/people/per">Per Holm</a></p><p class="author">Ida Brandt</p>',
        '<p class="author">Per Holm</p><h2>Chain found at last</h2><p class="author">Ida Brandt</p>',
    ],
)
def test_the_author_by_place_and_markup(body: str) -> None:
    heading = "" if "<h1>" in body else "<h1>Linden Post</h1>"
    assert read("<title>Chain found at last</title>", heading + body).authors == ("Ida Brandt",)


@pytest.mark.parametrize(
    "body",
    [
        '<p class="byline">By Ida Brandt, <a href="/author/p">Per Holm</a> and <a href="/u">Una Vik</a></p>',
        '<a rel="author">Ida Brandt</a>, <a rel="author">Per Holm</a><a rel="author">Una Vik</a>',
    ],
)
def test_all_authors_of_one_byline(body: str) -> None:
    assert read(body=f"<h1>x</h1>{body}").authors == ("Ida Brandt", "Per Holm", "Una Vik")


def test_names_far_from_the_first_byline_are_not_its_authors() -> None:
    body = f'<div><p class="author">Ida Brandt</p></div><div>{LONG * 4}<p class="author">Per Holm</p></div>'
    assert read(body=f"<h1>x</h1>{body}").authors == ("Ida Brandt",)


def test_names_without_blanks() -> None:
    body = '<h1>港が閉鎖</h1><p class="article-author">山田太郎</p>'
    assert read(body=body).authors == ("山田太郎",)
    assert read(body=body.replace("山田太郎", "朝刊編集部")).authors == ()


def test_a_word_in_capitals_in_a_generated_class_is_not_by() -> None:
    assert read(body='<h1>x</h1><section class="xuzjBY comp-m7">Let Us Talk</section>').authors == ()
