"""Small drawings as SVG in the page: the spread of a story, and figures by day. Classes only, no styles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from storage.reader import StoredArticle

# Copies that are drawn; a story of 300 has all of them in the table.
MOST_DRAWN = 40
_WIDTH, _ROW, _TOP = 900, 20, 44


@dataclass(frozen=True, slots=True)
class _Scale:
    """A span of time from one x to another, in units of the drawing."""

    left: float
    right: float
    first: datetime
    last: datetime

    def x(self, time: datetime) -> float:
        length = max(self.last - self.first, timedelta(minutes=1))
        return round(self.left + (time - self.first) / length * (self.right - self.left), 1)

    def head(self, name: str, kind: str) -> Markup:
        """The name of the scale, and its ends."""
        label = Markup('<text x="{}" y="13">{}</text>').format(self.left, name)
        ends = [
            Markup('<text class="quiet-text" x="{}" y="32">{}</text>').format(self.left, _shown(self.first))
        ]
        if self.last > self.first:
            ends.append(
                Markup('<text class="quiet-text" x="{}" y="32" text-anchor="end">{}</text>').format(
                    self.right, _shown(self.last)
                )
            )
        return Markup('<g class="scale-{}">{}{}</g>').format(kind, label, Markup("").join(ends))


def spread(members: Sequence[StoredArticle]) -> Markup:
    """When each outlet says that it published a story; and, on a scale of its own, when it was first seen.

    members: by time of publication.
    """
    drawn = members[:MOST_DRAWN]
    stated = [member.published_at for member in drawn if member.published_at is not None]
    seen = [member.first_seen_at for member in drawn]
    by_outlet = _Scale(222, 540, min(stated), max(stated)) if stated else None
    by_desk = _Scale(582, 890, min(seen), max(seen))
    parts = [
        Markup('<svg class="spread" viewBox="0 0 {} {}" role="img" aria-labelledby="spread-title">').format(
            _WIDTH, _TOP + _ROW * len(drawn) + 4
        ),
        Markup('<title id="spread-title">Times of {} copies, which the table below has, too</title>').format(
            len(drawn)
        ),
        by_outlet.head("● published, as the outlet states (UTC)", "stated") if by_outlet else Markup(""),
        by_desk.head("○ first seen by Copydesk (UTC)", "seen"),
    ]
    for number, member in enumerate(drawn):
        parts.append(_row(member, _TOP + _ROW * number + _ROW // 2, by_outlet, by_desk))
    return Markup("").join([*parts, Markup("</svg>")])


def _row(member: StoredArticle, y: int, by_outlet: _Scale | None, by_desk: _Scale) -> Markup:
    name = member.site or member.publisher or "a file"
    parts = [
        Markup('<text x="0" y="{}">{}</text>').format(y + 4, name if len(name) < 32 else name[:31] + "…")
    ]
    for scale in (by_outlet, by_desk):
        if scale is not None:
            parts.append(
                Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                    scale.left, scale.right, y, y
                )
            )
    if by_outlet is not None and member.published_at is not None:
        at = by_outlet.x(member.published_at)
        parts.append(Markup('<circle class="stated" cx="{}" cy="{}" r="4.5"/>').format(at, y))
    at = by_desk.x(member.first_seen_at)
    parts.append(Markup('<circle class="seen" cx="{}" cy="{}" r="4.5"/>').format(at, y))
    return Markup('<g data-article="{}">{}</g>').format(str(member.id), Markup("").join(parts))


def sparkline(values: Sequence[int], what: str) -> Markup:
    """Bars for values by day, the last one marked. what: for who cannot see it."""
    most = max([*values, 1])
    width = 100 / max(len(values), 1)
    bars = []
    for number, value in enumerate(values):
        height = round(value / most * 20, 2)
        bars.append(
            Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
                "last" if number == len(values) - 1 else "",
                round(number * width, 2),
                round(21 - height, 2),
                round(width * 0.8, 2),
                max(height, 0.6),
            )
        )
    label = f"{what}: {', '.join(map(str, values))}"
    return Markup(
        '<svg class="spark" viewBox="0 0 100 22" preserveAspectRatio="none" role="img" aria-label="{}">'
        "{}</svg>"
    ).format(label, Markup("").join(bars))


def _shown(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%-d %b %Y, %H:%M")
