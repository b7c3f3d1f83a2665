"""Values that one type takes and another does not, as far as all engines that check types agree."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

from blackboard.contracts.sql.checks import Scalar

_BITS = {"boolean": 2, "tinyint": 8, "smallint": 16, "mediumint": 24, "integer": 32, "bigint": 64}
_LONGEST, _MAX_DIGITS = 1000, 18


@dataclass(frozen=True, slots=True)
class _Domain:
    """What a type takes: texts up to a length, or numbers up to a size, whole ones or all."""

    kind: str
    most: float


def _domain(spelled: str) -> _Domain | None:
    base, _, length = spelled.partition("(")
    parts = [part.strip() for part in length.rstrip(")").split(",")]
    numbers = [int(part) if len(part) < _MAX_DIGITS else 10**_MAX_DIGITS for part in parts if part.isdigit()]
    if base in _BITS:
        return _Domain("whole", 2 ** (_BITS[base] - 1) - 1)
    if base in ("text", "varchar", "char"):
        return _Domain("text", numbers[0] if numbers else 1 if base == "char" else inf)
    if base == "decimal":
        precision, scale = (*numbers, 0)[:2] if numbers else (inf, 1)
        return _Domain(
            "number" if scale else "whole", 10 ** min(precision - scale, _MAX_DIGITS) - 1 if numbers else inf
        )
    return _Domain("number", inf) if base in ("real", "double precision") else None


def only(one: str, other: str) -> list[Scalar]:
    """Return values that the first type takes and the second refuses, none where that is not known."""
    taken, refused = _domain(one), _domain(other)
    if taken is None or refused is None:
        return []
    if taken.kind == "text" and refused.kind != "text":
        return ["a"]
    if taken.most <= refused.most or taken.kind == "text" != refused.kind or refused.most >= 10**_MAX_DIGITS - 1:
        return []
    if taken.kind == "text":
        return ["a" * (int(refused.most) + 1)] if refused.most < _LONGEST else []
    return [int(refused.most) + 1] if refused.kind != "text" else []


def both(one: str, other: str) -> list[Scalar]:
    """Return values that both types take and that are read as another value, none where that is not known."""
    domains = [_domain(one), _domain(other)]
    kinds = {domain.kind for domain in domains if domain}
    if None in domains or len(kinds) == 1:
        return []
    return [1] if "text" in kinds else [1.5]


_DISTINGUISHED: Mapping[str, Callable[[str], str]] = {"nocase": str.lower, "rtrim": str.rstrip, "binary": str}


def distinguished(one: str | None, other: str | None) -> tuple[str, str] | None:
    """Return two texts that are equal in one collation and not in the other, None where that is not known."""
    kept = [_DISTINGUISHED.get((name or "binary").strip('"')) for name in (one, other)]
    for pair in (("a", "A"), ("a", "a ")):
        if None not in kept and len({fold(pair[0]) == fold(pair[1]) for fold in kept if fold}) > 1:
            return pair
    return None
