"""XPath expressions on attributes, answered from memory: the same as the expressions find."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from trafilatura import xpaths

from pipeline.extract.attribute_tests import attribute_test

NAMES = ["article-body", "share-box", "comments", "COMMENT", "mvp-post-add-box", "nav", "x", "x" * 300, ""]
attributes = st.lists(
    st.tuples(
        st.sampled_from(["id", "class", "role", "style", "aria-hidden", "data-x"]), st.sampled_from(NAMES)
    ),
    max_size=3,
)
trees: st.SearchStrategy[tuple[str, list[tuple[str, str]], list[Any]]] = st.recursive(
    st.tuples(st.sampled_from(["p", "div", "h1", "article", "ul"]), attributes, st.just([])),
    lambda inner: st.tuples(st.sampled_from(["div", "section"]), attributes, st.lists(inner, max_size=4)),
    max_leaves=12,
)
EXPRESSIONS = [
    *xpaths.BODY_XPATH,
    *xpaths.OVERALL_DISCARD_XPATH,
    *xpaths.TEASER_DISCARD_XPATH,
    *xpaths.DISCARD_IMAGE_ELEMENTS,
    *xpaths.RAW_TREE_PRUNE_XPATH,
    *xpaths.REMOVE_COMMENTS_AND_LISTS_XPATH,
]
TESTS = [(expression, attribute_test(expression)) for expression in EXPRESSIONS]


def built(tree: tuple[str, list[tuple[str, str]], list[Any]]) -> etree._Element:
    tag, named, inner = tree
    element = etree.Element(tag)
    for name, value in named:
        element.set(name, value)
    element.extend(built(one) for one in inner)
    return element


@given(st.lists(trees, min_size=1, max_size=4))
def test_the_same_elements_are_found(parts: list[tuple[str, list[tuple[str, str]], list[Any]]]) -> None:
    root = etree.Element("body")
    root.extend(built(part) for part in parts)
    for expression, test in TESTS:
        found = expression(root)
        is_first_only = expression.path.rstrip().endswith("[1]")
        assert test(root) == (found[:1] if is_first_only else found), expression.path


@pytest.mark.parametrize(
    "path", [".//*[p]", ".//*[../@id='x']", ".//*[2]", "//*[@id='x']", ".//*[.//p]", ".//*[text()='x']"]
)
def test_an_expression_that_asks_for_other_nodes_is_asked_each_time(path: str) -> None:
    root = etree.fromstring("<a id='x'><div>x</div><div><p>y</p></div></a>")
    expression = etree.XPath(path)
    assert attribute_test(expression)(root) == expression(root)
    root[0].append(etree.Element("p"))
    assert attribute_test(expression)(root) == expression(root)
