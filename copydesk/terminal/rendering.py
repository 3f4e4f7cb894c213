"""Prints articles, removed lines, revisions, search snippets and changes for a person to read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING

from copydesk.page_order import RemovedText, in_page_order
from copydesk.terminal.console import as_line, has_colours, out, when
from copydesk.terminal.messages import escaped
from pipeline.counts import counted

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from pipeline.copies import Change, Comparison
    from pipeline.document import Article
    from storage.reader import Snippet, StoredArticle, StoredRevision


def print_article(
    article: Article | StoredArticle,
    lines: Sequence[RemovedText],
    *,
    with_removed: bool,
    stored: Iterable[tuple[str, object]] = (),
) -> None:
    """Print the headline, the known facts, and the text. `stored` adds facts that only a database has.

    with_removed: shows the removed lines in their places, with their rules.
    """
    out.print(f"[bold]{as_line(article.title)}[/bold]")
    facts = (
        ("url", article.url),
        ("from", article.location),
        ("publisher", article.publisher),
        ("published", when(article.published_at) if article.published_at else None),
        ("authors", ", ".join(article.authors)),
        ("byline", article.byline),
        ("dateline", article.dateline),
        ("agency", article.agency),
        ("language", article.language),
        ("section", article.section),
        ("summary", article.description),
        ("keywords", ", ".join(article.keywords or ())),
        ("image", article.image_url),
        ("rights", _rights_line(article)),
        ("access", article.access if article.access != "free" else None),
        ("words", article.word_count),
        ("removed", counted(len(lines), "line")),
        *stored,
    )
    for name, value in facts:
        if value not in (None, ""):
            out.print(f"[dim]{name:>12}[/dim]  {as_line(str(value))}")
    if with_removed:
        print_before_and_after(article.text, lines)
        return
    for line in article.text.splitlines():
        out.print(f"\n{as_line(line)}")


# What Markdown would take for more than a character, anywhere and at the beginning of a line.
_MARKS = re.compile(r"[\\`*_\[\]<>]")
_BEGINNINGS = re.compile(r"\A(?:[#+=|~-]|\d{1,9}(?=[.)]))")


def as_markdown(article: Article) -> str:
    """The article as Markdown: headline, a line of what is known of it, and a paragraph for each line."""
    known = [", ".join(article.authors), article.publisher or "", when(article.published_at)]
    facts = " · ".join(_unmarked(visible(fact)) for fact in known if fact not in ("", "—"))
    head = [f"# {_unmarked(visible(article.title))}", facts, f"<{escaped(article.url)}>"]
    return "\n\n".join(
        filter(None, [*head, *(_unmarked(visible(line)) for line in article.text.split("\n"))])
    )


def _unmarked(line: str) -> str:
    """A line of text that Markdown shows as it is."""
    text = _MARKS.sub(r"\\\g<0>", line.strip())
    begin = _BEGINNINGS.match(text)
    if begin is None:
        return text
    return f"{begin[0]}\\{text[begin.end() :]}" if begin[0].isdecimal() else f"\\{text}"


def _rights_line(article: Article | StoredArticle) -> str:
    """What is said of the rights: `tdm-reservation 1 (header); robots noai for gptbot (meta)`."""
    said = []
    for one in article.rights or ():
        stated = one if isinstance(one, Mapping) else asdict(one)
        to = f" for {stated['agent']}" if stated["agent"] else ""
        said.append(f"{stated['name']} {stated['value']}{to} ({stated['source']})")
    return "; ".join(said)


def print_before_and_after(text: str, removed: Sequence[RemovedText]) -> None:
    """Print lines in the page's order: removed ones are marked with `-` and the rule that removed them."""
    from rich.text import Text

    for line in in_page_order(text, removed):
        out.print(Text(f"\n  {line.text}") if line.rule is None else _removed_line(line.text, line.rule))


def _removed_line(text: str, rule: str) -> RenderableType:
    from rich.text import Text

    return Text.assemble(("- ", "red"), (text, "red"), ("   ", ""), (f"[{rule}]", "yellow"))


