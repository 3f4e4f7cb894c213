"""Rules that judge a block by where it stands in the page, never by its phrases.

Each rule has an id of the form `structure.*`, which is what `removed_text` will show. The tokens are
words that templates use in class, id and role names; they are matched as whole words of a token
("post-share-bar" holds "share"), because parts of words mislead ("shareholder", "headline-ad" and
"read" do not mean the same).
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache

from pipeline.document import BlockKind
from pipeline.extract.model import folded_before
from pipeline.metadata import Metadata
from pipeline.page import Page, Piece, RawBlock, common_container
from pipeline.text import ends_sentence, runs_key

# A container that holds more of the article's text than this share, and more than this many characters,
# is a part of the story, whatever its name.
_STORY_SHARE = 0.2
_STORY_CHARS = 500
# Image texts are short; a longer text that equals one is a story's own.
_CAPTION_WORDS = 45

# Words of tokens, per rule. `+` at the end: also as the beginning of a longer word ("relatedposts").
_VOCABULARY: tuple[tuple[str, str], ...] = (
    (
        "structure.caption",
        "caption captions figcaption+ credits photocredit+ imagecredit+ photo-credit image-credit img-credit "
        "bildunterschrift+ legende pie-de-foto didascalia fotocredit+ img-desc image-description "
        "image-widget",
    ),
    (
        "structure.author",
        "author authors authorbox+ byline bylines bio biography authorinfo+ authorbio+ contributor "
        "contributors autor autoren auteur saboxplugin+ profile-card journalist",
    ),
    (
        "structure.related",
        "related+ recommended+ recommendation+ readmore+ read-more read-also readalso+ also-read seealso+ "
        "see-also more-stories morestories+ more-from more-on mostread+ most-read most-popular trending "
        "latest-news "
        "outbrain+ taboola+ zergnet+ recirc+ teaser-list up-next next-post similar-posts promo promobox+ "
        "interlink+ crosslink+ next-article",
    ),
    (
        "structure.newsletter",
        "newsletter+ signup sign-up subscribe+ subscription+ mailchimp+ mc4wp+ optin+ mailing-list "
        "membership+ regwall+ registration",
    ),
    (
        "structure.share",
        "share sharing shares sharedaddy+ sharebar+ social socials socialshare+ addtoany+ addthis+ follow-us "
        "followus+ google-news copy-link",
    ),
    ("structure.comments", "comments commentlist+ disqus+ respond comment-form comment-respond"),
    (
        "structure.embed",
        "twitter-tweet twitter-video instagram-media tiktok-embed fb-post fb-video embed-consent "
        "external-content",
    ),
    (
        "structure.navigation",
        "breadcrumb+ navbar+ nav navigation menu menuitem megamenu+ pagination pager skip-link topbar",
    ),
    ("structure.infobox", "infobox+ factbox+ fact-box info-box"),
    ("structure.footer", "footer copyright copyrights colophon"),
    ("structure.consent", "cookie+ consent+ gdpr+ onetrust+"),
    ("structure.dialog", "modal popup+ lightbox tooltip+ dialog overlay toast"),
    ("structure.advert", "ad advert+ adsense+ adslot+ sponsored+ affiliate+ dfp+ adbox+ cta"),
    ("structure.tags", "tags taglist+ tag-list tag-cloud post-categories cat-links post-tags"),
    ("structure.print", "print-only noprint no-print printonly+"),
    ("structure.search", "search-form searchform+"),
    ("structure.rating", "rating ratings vote voting poll survey feedback"),
    ("structure.disclaimer", "disclaimer+ disclosure+"),
    ("structure.carousel", "carousel+ swiper+ slick-slide"),
    ("structure.hidden", "visually-hidden visuallyhidden+ sr-only screen-reader-text screenreader+"),
    (
        "structure.dateline",
        "timestamp+ date dates pubdate+ published datetime meta postmeta+ readtime+ reading-time read-time",
    ),
)
_TAGS = {"nav": "structure.navigation", "form": "structure.form", "figcaption": "structure.caption"}
_ROLES = {"navigation": "structure.navigation", "dialog": "structure.dialog"}
_DATELINE_WORDS = 12
_PART = re.compile(r"[a-z0-9]+")


def _compiled() -> tuple[dict[str, str], list[tuple[tuple[str, ...], str]], list[tuple[str, str]]]:
    whole: dict[str, str] = {}
    runs: list[tuple[tuple[str, ...], str]] = []
    stems: list[tuple[str, str]] = []
    for rule, words in _VOCABULARY:
        for word in words.split():
            if word.endswith("+"):
                stems.append((word[:-1], rule))
            elif len(parts := tuple(_PART.findall(word))) > 1:
                runs.append((parts, rule))
            else:
                whole.setdefault(word, rule)
    return whole, runs, stems


_WHOLE, _RUNS, _STEMS = _compiled()
_RUN_HEADS = frozenset(run[0] for run, _ in _RUNS)
_ANY_STEM = tuple(stem for stem, _ in _STEMS)
# A site's templates use a few hundred names on all its pages. Pages may also make names up as they like, so
# only so many are kept, and none that is longer than any name of a template.
_KNOWN_TOKENS = 1 << 14
_TOKEN_CHARS = 64


def token_rule(tokens: frozenset[str]) -> str | None:
    """The rule that the tokens of one element call for, if any."""
    for token in sorted(tokens) if len(tokens) > 1 else tokens:
        rule = _known_rule(token) if len(token) <= _TOKEN_CHARS else _rule_of_token(token)
        if rule is not None:
            return rule
    return None


def _rule_of_token(token: str) -> str | None:
    if token in _ROLES:
        return _ROLES[token]
    parts = tuple(_PART.findall(token))
    # an id of many words is the text of a heading, and says what the text is about
    if not parts or len(parts) > 6:
        return None
    if not _RUN_HEADS.isdisjoint(parts):
        for run, rule in _RUNS:
            if any(parts[i : i + len(run)] == run for i in range(len(parts) - len(run) + 1)):
                return rule
    for part in parts:
        if part in _WHOLE:
            return _WHOLE[part]
        if part.startswith(_ANY_STEM):
            return next(rule for stem, rule in _STEMS if part.startswith(stem))
    return None


_known_rule = lru_cache(maxsize=_KNOWN_TOKENS)(_rule_of_token)


def judge_pieces(
    page: Page, pieces: Sequence[Piece], about: Metadata, passed: Collection[int | None] = ()
) -> list[tuple[Piece, str | None]]:
    """Each piece with the id of the rule that drops it, or None where it stays.

    passed: indices of blocks that stay whatever the rules say; they are the others' surroundings.
    """
    judge = _Judge(page, pieces, about)
    return [
        (piece, None if piece.index in passed else judge.rule_of(number))
        for number, piece in enumerate(pieces)
    ]


def restored(page: Page, pieces: Sequence[Piece], about: Metadata) -> list[Piece]:
    """The pieces, and with them what was passed over although the page says that it is the article's.

    That is the standfirst, which stands in the page's header and not with the text; paragraphs in containers
    just like those that hold the story (templates cut a story up around advertisements); and siblings of the
    story's paragraphs that stand between two of them (lists, which extractors that go by class names miss).
    """
    taken = {piece.index for piece in pieces if piece.index is not None}
    if not taken:
        return list(pieces)
    added = {*_standfirst(page, taken, about), *_continued(page, taken), *_between(page, taken)} - taken
    have = {_folded(page, piece) for piece in pieces} if added else set()
    fresh = [
        Piece(index, page.blocks[index].text, float(index))
        for index in sorted(added)
        if " ".join(page.blocks[index].words) not in have
    ]
    return sorted([*pieces, *fresh], key=lambda piece: piece.position)


# A text shorter than this is doubted where the page has a region with this many times more prose.
_DOUBTED_CHARS = 500
_RICHER = 3


def reconsidered(page: Page, pieces: Sequence[Piece]) -> list[Piece]:
    """Another region of the page, where next to nothing was found and the page is full of prose."""
    chars = sum(len(piece.text) for piece in pieces)
    if chars >= _DOUBTED_CHARS:
        return list(pieces)
    prose: dict[int, int] = {}
    paragraphs: dict[int, int] = {}
    for block in page.blocks:
        if block.kind is not BlockKind.PARAGRAPH or len(block.words) < 20 or block.link_density > 0.25:
            continue
        path = page.path(block.container)
        if any(token_rule(page.containers.tokens[number]) for number in path[:4]):
            continue
        # the block's own element and the two around it: a paragraph, a column, a body
        for number in path[:3]:
            prose[number] = prose.get(number, 0) + len(block.text)
            paragraphs[number] = paragraphs.get(number, 0) + 1
    best = max(prose, key=lambda number: (prose[number], number), default=None)
    if best is None or paragraphs[best] < 3 or prose[best] < max(2 * _DOUBTED_CHARS, _RICHER * chars):
        return list(pieces)
    return [
        Piece(index, block.text, float(index))
        for index, block in enumerate(page.blocks)
        if block.link_density < 0.8 and best in page.path(block.container)
    ]


_DATELINE_CHARS = 30
_STANDFIRST = re.compile(
    r"standfirst|stand-first|subtitle|sub-title|subhead|sub-head|sous-titre|chapo|chapeau|(?<![a-z])de[ck]k?(?![a-z])"
    r"|(?<![a-z])le[ai]?de?(?![a-z])|lead-?text|leadtext|intro(?!duc)|teaser-?text|teasertext|vorspann|sommario|entradilla|bajada"
    r"|copete|strapline|article-?summary|article__summary|article__desc|__summary|abstract|sapo|ingress|excerpt|description"
)


def _standfirst(page: Page, taken: set[int], about: Metadata) -> list[int]:
    """The summary between headline and text: the page's stated description, or what templates call it."""
    prose = [i for i in sorted(taken) if len(page.blocks[i].words) >= 12]
    end = prose[0] if prose else min(taken)
    titles = set(map(folded_before, about.titles))
    headline = max(
        (i for i in range(end) if page.blocks[i].tag == "h1" or " ".join(page.blocks[i].words) in titles),
        default=None,
    )
    descriptions = [*map(folded_before, about.descriptions)]
    found = []
    for index in range(max(0, end - 60), min(len(page.blocks), end + 12)):
        block = page.blocks[index]
        if index in taken or not 5 <= len(block.words) <= 120 or block.link_density > 0.3:
            continue
        if block.kind not in (BlockKind.PARAGRAPH, BlockKind.HEADING) or block.tag == "h1":
            continue
        text = " ".join(block.words)
        if text in titles:
            continue
        stated = any(
            # a dateline may stand before what the description begins with
            len(d) >= 30 and (d.startswith(text) or d[:80] in text[: 80 + _DATELINE_CHARS])
            for d in descriptions
        )
        near = headline is not None and headline < index < end and ends_sentence(block.text)
        named = near and any(
            _STANDFIRST.search(token)
            for number in page.path(block.container)[:3]
            for token in page.containers.tokens[number] | block.inline_tokens
        )
        if stated or named:
            found.append(index)
    return found


