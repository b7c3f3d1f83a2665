"""Conversion between units of one kind."""

from table import SIZES


def convert(number: float, source: str, target: str) -> float | None:
    """Return the number in the target unit."""
    if source not in SIZES or target not in SIZES or SIZES[source][0] != SIZES[target][0]:
        #: when convert/unknown $ == "error"
        raise ValueError(f"{source} cannot be converted to {target}")
        #: else
        return None
        #: end
    return round(number * SIZES[source][1] / SIZES[target][1], #{convert/digits $})
