"""Wire conventions: the dateline and byline above a story, the sign-off under it, and whose copy it is.

Ten outlets print the same agency story under ten datelines and sign-offs. So these are taken off the text,
and into fields of their own, before anything is compared.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.clean import byline, dateline, signoff
from pipeline.clean.wire_patterns import WireLine, agency_of, names_agency, pattern, patterns
from pipeline.document import Block, Removed
from pipeline.text import AGENCIES, ANY_AGENCY

_TITLE_CREDIT = (rf"(?:\s[-–—|]\s|\()(?P<credit>{ANY_AGENCY})\)?\s*$",)


def compile_patterns() -> None:
    """Compiles every pattern at once, in a process that workers are forked from."""
    agencies = (agency.pattern for agency in AGENCIES)
    for source in (*agencies, *byline.PATTERNS, *dateline.PATTERNS, *signoff.PATTERNS, *_TITLE_CREDIT):
        pattern(source)


@dataclass(frozen=True, slots=True)
class WireCopy:
    """A story with its wire conventions taken off.

    byline: the names as they were, without "By". dateline: place and date as they were, without the agency.
    agency: canonical name (see pipeline/text/agencies.toml), or an unknown one that signs twice; None if
    nothing names one.
    """

    blocks: tuple[tuple[int, Block], ...]
    byline: str | None = None
    dateline: str | None = None
    agency: str | None = None
    removed: tuple[Removed, ...] = ()

    @property
    def authors(self) -> tuple[str, ...]:
        """Who the byline names, people or agencies; nobody if it only says what they are."""
        return byline.authors_of(self.byline)


def parse_wire(blocks: tuple[tuple[int, Block], ...], title: str) -> WireCopy:
    """Takes dateline, byline and sign-off off the story; blocks that are left empty go.

    blocks: position in the extraction, and block, as `clean` returns them.
    """
    lines = [WireLine(position, block, block.text) for position, block in blocks]
    lines, names, byline_agency, byline_removed = byline.take_bylines(lines)
    lines, match, dateline_removed = dateline.take_dateline(lines)
    desk = match.groupdict().get("desk") if match else None
    lines, signoff_agency, signoff_removed = signoff.take_signoff(lines, desk)
    return WireCopy(
        blocks=tuple((line.position, _with_text(line.block, line.text)) for line in lines if line.text),
        byline=names or signoff.written_by(signoff_removed),
        dateline=(match["place"].strip(" ,.") or None) if match else None,
        agency=agency_of(match) or signoff_agency or byline_agency or _title_agency(title),
        removed=(*byline_removed, *dateline_removed, *signoff_removed),
    )


def _title_agency(title: str) -> str | None:
    found = patterns(_TITLE_CREDIT, names_agency(title))
    return agency_of(next((match for compiled in found if (match := compiled.search(title))), None))


def _with_text(block: Block, text: str) -> Block:
    if text == block.text:
        return block
    return Block(block.kind, text, block.link_density, block.tokens, block.tags)