def _continued(page: Page, taken: set[int]) -> list[int]:
    """Paragraphs left out of containers that are named just like one that holds much of the story."""
    left_out = [
        index
        for index, block in enumerate(page.blocks)
        if len(block.words) >= 15
        and index not in taken
        and block.kind is BlockKind.PARAGRAPH
        and block.link_density < 0.3
    ]
    if not left_out:
        return left_out
    chars: dict[tuple[object, ...], int] = {}
    total = 0
    for index in taken:
        block = page.blocks[index]
        if len(block.words) >= 15:
            total += len(block.text)
            signature = _signature(page, block)
            chars[signature] = chars.get(signature, 0) + len(block.text)
    usual = {s for s, count in chars.items() if count >= 0.4 * total and any(s[1:])}
    return [index for index in left_out if _signature(page, page.blocks[index]) in usual]


# Blocks between two paragraphs of the story; with more between them, they are not neighbours.
_GAP = 40


def _between(page: Page, taken: set[int]) -> list[int]:
    """Prose, headings and lists that hang in the page where the paragraphs before and after them do."""
    prose = [index for index in sorted(taken) if len(page.blocks[index].words) >= 8]
    found = []
    for before, after in itertools.pairwise(prose):
        if after - before > _GAP:
            continue
        hangs = {_parent(page, page.blocks[before].container), _parent(page, page.blocks[after].container)}
        if len(hangs) > 1:
            continue
        for index in range(before + 1, after):
            block = page.blocks[index]
            if index in taken or block.link_density > 0.3:
                continue
            parent = _parent(page, block.container)
            if block.kind is BlockKind.PARAGRAPH:
                whole = len(block.words) >= 8 and ends_sentence(block.text)
                fits = parent in hangs and whole
            elif block.kind is BlockKind.LIST_ITEM:
                fits = parent in hangs or _parent(page, parent) in hangs
            else:
                fits = block.kind is BlockKind.HEADING and parent in hangs
            around = page.path(block.container)[:2]
            if fits and not any(token_rule(page.containers.tokens[number]) for number in around):
                found.append(index)
    return found


