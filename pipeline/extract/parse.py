"""Parses HTML into an lxml tree, however damaged it is."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from pipeline.document import DocumentRejected, Reason, Stage

PARSER_OPTIONS = {
    "encoding": "utf-8",
    "huge_tree": True,
    "remove_comments": True,
    "remove_pis": True,
    "collect_ids": False,
    "default_doctype": False,
}
# lxml reads these and cannot write them again, as characters or as references: one form feed in a page would
# make Trafilatura give up the page.
_NOT_XML = ("\x0b", "\x0c", "\ufffe", "\uffff")
_NOT_XML_REFERENCE = re.compile(
    rb"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcef]|1[0-9a-f]|fff[ef]))(?:;|(?![0-9a-f]))",
    re.IGNORECASE,
)


def parse(html: str) -> Any:
    """The root element of the page.

    Raises DocumentRejected where the page is empty or cannot be parsed.
    """
    if not html or html.isspace():
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, "no bytes but white space")
    for char in _NOT_XML:
        html = html.replace(char, " ")
    page = _NOT_XML_REFERENCE.sub(b" ", html.encode("utf-8", "replace"))
    try:
        # Plain elements: those of lxml.html take more time to make, and only Trafilatura needs them.
        root = etree.fromstring(page, etree.HTMLParser(**PARSER_OPTIONS))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, f"cannot be parsed: {error}") from error
    if root is None:
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, "no element in the document")
    return root
