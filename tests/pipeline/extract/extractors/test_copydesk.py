"""Copydesk's own extractor: what the readers took, judged by rules and by the block model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from pipeline.document import Article, Document, DocumentRejected, MediaType
from pipeline.extract.candidates import Candidates, find_candidates
from pipeline.extract.choice import Choice
from pipeline.extract.extractors.copydesk import block_evidence, choose, find_articles, judge
from pipeline.extract.html import extract_page
from pipeline.extract.model import BlockModel, block_columns, rule_number
from pipeline.extract.model.name_features import TokenOdds
from pipeline.extract.open_page import OpenPage, open_page
from pipeline.extract.trafilatura_adapter import TrafilaturaFailed
from pipeline.page import Page, Passage, decode_body
from pipeline.process import process_document
from pipeline.settings import Settings
from pipeline.text import runs
from tests.known_pages import FETCHED_AT, examples, written_articles, written_rejections
from tests.pipeline.extract.pages import BODY, PAGE, STORY

BOX = "Sign up for our newsletter and never miss a tide."
FOOTER = "© The Channel Courier. All rights reserved."
NOWHERE = Passage(None, "A line from nowhere.", 99.0)


def opened(html: str) -> OpenPage:
    return open_page(html, "https://courier.example/1", FETCHED_AT, Settings())


def passages_of(page: Page, *texts: str) -> list[Passage]:
    return [Passage(i, b.text, float(i)) for i, b in enumerate(page.blocks) if b.text in texts]


def sure(long: float, short: float | None = None) -> BlockModel:
    """A model that gives these log-odds to blocks of more than five words and, by default, to all others."""
    leaves = np.zeros((1, 32), dtype=np.float32)
    leaves[0, :2] = long if short is None else short, long
    return BlockModel(
        odds=TokenOdds({}),
        columns=("words",),
        feature=np.zeros((1, 1), dtype=np.intp),
        threshold=np.full((1, 1), 5.0, dtype=np.float32),
        removed=np.ones((1, 1), dtype=np.uint32),
        leaves=leaves,
    )


def chosen(
    html: str, by_trafilatura: list[str] | None, by_prose: list[str], model: BlockModel | None = None
) -> Choice:
    """The choice where the readers have taken these texts. None: Trafilatura failed."""
    page = opened(html)
    columns = block_columns([page.page])
    theirs = None if by_trafilatura is None else passages_of(page.page, *by_trafilatura)
    if theirs is not None and NOWHERE.text in (by_trafilatura or ()):
        theirs.append(NOWHERE)
    found = [Candidates(theirs, passages_of(page.page, *by_prose))]
    (choice,) = choose(columns, [page], found, judge([page], found), model)
    return choice


def kept(choice: Choice) -> list[str]:
    return [passage.text for passage in choice.kept]


def rule_of(choice: Choice, text: str) -> str | None:
    (rule,) = [rule for passage, rule, _ in choice.passages if passage.text == text]
    return rule


def test_the_story_is_found_and_what_surrounds_it_is_not() -> None:
    (choice,) = find_articles([opened(PAGE)])
    assert kept(choice) == STORY
    assert not choice.is_without_trafilatura


def test_no_pages_have_no_articles() -> None:
    assert find_articles([]) == []


def test_the_article_of_a_page_does_not_depend_on_the_pages_beside_it() -> None:
    pages = [opened(PAGE), opened(f"<div>{BODY}</div>"), opened("<p>Closed today.</p>")]
    assert find_articles(pages) == [choice for page in pages for choice in find_articles([page])]


def test_the_model_adds_what_no_reader_took() -> None:
    without_one = [*STORY[:2], *STORY[3:]]
    assert kept(chosen(PAGE, without_one, without_one)) == STORY


def test_one_reader_is_enough() -> None:
    assert kept(chosen(PAGE, STORY, [])) == STORY
    assert kept(chosen(PAGE, [], STORY)) == STORY


def test_the_model_drops_a_candidate_and_leaves_its_probability() -> None:
    line = "Port notices"
    html = PAGE.replace("</main>", f"</main><div><p>{line}</p></div>")
    choice = chosen(html, [*STORY, line], STORY, sure(9.0, short=-9.0))
    assert set(STORY) <= set(kept(choice))
    assert line not in kept(choice)
    assert rule_of(choice, line) == "model.block 0.00"


def test_the_name_of_a_container_decides_only_where_trafilatura_has_not_kept_the_block() -> None:
    by_prose = chosen(PAGE, STORY, [*STORY, BOX], sure(3.0))
    assert BOX not in kept(by_prose)
    assert rule_of(by_prose, BOX) == "structure.newsletter"
    by_trafilatura = chosen(PAGE, [*STORY, BOX], STORY, sure(3.0))
    assert BOX in kept(by_trafilatura)


def test_what_the_name_of_a_container_is_against_and_the_model_drops_names_the_container() -> None:
    choice = chosen(PAGE, [*STORY, BOX], STORY)
    assert kept(choice) == STORY
    assert rule_of(choice, BOX) == "structure.newsletter"


@pytest.mark.parametrize(
    ("added", "line", "rule"),
    [
        ("<h1>Board votes</h1>", "Board votes", "structure.title"),
        (f"<p>{STORY[1]}</p>", STORY[1], "structure.repeated"),
        (
            "<figure><figcaption>The quay on Tuesday.</figcaption></figure>",
            "The quay on Tuesday.",
            "structure.caption",
        ),
        (
            "<ul><li><a href=/8>Second chain in a week found in the fairway</a></li>"
            "<li><a href=/9>Ferry line buys soup for six hundred passengers</a></li></ul>",
            "Second chain in a week found in the fairway",
            "structure.link-list",
        ),
    ],
)
def test_headline_repeated_text_captions_and_lists_of_links_go_though_trafilatura_has_kept_them(
    added: str, line: str, rule: str
) -> None:
    title = added if "<h1>" in added else ""
    html = f"<main>{title}<div>{BODY}</div>{'' if title else added}<p>The end of it.</p></main>"
    page = opened(html)
    everything = [block.text for block in page.page.blocks]
    choice = chosen(html, everything, everything, sure(3.0))
    assert rule in [rule for passage, rule, _ in choice.passages if passage.text == line]
    assert kept(choice) == [*STORY, "The end of it."]


# Names as on clutter, on containers of a story. Trafilatura drops by its own names, which are others.
NAMES_OF_WHOLE_STORIES = [
    'class="post-share-story related"',
    'class="newsletter-body"',
    'id="comments-lead"',
    'class="promo-article"',
    'class="advert-feature"',
    'class="author-text"',
    'class="related-article"',
    'class="social-story"',
    'role="dialog"',
    'class="cookie-story popup"',
]
# The model takes parts of a story under these names for the story's, and under the others for clutter.
NAMES_OF_PARTS = [
    'class="advert-feature"',
    'class="survey-report"',
    'class="vote-results"',
    'role="dialog"',
]
DOUBTED_NAMES = ['class="promo-article"', 'class="subscription-content"', 'class="carousel-story"']
OTHERS = [
    "The school council met on Monday, and two parents asked about the roof of the old gymnasium, which has "
    "let in the rain since the great storm of the spring.",
    "Nobody could say what the new tiles will cost, but the caretaker has been told to keep the children out "
    "of the hall until the mayor has seen it.",
    "In the yard a tent was put up for the winter, and the music teacher says that the sound in it is better "
    "than it ever was below the roof.",
]


@pytest.mark.parametrize("name", NAMES_OF_WHOLE_STORIES)
def test_a_story_in_a_container_named_like_clutter_stays(name: str) -> None:
    (choice,) = find_articles([opened(PAGE.replace('<div class="article-body">', f"<div {name}>"))])
    assert kept(choice) == STORY


def page_with_parts(name: str) -> OpenPage:
    """A page whose story is in part in containers of that name."""
    parts = "".join(f"<div {name}><p>{text}</p></div>" for text in STORY[:3])
    around = [f"<p>{text}</p>" for text in (*OTHERS, *STORY[3:])]
    return opened(PAGE.replace(BODY, "".join((*around[:2], parts, *around[2:]))))


@pytest.mark.parametrize("name", [*NAMES_OF_PARTS, *DOUBTED_NAMES])
def test_the_name_of_a_container_is_no_veto(name: str) -> None:
    page = page_with_parts(name)
    found = find_candidates(block_columns([page.page]), [page])
    (judged,) = judge([page], found)
    # A rule is against each of them, and none is a veto.
    against = [is_veto for passage, rule, is_veto in judged if passage.text in STORY[:3] and rule is not None]
    assert against == [False] * 3


@pytest.mark.parametrize("name", NAMES_OF_PARTS)
def test_parts_of_a_story_in_containers_named_like_clutter_stay_where_trafilatura_keeps_them(
    name: str,
) -> None:
    (choice,) = find_articles([page_with_parts(name)])
    assert kept(choice) == [*OTHERS[:2], *STORY[:3], OTHERS[2], *STORY[3:]]


def test_text_that_is_not_in_the_page_is_left_to_the_rules() -> None:
    assert kept(chosen(PAGE, [*STORY, NOWHERE.text], STORY))[-1] == NOWHERE.text


def test_a_page_that_the_model_would_empty_has_the_text_of_trafilatura() -> None:
    choice = chosen(PAGE, STORY[:3], [*STORY[3:], FOOTER], sure(-9.0, short=9.0))
    assert kept(choice) == STORY[:3]
    assert rule_of(choice, STORY[3]) == "model.block 0.00"
    assert rule_of(choice, FOOTER) == "structure.footer"


@pytest.mark.parametrize("by_trafilatura", [None, []])
def test_a_page_that_the_model_would_empty_has_its_region_of_prose_where_trafilatura_took_nothing(
    by_trafilatura: list[str] | None,
) -> None:
    choice = chosen(PAGE, by_trafilatura, [*STORY, BOX], sure(-9.0, short=9.0))
    assert kept(choice) == STORY
    assert rule_of(choice, BOX) == "structure.newsletter"


def test_a_page_of_a_few_words_keeps_them() -> None:
    html = "<html><body><div><p>Closed today.</p></div></body></html>"
    assert kept(chosen(html, ["Closed today."], ["Closed today."])) == ["Closed today."]


def test_a_sign_off_below_the_story_stays_with_it() -> None:
    html = PAGE.replace("</div>\n<div class", "<p>Reuters</p></div>\n<div class", 1)
    assert kept(chosen(html, STORY, STORY)) == [*STORY, "Reuters"]


def test_a_page_on_which_trafilatura_fails_is_judged_without_it_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(root: object) -> list[str]:
        raise TrafilaturaFailed("of a tree")

    monkeypatch.setattr("pipeline.extract.candidates.article_lines", broken)
    (choice,) = find_articles([opened(PAGE)])
    assert kept(choice) == STORY
    assert choice.is_without_trafilatura


def test_evidence_holds_what_each_reader_took_and_the_rule_against_it() -> None:
    page = opened(PAGE)
    columns = block_columns([page.page, page.page])
    found = [
        Candidates(passages_of(page.page, STORY[0], BOX), passages_of(page.page, STORY[0], STORY[1])),
        Candidates(None, passages_of(page.page, STORY[2])),
    ]
    evidence = block_evidence(columns, found, judge([page, page], found))
    texts, half = list(columns.texts), len(page.page.blocks)
    first, second, third, box = (texts.index(text) for text in (*STORY[:3], BOX))
    assert evidence.share.nonzero()[0].tolist() == [first, box]
    assert evidence.own.nonzero()[0].tolist() == [first, second, half + third]
    assert evidence.rule.nonzero()[0].tolist() == [box]
    assert evidence.rule[box] == rule_number("structure.newsletter")
    # The name of its container is no veto against what Trafilatura has kept.
    assert not evidence.vetoed.any()
    unkept = [Candidates(passages_of(page.page, STORY[0]), passages_of(page.page, STORY[0], BOX))] * 2
    vetoed = block_evidence(columns, unkept, judge([page, page], unkept)).vetoed
    assert vetoed.nonzero()[0].tolist() == [box, half + box]


def known_pages() -> Iterator[Document]:
    """All pages of tests/pages and examples."""
    for known in (*written_articles(), *written_rejections(), *examples(Settings())):
        if isinstance(known.source, Document) and known.source.media_type is MediaType.HTML:
            yield known.source


def read(document: Document) -> OpenPage | None:
    try:
        html = decode_body(document.body, document.encoding, document.media_type)
        return open_page(html, document.url, document.fetched_at, Settings())
    except DocumentRejected:
        return None


def words_of(texts: list[str]) -> Counter[str]:
    return Counter(word for text in texts for word in runs(text))


def test_nothing_that_a_reader_took_disappears_without_a_rule() -> None:
    checked = 0
    for document in known_pages():
        page = read(document)
        if page is None:
            continue
        (found,) = find_candidates(block_columns([page.page]), [page])
        taken = words_of([passage.text for passage in found.either()])
        try:
            extraction = extract_page(page)
        except DocumentRejected:
            continue
        assert all(line.rule for line in extraction.removed), document.location
        shown = [block.text for block in extraction.blocks] + [line.text for line in extraction.removed]
        assert not taken - words_of(shown), document.location
        outcome = process_document(document, Settings())
        if isinstance(outcome, Article):
            assert all(line.rule for line in outcome.removed), document.location
            # Cleaning rewrites a text here and there, so single words of it may be others.
            stored = words_of([outcome.text, *(line.text for line in outcome.removed)])
            assert not taken - stored, document.location
        checked += 1
    assert checked > 50
