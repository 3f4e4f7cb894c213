"""Lines as the rules see them: their spelling, and the evidence of position, links and repetition."""

from __future__ import annotations

from pipeline.clean.lines import END_LINES, lines_of
from pipeline.document import Block, BlockKind
from tests.pipeline.clean.pages import STORY, paragraph


def test_a_line_has_its_text_in_the_spellings_of_the_rules() -> None:
    (line,) = lines_of([paragraph("»  Don’t  miss: Register NOW!")])
    assert line.text == "» Don’t miss: Register NOW!"
    assert line.folded == "> Don't miss: Register NOW!"
    assert line.small == line.folded.lower()
    assert (line.key, line.words) == ("don t miss register now", 5)
    assert line.stops


def test_the_core_is_without_bullets_and_closing_punctuation() -> None:
    (line,) = lines_of([paragraph("• Read more …")])
    assert (line.core, line.small_core) == ("Read more", "read more")


def test_a_long_sentence_is_of_the_story_unless_it_is_links_or_a_caption() -> None:
    text = STORY[0].text
    story, linked, caption, short, open_end = lines_of(
        [
            STORY[0],
            paragraph(text, link_density=0.5),
            Block(BlockKind.CAPTION, text),
            paragraph("The vote was close."),
            paragraph(text.removesuffix(".")),
        ]
    )
    assert story.is_story
    assert not any(line.is_story for line in (linked, caption, short, open_end))


def test_reported_speech_ends_as_a_sentence() -> None:
    (line,) = lines_of([paragraph("“We will sail,”")])
    assert line.stops


def test_evidence_of_place() -> None:
    lines = lines_of([paragraph("Harbour"), *STORY, paragraph("Register now")])
    assert "start" in lines[0].evidence
    assert "start" in lines[1].evidence  # the story begins with this line
    assert "start" not in lines[2].evidence
    assert {"late", "end", "after story"} <= lines[-1].evidence
    assert not {"late", "end", "after story"} & lines[1].evidence
    assert next(n for n, line in enumerate(lines) if "end" in line.evidence) == len(lines) - END_LINES


def test_evidence_of_links_repetition_and_headings() -> None:
    first, heading, again = lines_of(
        [paragraph("Share this!", 0.9), Block(BlockKind.HEADING, "Comments"), paragraph("SHARE this")]
    )
    assert {"links", "repeated"} <= first.evidence
    assert "heading" in heading.evidence
    assert "repeated" not in heading.evidence
    assert "repeated" in again.evidence
    assert "links" not in again.evidence


def test_the_first_rule_that_removes_a_line_is_named() -> None:
    (line,) = lines_of([paragraph("Register now")])
    line.remove("phrase.en.register-now")
    line.remove("structure.caption")
    assert line.rule == "phrase.en.register-now"


def test_no_blocks_no_lines() -> None:
    assert lines_of([]) == []
