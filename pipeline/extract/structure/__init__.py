"""Rules that judge a passage by where it stands in the page, never by its phrases.

`judge` asks the rules in order. `names` reads class, id and role names; `containers` the elements around a
passage; `links` lists of links and teasers; `repeats` what stands twice; `other_articles` further articles.
Each rule has an id of the form `structure.*`, which stands beside the text that it removes.
"""

from pipeline.extract.structure.evidence import Judged, passage_key
from pipeline.extract.structure.judge import judge_passages
from pipeline.extract.structure.links import teasers_among
from pipeline.extract.structure.names import token_rule

__all__ = [
    "Judged",
    "judge_passages",
    "passage_key",
    "teasers_among",
    "token_rule",
]
