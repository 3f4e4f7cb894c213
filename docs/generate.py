"""Fills in what pages have from the program: commands, views, phrase rules, and the layers of the packages.

    python docs/generate.py            # writes the pages that have changed
    python docs/generate.py --check    # writes nothing; exits with 1 where a page is out of date

A page marks the place with two comments, and what stands between them is replaced:

    <!-- generated: views -->
    <!-- end of views -->
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import typer

from copydesk.cli import app
from copydesk.terminal import HABITS
from storage.schema import as_markdown

DOCS = Path(__file__).parent
PAGES = [DOCS.parent / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
# Markup of help texts: a word in a style.
_STYLED = re.compile(r"\[(bold|green|red|yellow)\](.*?)\[/\1\]", re.DOTALL)
_MARKED = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end of \2 -->)", re.DOTALL)
_LANGUAGES = {
    "any": "Any language",
    "ar": "Arabic",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "he": "Hebrew",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh": "Chinese",
}


def main() -> int:
    stale = [path for path in PAGES if filled(path) != path.read_text(encoding="utf-8")]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(DOCS.parent)} is out of date: run python docs/generate.py")
        return 1 if stale else 0
    for path in stale:
        path.write_text(filled(path), encoding="utf-8")
        print(f"wrote {path.relative_to(DOCS.parent)}")
    return 0


def filled(page: Path) -> str:
    """The page's text with every marked part generated anew."""
    return _MARKED.sub(
        lambda found: f"{found[1]}\n{_PARTS[found[2]]().strip()}\n\n{found[3]}",
        page.read_text(encoding="utf-8"),
    )


def commands() -> str:
    """Every command with its help, arguments and options."""
    group = typer.main.get_command(app)
    rows: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
    for parameter in group.params:
        rows[parameter.name in HABITS].append((f"`{_option(parameter)}`", _meaning(parameter)))
    rows[True].append(("`--help, -h`", "Print the help, and end."))
    parts = [
        _table(("every command takes", "meaning"), rows[True]),
        _table(("without a command", "meaning"), rows[False]),
    ]
    return "\n\n".join([*parts, *(_command(name, command) for name, command in _commands("copydesk", group))])


def phrases() -> str:
    """The phrase rules by language, each with a line that it removes."""
    [path] = DOCS.parent.glob("pipeline/**/clutter.toml")
    rules = tomllib.loads(path.read_text(encoding="utf-8"))["rule"]
    languages = sorted({_language(rule) for rule in rules}, key=lambda code: _LANGUAGES[code])
    sections = []
    for code in languages:
        rows = [
            (f"`phrase.{rule['id']}`", rule["family"], rule["scope"], rule["removes"])
            for rule in rules
            if _language(rule) == code
        ]
        sections.append(
            f"### {_LANGUAGES[code]}\n\n{_table(('rule', 'family', 'scope', 'removes, for example'), rows)}"
        )
    return "\n\n".join(sections)


def _language(rule: dict[str, Any]) -> str:
    return str(rule["id"]).partition(".")[0]


def layers() -> str:
    """The layers of import-linter, a column a package, the highest first."""
    settings = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]
    columns = {
        contract["containers"][0]: [layer.replace(" : ", ", ") for layer in contract["layers"]]
        for contract in settings["contracts"]
        if contract["type"] == "layers" and "containers" in contract
    }
    return _table(columns, zip_longest(*columns.values(), fillvalue=""))


_PARTS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "views": as_markdown,
    "phrases": phrases,
    "layers": layers,
}


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command under this one with its full name, in the order of the help."""
    for part, inner in getattr(command, "commands", {}).items():
        if hasattr(inner, "commands"):
            yield from _commands(f"{name} {part}", inner)
        else:
            yield f"{name} {part}", inner


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if not p.opts[0].startswith("-")]
    options = [p for p in command.params if p.opts[0].startswith("-") and p.name not in HABITS]
    usage = " ".join([name, *(_metavar(p) for p in arguments), "[OPTIONS]"])
    parts = [f"## {name}", f"```text\n{usage}\n```", _paragraphs(command.help or "")]
    rows = [(f"`{_metavar(p)}`", p.help or "") for p in arguments]
    rows += [(f"`{_option(p)}`", _meaning(p)) for p in options]
    parts.append(_table(("argument or option", "meaning"), rows))
    return "\n\n".join(parts)


def _paragraphs(text: str) -> str:
    """Help as paragraphs of one line each; a form feed hides the rest from help, here too."""
    shown = _STYLED.sub(r"`\2`", text.partition("\f")[0])
    paragraphs = shown.strip().split("\n\n")
    return "\n\n".join(_escaped(" ".join(paragraph.split())) for paragraph in paragraphs)


def _metavar(parameter: Any) -> str:
    name = parameter.metavar or f"[{parameter.name.upper()}]"
    return str(name if parameter.required or name.startswith("[") else f"[{name}]")


def _option(parameter: Any) -> str:
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} {parameter.metavar or parameter.name.upper()}"


def _meaning(parameter: Any) -> str:
    facts = []
    if parameter.envvar:
        facts.append(f"environment: `{parameter.envvar}`")
    if parameter.default not in (None, False, "") and parameter.show_default:
        facts.append(f"default: `{parameter.default}`")
    if parameter.multiple:
        facts.append("may be given more than once")
    suffix = f" ({'; '.join(facts)})" if facts else ""
    return f"{parameter.help or ''}{suffix}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *(list(row) for row in rows)]
    text = [
        f"| {' | '.join(_escaped(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    ]
    return "\n".join([text[0], f"|{'---|' * len(lines[0])}", *text[1:]])


def _escaped(text: str) -> str:
    """Markdown that shows the text as it is, code spans aside."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"([\\*_<\[\]])", r"\\\1", part) for part in parts
    )


if __name__ == "__main__":
    sys.exit(main())
