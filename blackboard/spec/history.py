"""Bounds on what may repeat: texts that return, generations of a key, causal chains."""

from collections.abc import Sequence

RULED = "ruled"
"""The kind of evidence that `accepted` is where an operator's commit did it."""

EVIDENCE = frozenset({"judged", "asked", RULED})
"""Kinds of changes that, when newer than the current version, permit an earlier text to return. What the team itself
accepts is none of them: it would let two texts take turns for ever."""

GENERATION_BOUND = 16
"""How often a key may be accepted without an operator's ruling; after that it is contested."""

UNRULED = "without a ruling of the operator"
"""Ends the reason of a key that is contested because it reached that bound."""

CHAIN_BOUND = 12
"""How often a causal chain may come back to the same (source, target); after that it is a loop."""


def cycle_of(
    chain: Sequence[tuple[str, str]], source: str, target: str, *, bound: int = CHAIN_BOUND
) -> tuple[str, ...] | None:
    """Return the cycle that waking a source on a target would close, None if the chain had it fewer than `bound` times.

    Args:
        chain: (source, target) of the runs that led here, newest first.

    Returns:
        "source on target" of each run of the newest repetition, in the order in which they ran.
    """
    places = [index for index, link in enumerate(chain) if link == (source, target)]
    if len(places) < bound:
        return None
    return tuple(f"{who} on {what}" for who, what in reversed(chain[: places[0] + 1]))
