"""Style sheets, scripts and placeholders among the lines of a story."""

from __future__ import annotations

import pytest

from pipeline.clean.boilerplate import clean
from pipeline.document import Block, BlockKind
from pipeline.settings import Settings
from tests.pipeline.clean.pages import STORY, extraction, kept_texts, paragraph

SHOWN_BY_MISTAKE = [
    ".css-1x2y{color:#333;margin:0 auto;} .css-1x2y:hover{color:red}",
    "#div-ad-3 { display: none; } @media (max-width: 600px) { #div-ad-3 { width: 100%; } }",
    "@media screen and (min-width: 700px) { .promo { float: left; width: 300px } }",
    "googletag.cmd.push(function() { googletag.display('div-ad-3'); }); window.adsDone = true && !0;",
    "!function(){window.addEventListener('message',(function(e){if(void 0!==e.data.h){var t=1}}))}();",
    "(function(d, s, id) { var js, fjs = d.getElementsByTagName(s)[0]; if (d.getElementById(id)) return; "
    "js = d.createElement(s); fjs.parentNode.insertBefore(js, fjs); }(document, 'script', 'sdk'));",
    "{{harbour-banner='/banners/spring'}}",
    '[caption id="attachment_7" align="alignleft" width="300"]',
    "[gallery ids='1,2,3']",
    "{% include promo %}",
]


@pytest.mark.parametrize("text", SHOWN_BY_MISTAKE)
def test_code_that_is_shown_by_mistake_goes(text: str) -> None:
    kept, removed = clean(extraction(*STORY[:4], paragraph(text), *STORY[4:]), Settings())
    assert [block.text for _, block in kept] == [block.text for block in STORY]
    assert [(r.text, r.rule) for r in removed] == [(text, "structure.code")]


@pytest.mark.parametrize(
    "text",
    [
        "The form (two pages; three copies) is due on Friday, and the function of the board is to say no.",
        "{The mayor} signed it; the council {all of it} let the document pass (with a window for appeals).",
        "Write “.harbour { color: red; }” into the file, the teacher said. Nobody did. Why would they?",
        "[Video shown in court] The captain leaves the bridge at two minutes past four.",
        "The vote: a) ferry; b) bridge; c) neither (the document does not say).",
        "p. 7: the table (in braces) shows sailings; the rest is weather.",
    ],
)
def test_sentences_with_brackets_stay(text: str) -> None:
    assert text in kept_texts(*STORY[:4], paragraph(text), *STORY[4:])


def test_code_in_elements_for_code_stays() -> None:
    text = SHOWN_BY_MISTAKE[3]
    code = Block(BlockKind.PARAGRAPH, text, tags=("pre", "div", "html"))
    assert text in kept_texts(*STORY[:4], code, *STORY[4:])


def test_a_page_about_code_keeps_its_code() -> None:
    texts = [f"var a{n} = function() {{ return window.b{n} && c; }};" for n in range(6)]
    kept = kept_texts(*STORY[:4], *map(paragraph, texts), *STORY[4:])
    assert set(texts) <= set(kept)
    assert texts[0] not in kept_texts(*STORY[:4], paragraph(texts[0]), *STORY[4:])
