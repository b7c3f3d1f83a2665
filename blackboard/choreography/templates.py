"""Comparison of templates and patterns: which is more specific, which cover or share keys.

A variable that a template repeats is treated as two independent variables.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from blackboard.spec import keys

Specificity: TypeAlias = tuple[int, ...]

_PLAIN, _PARTLY, _ONE, _ANY, _REST = range(5)


def specificity(template: str) -> Specificity:
    """Return the sort key of a template; the more specific template has the smaller one.

    Segments are compared from the left: a plain segment is smaller than one that is partly a variable (`{name}-x`),
    that is smaller than `{name}` or `*`, and that is smaller than `**`. A longer template is smaller than its prefix
    with `**`.
    """
    ranks = [_rank(segment) for segment in template.split("/")]
    if ranks[-1] == _ANY:
        ranks[-1] = _REST
    return tuple(ranks)


@lru_cache(maxsize=1024)
def covers(wide: str, narrow: str) -> bool:
    """Say whether one template certainly names every key that another names."""
    return _compare(wide.split("/"), narrow.split("/"), exactly=True)


@lru_cache(maxsize=1024)
def overlap(one: str, other: str) -> bool:
    """Say whether some key may be named by both templates."""
    return _compare(one.split("/"), other.split("/"), exactly=False)


def _rank(segment: str) -> int:
    if segment == "**":
        return _ANY
    if _is_whole(segment):
        return _ONE
    return _PARTLY if "{" in segment else _PLAIN


def _is_whole(segment: str) -> bool:
    """Say whether a segment matches any one segment: `*`, or a variable and nothing else."""
    return segment == "*" or (segment.startswith("{") and segment.find("}") == len(segment) - 1)


def _compare(one: Sequence[str], other: Sequence[str], *, exactly: bool) -> bool:
    """Compare suffixes of the two by dynamic programming, so that the cost is the product of their lengths.

    `below[j]` is the result for the rest of `one` after a segment, against `other[j:]`.
    """
    size = len(other)
    below = [j == size or (not exactly and all(segment == "**" for segment in other[j:])) for j in range(size + 1)]
    for segment in reversed(one):
        row = [segment == "**" and below[size]] * (size + 1)
        for j in reversed(range(size)):
            if segment == "**":
                row[j] = below[j] or row[j + 1]
            elif other[j] == "**":
                row[j] = not exactly and (below[j] or row[j + 1])
            else:
                row[j] = _meet(segment, other[j], exactly=exactly) and below[j + 1]
        below = row
    return below[0]


def _meet(one: str, other: str, *, exactly: bool) -> bool:
    """Say whether two segments can be the same text; if `exactly`, whether one matches every text of the other."""
    if one == other or (exactly and _is_whole(one)):
        return True
    if "{" not in other and other != "*":
        return keys.matches(one, other)
    if exactly:
        return False
    if "{" not in one and one != "*":
        return keys.matches(other, one)
    if _is_whole(one) or _is_whole(other):
        return True
    ends = [(text[: text.find("{")], text[text.rfind("}") + 1 :]) for text in (one, other)]
    (head, tail), (other_head, other_tail) = ends
    return (head.startswith(other_head) or other_head.startswith(head)) and (
        tail.endswith(other_tail) or other_tail.endswith(tail)
    )
