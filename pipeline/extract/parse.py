"""Parses HTML into an lxml tree, however damaged it is."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from lxml import etree

from pipeline.document import DocumentRejected, Reason, Stage
from pipeline.page import without_excessive_attributes
from pipeline.text import without_invisible

PARSER_OPTIONS = {
    "encoding": "utf-8",
    "huge_tree": True,
    "remove_comments": True,
    "remove_pis": True,
    "collect_ids": False,
    "default_doctype": False,
}
# lxml reads references to these and cannot write them again: one form feed in a page would make Trafilatura
# give up the page. The group: references to characters that may show nothing.
_REFERENCE = re.compile(
    rb"&(?:#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|[xX]0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]|[fF]{3}[efEF]))(?:;|(?![0-9a-fA-F]))"
    rb"|(shy|lrm|rlm|zwj|zwnj|ZeroWidthSpace|NoBreak"
    rb"|#0*(?:173|820[3-7]|823[4-8]|82(?:8[89]|9\d)|8303|65279)"
    rb"|#[xX]0*(?:[aA][dD]|200[b-fB-F]|202[a-eA-E]|206[0-9a-fA-F]|[fF][eE][fF]{2}));)"
)
# Characters that may show nothing or that are not XML. Each expression begins with one byte, which is found
# quickly; a search in the decoded page takes ten times as long.
_NOT_XML = (b"\x0b", b"\x0c", b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_UNWANTED = (
    re.compile(rb"\x0b"),
    re.compile(rb"\x0c"),
    re.compile(rb"\xc2\xad"),
    re.compile(rb"\xe2(?:\x80[\x8b-\x8f\xaa-\xae]|\x81[\xa0-\xaf])"),
    re.compile(rb"\xef(?:\xbb\xbf|\xbf[\xb9-\xbc\xbe\xbf])"),
    re.compile(rb"\xd8\x9c"),
)


def parse(html: str) -> Any:
    """The root element of the page.

    Raises DocumentRejected where the page is empty or cannot be parsed.
    """
    if not html or html.isspace():
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, "no bytes but white space")
    page = without_excessive_attributes(_visible(html.encode("utf-8", "replace")))
    try:
        # Plain elements: those of lxml.html take more time to make, and only Trafilatura needs them.
        root = etree.fromstring(page, etree.HTMLParser(**PARSER_OPTIONS))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, f"cannot be parsed: {error}") from error
    if root is None:
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, "no element in the document")
    return root


def _visible(page: bytes) -> bytes:
    """The page, in UTF-8, without characters that show nothing, whether plain or as references.

    Characters that are not XML become blanks.
    """
    page = _REFERENCE.sub(lambda found: unescape(found[0].decode()).encode() if found[1] else b" ", page)
    for expression in _UNWANTED:
        page = expression.sub(_instead, page)
    return page


def _instead(found: re.Match[bytes]) -> bytes:
    """A blank for what is not XML; a character that shows nothing only if those beside it need it."""
    if found[0] in _NOT_XML:
        return b" "
    before = found.string[max(0, found.start() - 4) : found.start()].decode("utf-8", "ignore")[-1:]
    after = found.string[found.end() : found.end() + 4].decode("utf-8", "ignore")[:1]
    text = before + found[0].decode() + after
    return found[0] if without_invisible(text) == text else b""
