"""Finds style sheets, scripts and placeholders of templates that a page shows as text by mistake.

A story about programming shows code on purpose: in elements for code, or in many lines. Its code stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.clean.lines import Line

# A page with more lines that look like code is about code.
_MOST_LINES = 4
_CODE_TAGS = frozenset(("pre", "code", "samp", "kbd", "textarea"))
# A style sheet consists of selectors with declarations in braces, which may be nested once.
_DECLARATIONS = re.compile(r"\{[^{}]*\}")
_DECLARATION = re.compile(r"[{;]\s*-{0,2}[a-z][\w-]{1,40}\s*:\s*[^\s{}:;]")
_SELECTOR = re.compile(r"\s*(?:[.#@*:\[]|(?:html|body|div|span|p|a|img|table|td|ul|li|h[1-6]|iframe)\b)")
# Words and signs that scripts have and sentences do not.
_SCRIPT_SIGN = re.compile(
    r"\b(?:function|var|let|const|typeof|return|async|await)\b|\b(?:window|document|googletag|dataLayer|jQuery)\b[.(\[]"
    r"|\.(?:push|createElement|appendChild|insertBefore|addEventListener|getElement\w+|querySelector\w*)\("
    r"|=>|===|!==|&&|\|\||\$\("
)
_FEWEST_SIGNS = 3
_PUNCTUATION = "(){}[];="
# Share of a script's characters; prose has a tenth of it.
_PUNCTUATION_SHARE = 0.06
_PLACEHOLDER = re.compile(
    r"(?:\{\{[^{}]{1,200}\}\}|\{%[^{}]{1,200}%\}"
    r"|\[/?(?:caption|gallery|embed|video|audio|playlist|youtube|contact-form-7|ads?|adrotate|adinserter|vc_\w+"
    r"|et_pb_\w+|fusion_\w+)(?:[ =][^\[\]]{0,300})?\])(?:\s*\[/\w+\])?"
)


def remove_code(lines: Sequence[Line]) -> None:
    """Removes lines that are style sheets, scripts or placeholders."""
    found = [line for line in lines if line.rule is None and _is_code(line.text)]
    if len(found) <= _MOST_LINES and not any(_is_shown_as_code(line) for line in lines):
        for line in found:
            line.rule = "structure.code"
    for line in lines:
        if line.rule is None and line.text[:1] in "{[" and _PLACEHOLDER.fullmatch(line.text):
            line.rule = "structure.code"


def _is_shown_as_code(line: Line) -> bool:
    return not _CODE_TAGS.isdisjoint(line.block.tags)


def _is_code(text: str) -> bool:
    # Nearly all lines have none of these.
    if "{" not in text and ";" not in text and "(" not in text:
        return False
    return _is_style_sheet(text) or _is_script(text)


def _is_style_sheet(text: str) -> bool:
    if "{" not in text or not _SELECTOR.match(text) or not _DECLARATION.search(text):
        return False
    selectors = _DECLARATIONS.sub("", _DECLARATIONS.sub("", text))
    return 2 * len(selectors) <= len(text) and not re.search(r"[a-z]\. |[?!]", selectors)


def _is_script(text: str) -> bool:
    if "(" not in text or not (";" in text or "{" in text):
        return False
    if sum(map(text.count, _PUNCTUATION)) < _PUNCTUATION_SHARE * len(text):
        return False
    return len(_SCRIPT_SIGN.findall(text)) >= _FEWEST_SIGNS
