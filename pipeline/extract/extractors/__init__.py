"""The extractors: each finds the articles of pages in its own way. `Settings.extractor` names one.

An extractor is a function `find_articles(opened)` that gives the choice of each page. `copydesk` judges what
Trafilatura and the regions of prose have taken; `trafilatura` takes the text of that library as it is.
Cleaning follows after either. A further extractor is a further module, and a name in `EXTRACTORS`.
"""

from collections.abc import Callable, Mapping, Sequence

from pipeline.extract.choice import Choice
from pipeline.extract.extractors import copydesk, trafilatura
from pipeline.extract.open_page import OpenPage

__all__ = ["EXTRACTORS", "Extractor"]

# Pages of one call may share numpy operations. The choice of a page does not depend on the others.
Extractor = Callable[[Sequence[OpenPage]], list[Choice]]

EXTRACTORS: Mapping[str, Extractor] = {
    "copydesk": copydesk.find_articles,
    "trafilatura": trafilatura.find_articles,
}