def _parent(page: Page, container: int) -> int:
    return page.containers.parent[container]


def _signature(page: Page, block: RawBlock) -> tuple[object, ...]:
    return (block.tag, *(page.containers.tokens[number] for number in page.path(block.container)[:3]))


def linked_by_container(page: Page) -> dict[int, int]:
    """How many blocks that are one link stand in each container or just below it."""
    if page.linked is None:
        page.linked = {}
        linked = Counter(
            block.container
            for block in page.blocks
            if block.link_chars and len(block.words) >= 3 and block.link_density > 0.8
        )
        for container, count in linked.items():
            for number in page.path(container)[:3]:
                page.linked[number] = page.linked.get(number, 0) + count
    return page.linked


def is_teaser(page: Page, block: RawBlock) -> bool:
    """A short text in a small box of its own that also holds a linked headline."""
    if len(block.words) > 60:
        return False
    for number in page.path(block.container)[:3]:
        first, end = page.containers.first[number], page.containers.end[number]
        if end - first > 7 or sum(other.is_prose for other in page.blocks[first:end]) > 2:
            return False
        if number in linked_by_container(page):
            return True
    return False


class _Judge:
    """The evidence of one page, gathered once, and the rules that read it."""

    def __init__(self, page: Page, pieces: Sequence[Piece], about: Metadata) -> None:
        self.page = page
        self.pieces = pieces
        self.blocks = [page.blocks[p.index] if p.index is not None else None for p in pieces]
        self.top = common_container(page, [p.index for p in pieces if p.index is not None])
        self.titles = {title for title in map(folded_before, about.titles) if title}
        self.folded = [_folded(page, piece) for piece in pieces]
        self.total = max(1, sum(len(p.text) for p in pieces))
        self.kept_chars = _chars_inside(page, pieces)
        long = [n for n, p in enumerate(pieces) if len(p.text) >= 120]
        self.first_prose = long[0] if long else 0
        self.last_prose = long[-1] if long else len(pieces)
        self.first_h1 = next((n for n, b in enumerate(self.blocks) if b is not None and b.tag == "h1"), -1)
        self._rules_inside: dict[int, str | None] = {}
        self._apart: dict[int, bool] = {}
        self._repeats = self._repeated()
        self._grouped = {
            **dict.fromkeys(self._linked_lines(), "structure.linked-line"),
            **dict.fromkeys(self._link_lists(), "structure.link-list"),
            **dict.fromkeys(self._teasers(), "structure.teasers"),
            **dict.fromkeys(self._of_other_articles(), "structure.next-article"),
        }

    def rule_of(self, number: int) -> str | None:
        if self._is_title(number):
            return "structure.title"
        if number in self._repeats:
            return "structure.repeated"
        if number in self._grouped:
            return self._grouped[number]
        block = self.blocks[number]
        if block is None:
            return None
        if self._is_caption(block, self.folded[number]):
            return "structure.caption"
        rule = token_rule(block.inline_tokens) or self._rule_inside(block.container)
        if rule == "structure.dateline" and not self._is_dateline(number, block):
            return None
        return rule

    def _is_title(self, number: int) -> bool:
        if self.folded[number] in self.titles:
            block = self.blocks[number]
            if block is not None and block.kind is BlockKind.HEADING:
                return True
            return number < self.first_prose and not self.pieces[number].text.endswith((".", ":", "!", "?"))
        return number == self.first_h1 and number <= self.first_prose

    def _is_caption(self, block: RawBlock, text: str) -> bool:
        if block.kind is BlockKind.CAPTION and "figcaption" in self._tags(block):
            return True
        return (
            3 <= len(block.words) <= _CAPTION_WORDS
            and block.kind is BlockKind.PARAGRAPH
            and text in self.page.alt_texts
        )

    def _is_dateline(self, number: int, block: RawBlock) -> bool:
        """Such names are also given to whole texts: only a short line before or after the story counts."""
        outside = number < self.first_prose or number > self.last_prose
        return outside and len(block.words) <= _DATELINE_WORDS and block.kind is not BlockKind.HEADING

    def _tags(self, block: RawBlock) -> list[str]:
        return [self.page.containers.tag[number] for number in self.page.path(block.container)[:4]]

    def _rule_inside(self, number: int) -> str | None:
        """The rule of what stands in a container: its own, or that of the nearest around it below the top."""
        if number in self._rules_inside:
            return self._rules_inside[number]
        rule = None
        if number != self.top:
            rule = self._container_rule(number)
            parent = self.page.containers.parent[number]
            if rule is None and parent != number:
                rule = self._rule_inside(parent)
        self._rules_inside[number] = rule
        return rule

    def _container_rule(self, number: int) -> str | None:
        """The rule of one container by its tag and tokens, unless it holds too much of the text."""
        tag = self.page.containers.tag[number]
        rule = _TAGS.get(tag)
        if rule is None and tag not in _HEADING_TAGS:
            rule = token_rule(self.page.containers.tokens[number])
        if rule and self.kept_chars[number] > max(_STORY_SHARE * self.total, _STORY_CHARS):
            return None
        return rule

    def _linked_lines(self) -> set[int]:
        """Numbers of single lines that are one link, between texts that are none: "More: …"."""
        found = set()
        for number, block in enumerate(self.blocks):
            if block is None or not block.link_chars:
                continue
            if block.kind is not BlockKind.PARAGRAPH or block.link_density <= 0.9:
                continue
            around = [self.blocks[n] for n in (number - 1, number + 1) if 0 <= n < len(self.blocks)]
            alone = all(other is None or other.link_density < 0.5 for other in around)
            if alone and 4 <= len(block.words) <= 30 and not block.text.endswith("."):
                found.add(number)
        return found

    def _link_lists(self) -> set[int]:
        """Numbers of the items of lists of headlines, nearly all linked: they lead to other stories."""
        items: dict[int, list[int]] = {}
        for number, block in enumerate(self.blocks):
            if block is not None and block.kind is BlockKind.LIST_ITEM:
                around = self.page.path(block.container)[:4]
                holder = next((c for c in around if self.page.containers.tag[c] in ("ul", "ol")), None)
                if holder is not None:
                    items.setdefault(holder, []).append(number)
        found: set[int] = set()
        for holder, numbers in items.items():
            if len(numbers) < 2:
                continue
            held = self.page.blocks[self.page.containers.first[holder] : self.page.containers.end[holder]]
            chars = sum(len(block.text) for block in held)
            if sum(block.link_chars for block in held) <= _LIST_LINKED * chars:
                continue
            words = sum(len(self.pieces[number].text.split()) for number in numbers)
            if words >= _HEADLINE_WORDS * len(numbers):
                found.update(numbers)
        return found

    def _teasers(self) -> set[int]:
        """Numbers of teasers after the story's last paragraph."""
        found: set[int] = set()
        for number in range(len(self.pieces) - 1, -1, -1):
            block = self.blocks[number]
            if block is not None and is_teaser(self.page, block):
                found.add(number)
            elif len(self.pieces[number].text.split()) >= 15:
                break
        return found if 3 <= len(found) < 0.5 * len(self.pieces) else set()

    def _of_other_articles(self) -> set[int]:
        """Numbers of the pieces in a further <article> that begins with a headline of its own."""
        if self.page.containers.tag.count("article") < 2:
            return set()
        members: dict[int, list[int]] = {}
        for number, block in enumerate(self.blocks):
            if block is None:
                continue
            path = self.page.path(block.container)
            outermost = [c for c in path if self.page.containers.tag[c] == "article"][-1:]
            if outermost:
                members.setdefault(outermost[0], []).append(number)
        if len(members) < 2:
            return set()
        first, *rest = sorted(members)
        parent = self.page.containers.parent[first]
        siblings = [number for number in rest if self.page.containers.parent[number] == parent]
        heads = self._first_blocks(siblings)
        return {n for number in siblings if _begins_article(heads.get(number)) for n in members[number]}

    def _first_blocks(self, containers: Sequence[int]) -> dict[int, RawBlock]:
        """The first block of the page in each container."""
        wanted, found = set(containers), {}
        for block in self.page.blocks:
            if not wanted:
                break
            for number in wanted.intersection(self.page.path(block.container)):
                found[number] = block
                wanted.discard(number)
        return found

    def _repeated(self) -> set[int]:
        """Numbers of the pieces of prose that repeat an earlier one word for word."""
        seen: set[str] = set()
        repeats: set[int] = set()
        for number, (block, text) in enumerate(zip(self.blocks, self.folded, strict=True)):
            if len(text) < _REPEAT_CHARS or (block is not None and block.kind not in _PROSE):
                continue
            if text in seen:
                repeats.add(number)
            seen.add(text)
        return repeats | self._pull_quotes()

    def _pull_quotes(self) -> set[int]:
        """Numbers of the pieces set apart as quotes that say again what a paragraph of the story says."""
        apart = {
            number
            for number, text in enumerate(self.folded)
            if len(text) >= _REPEAT_CHARS and self._is_set_apart(number)
        }
        if not apart:
            return apart
        story = "\n".join(f" {text} " for number, text in enumerate(self.folded) if number not in apart)
        return {number for number in apart if f" {self.folded[number]} " in story}

    def _is_set_apart(self, number: int) -> bool:
        block = self.blocks[number]
        if block is None:
            return False
        around = self.page.path(block.container)[:3]
        return block.kind is BlockKind.QUOTE or any(map(self._sets_apart, around))

    def _sets_apart(self, number: int) -> bool:
        if number not in self._apart:
            tokens = self.page.containers.tokens[number]
            self._apart[number] = self.page.containers.tag[number] == "aside" or "quote" in " ".join(tokens)
        return self._apart[number]


