"""What every match of an expression contains: never more than is true."""

from __future__ import annotations

import re

import pytest

from pipeline.clean.literals import begins_with_any_text, narrowed, required_literals
from pipeline.clean.rules import Rule, phrase_rules


@pytest.mark.parametrize(
    ("expression", "required"),
    [
        ("newsletter", (("newsletter",),)),
        (".{0,90}newsletter.{0,90}", (("newsletter",),)),
        (r".*\b(?:images?|photo(?:graph)?)\W?", (("image", "photo"),)),
        (".*(?:sign|log) ?in.*", (("log", "sign"), ("in",))),
        (".*(?:one|two(?:three)+)", (("one", "three"),)),
        (".*(?>one|two)", (("one", "two"),)),
        (".*(?:photo)?", ()),
        (".*(?:photo|.)", ()),
        (".*[ab]", ()),
        (".*, ", ()),
        (".*a(?!b)", (("a",),)),
    ],
)
def test_required_literals(expression: str, required: tuple[tuple[str, ...], ...]) -> None:
    assert required_literals(expression) == required


@pytest.mark.parametrize("rule", [rule for rule in phrase_rules() if not rule.case], ids=lambda rule: rule.id)
def test_what_a_rule_removes_has_what_its_pattern_requires(rule: Rule) -> None:
    found = re.search(rule.expression, rule.removes.lower().replace("’", "'"))
    if found:
        assert len(narrowed(required_literals(rule.expression), found[0])) == len(
            required_literals(rule.expression)
        )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (".{0,90}newsletter", True),
        ("(?:[^.]{2,30}: )?sign up", True),
        (r"(?:\w+ )+sign up", True),
        ("sign up|.* now", True),
        (r"\d+ comments", False),
        ("(?:please )?sign up", False),
        ("¿?te gustó", False),
        ("(?:sign up|log in).*", False),
    ],
)
def test_begins_with_any_text(expression: str, expected: bool) -> None:
    assert begins_with_any_text(expression) is expected


def test_narrowed_to_what_a_text_has() -> None:
    required = (("photo", "pic"), ("credit", "courtesy"))
    assert narrowed(required, "photo courtesy of nobody") == [["photo"], ["courtesy"]]
    assert narrowed(required, "photo of nobody") == ()
