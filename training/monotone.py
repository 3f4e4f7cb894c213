"""Which features may speak only for a block, or only against it.

What a reader took, and names that stand for stories elsewhere, speak for a block; rules and links against it.
Trees that cannot learn the opposite from some odd page are better on sites that they have not seen.
"""

from __future__ import annotations

# docs/tuning.md: Monotone features
_RISING = frozenset((
    "own", "own-1", "own+1", "own.either", "own.both", "ruled", "ruled-1", "ruled+1", "same_kept",
    "sentence_end",
))  # fmt: skip
_RISING_ENDS = (".kept", ".kept_blocks", ".of_kept", ".own", ".of_own", ".ruled")
_FALLING = frozenset((
    "link_density", "since_kept", "since_own", "until_own", "in.footer", "in.footer.below", "in.aside.below",
    "same_before",
))  # fmt: skip


def direction(feature: str) -> int:
    """How the probability of a block may change as the feature grows: 1 rise, -1 fall, 0 either."""
    if feature in _RISING or feature.startswith("token.") or feature.endswith(_RISING_ENDS):
        return 1
    if feature in _FALLING or feature.startswith("rule.") or feature.endswith(".links"):
        return -1
    return 0
