"""How templates and patterns stand to each other: which is more specific, which cover or share keys.

A variable that a template repeats is taken for two that may differ.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from blackboard.spec import keys

Specificity: TypeAlias = tuple[int, ...]

_PLAIN, _PARTLY, _ONE, _ANY, _REST = range(5)


def specificity(template: str) -> Specificity:
    """Return what templates are ordered by; the smaller is the more specific.

    Segment by segment from the left: a plain one before one that is partly a variable (`{name}-x`), before a whole
    `{name}` or `*`, before `**`. A `**` at the end names all that is below, so it comes after whatever says more.
    """
    ranks = [_rank(segment) for segment in template.split("/")]
    if ranks[-1] == _ANY:
        ranks[-1] = _REST
    return tuple(ranks)


@lru_cache(maxsize=1024)
def covers(wide: str, narrow: str) -> bool:
    """Say whether every key that one template names is surely named by another too."""
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
    """Say whether a segment stands for any one segment: `*` or a variable and nothing else."""
    return segment == "*" or (segment.startswith("{") and segment.find("}") == len(segment) - 1)


def _compare(one: Sequence[str], other: Sequence[str], *, exactly: bool) -> bool:
    """Compare ends of the two, longer and longer ones, so that many `**` cost no more than their product.

    `below[j]` says how what follows a segment of `one` compares to `other[j:]`.
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
    """Say whether two segments may be the same text; exactly: whether the first is whatever the second may be."""
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
