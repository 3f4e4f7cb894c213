"""What the structure of the page says was missed."""

from __future__ import annotations

from tests.pipeline.extract.harbour import STORY, page, paragraphs, texts


def test_the_standfirst_comes_back() -> None:
    lead = "Ferries wait, passengers too: a second chain has turned up in the fairway of Port Linden."
    head = f'<meta property="og:description" content="{lead}">'
    header = f'<header><h1>Harbour closed</h1><p class="standfirst">{lead}</p></header>'
    html = page(f"<main>{header}<div class=body><article>{paragraphs(*STORY)}</article></div></main>", head)
    assert texts(html) == [lead, *STORY]


def test_a_dateline_before_the_standfirst_does_not_hide_it() -> None:
    said = "Ferries wait, passengers too: a second chain has turned up in the fairway of the harbour."
    head = f'<meta property="og:description" content="{said}">'
    header = f"<header><h1>Harbour closed</h1><div>Port Linden. {said}</div></header>"
    html = page(f"<main>{header}<div class=body><article>{paragraphs(*STORY)}</article></div></main>", head)
    assert texts(html) == [f"Port Linden. {said}", *STORY]


def test_a_story_cut_up_around_advertisements_is_put_together() -> None:
    more = [
        f"{number} more ships were sent to the roads, where they wait for a pilot and for better weather."
        for number in ("Three", "Four", "Five", "Six")
    ]
    part = '<div class="body__part"><div class="body__text">{}</div></div>'
    html = page(
        "<main>"
        + part.format(paragraphs(*STORY))
        + '<div class="ad">Buy</div>'
        + part.format(paragraphs(*more))
        + "</main>"
    )
    assert texts(html) == [*STORY, *more]