def _chars_inside(page: Page, pieces: Sequence[Piece]) -> list[int]:
    """For each container, how many characters of the pieces stand in it, however deep."""
    found = [0] * len(page.containers)
    for piece in pieces:
        if piece.index is not None:
            found[page.blocks[piece.index].container] += len(piece.text)
    # children come after their parents, so going backwards every container is complete when it is added
    for number in range(len(found) - 1, 0, -1):
        if chars := found[number]:
            found[page.containers.parent[number]] += chars
    return found


def _folded(page: Page, piece: Piece) -> str:
    """As `runs_key` of the piece's text; that of a whole block was cut into words before."""
    if piece.index is not None and piece.text == page.blocks[piece.index].text:
        return " ".join(page.blocks[piece.index].words)
    return runs_key(piece.text)


def _begins_article(block: RawBlock | None) -> bool:
    """True for a headline of its own: a live blog's entries have headings, but these lead nowhere."""
    if block is None:
        return False
    return block.tag == "h1" or (block.kind is BlockKind.HEADING and block.link_density > 0.8)


_LIST_LINKED = 0.6
_HEADLINE_WORDS = 6
_PROSE = (BlockKind.PARAGRAPH, BlockKind.QUOTE, BlockKind.HEADING)
# Shorter lines may well stand twice in a story.
_REPEAT_CHARS = 60
_HEADING_TAGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