def print_revisions(texts: Sequence[StoredRevision]) -> None:
    """Print the texts of an article in the order in which they were seen, each after the first with what
    changed against the one before.
    """
    from pipeline.copies import compare

    for text in texts[:1]:
        _print_revision(text)
    for before, text in pairwise(texts):
        out.print()
        _print_revision(text)
        if text.title != before.title:
            out.print(f"  [dim]headline before:[/dim] {as_line(visible(before.title))}")
        print_changes(compare(before.text, text.text))


def _print_revision(text: StoredRevision) -> None:
    facts = [f"first seen {when(text.seen_at)}", counted(text.word_count, "word")]
    if text.is_current:
        facts.append("[green]current[/green]")
    out.print(f"[cyan]{text.revision}[/cyan]  [bold]{as_line(visible(text.title))}[/bold]")
    out.print(f"  [dim]{' · '.join(facts)}[/dim]")


def visible(text: str) -> str:
    """The text on one line, without control characters and marks that change the writing direction."""
    return "".join(c if c.isprintable() else _STAND_IN.get(c, "\ufffd") for c in text)


# Every kind of blank becomes a space. Characters without width are dropped, but joiners, which shape letters.
_STAND_IN = {
    **dict.fromkeys("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029\u00a0\u202f\u205f\u3000", " "),
    **dict.fromkeys(map(chr, range(0x2000, 0x200B)), " "),
    **dict.fromkeys("\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff", ""),
    **dict.fromkeys(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))), ""),
    "\u200c": "\u200c",
    "\u200d": "\u200d",
}


def snippet_line(found: Snippet) -> Text:
    """A snippet with its matches in colour, or in brackets where there are no colours."""
    from rich.text import Text

    line, at = Text(), 0
    before, after = ("", "") if has_colours(out) else ("[", "]")
    for start, end in found.marks:
        line.append(visible(found.text[at:start]))
        line.append(before + visible(found.text[start:end]) + after, "bold yellow")
        at = end
    return line.append(visible(found.text[at:]))


def print_changes(found: Comparison, most: int | None = None) -> None:
    """Print counts, then what a copy added, dropped and changed: one sentence on a line, at most `most`.

    Changed words are coloured, or marked as `[-dropped-]` and `{+added+}` if there are no colours.
    """
    from pipeline.copies import ChangeKind

    counts = [f"{counted(found.same, 'sentence')} the same"]
    counts += [f"{count} {kind}" for kind in ChangeKind if (count := found.count(kind))]
    figures = sum(change.figures for change in found.changes)
    if figures:
        counts.append(f"[bold]{figures} with other figures[/bold]")
    out.print(f"  {', '.join(counts)}")
    for change in found.changes[:most]:
        out.print(_change_line(change))
    if most is not None and len(found.changes) > most:
        out.print(f"      [dim]and {len(found.changes) - most} more[/dim]")


def _change_line(change: Change) -> RenderableType:
    from rich.text import Text

    from pipeline.copies import ChangeKind

    if change.kind is ChangeKind.ADDED:
        return Text.assemble(("    + ", "green"), (change.copy or "", "green"))
    if change.kind is ChangeKind.DROPPED:
        return Text.assemble(("    - ", "red"), (change.canonical or "", "red"))
    line = Text.assemble(("    ~ ", "yellow"))
    for part in change.parts:
        line.append_text(_part(part.kind, part.text))
    return line


def _part(kind: str, text: str) -> Text:
    from rich.text import Text

    if kind == "same":
        return Text(text)
    words = text.rstrip()
    blank = text[len(words) :]
    style = ("bold " if any(map(str.isdecimal, words)) else "") + ("red" if kind == "dropped" else "green")
    if has_colours(out):
        return Text.assemble((words, f"{style} strike" if kind == "dropped" else style), blank)
    start, end = ("[-", "-]") if kind == "dropped" else ("{+", "+}")
    return Text(f"{start}{words}{end}{blank}")
