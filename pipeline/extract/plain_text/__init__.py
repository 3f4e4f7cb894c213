"""Extracts the article of copied plain text: a pasted page, or a wire item as it was sent.

What markup would say is read from the lines. `extract` is the recipe: `text_repair` undoes wrong decoding,
`paragraphs` joins wrapped lines and reads Markdown, `headline` separates headline and masthead from story,
and `byline` reads date and authors.
"""

from pipeline.extract.plain_text.extract import extract_text
from pipeline.extract.plain_text.text_repair import repair_text

__all__ = ["extract_text", "repair_text"]
