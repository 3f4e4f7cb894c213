"""What an extractor gives: which passages of a page are its article, and what is against the others."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.extract.structure import Judged
from pipeline.page import Passage


@dataclass(frozen=True, slots=True)
class Choice:
    """Which passages of a page are the article.

    passages: all that were candidates, in the order of the page. Those without a rule are the article; the
    rule of each of the others says why it is not. is_without_trafilatura: Trafilatura could not read
    the page: it failed, or the page has too many blocks for it.
    """

    passages: list[Judged]
    is_without_trafilatura: bool = False

    @property
    def kept(self) -> list[Passage]:
        return [passage for passage, rule, _ in self.passages if rule is None]
