"""Texts that are lists of named parts, and two changes of such a list put together part by part."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar


class CannotMergeError(Exception):
    """Two changes replace the same part by different texts."""


class Unit(Protocol):
    """A part of a text that declares one name."""

    @property
    def name(self) -> str:
        """The name that it declares."""
        ...

    @property
    def meaning(self) -> object:
        """Its meaning, as a value that is equal for equal meanings."""
        ...

    @property
    def text(self) -> str:
        """Its text, with the comments above it."""
        ...


Part = TypeVar("Part", bound=Unit)
Both = Callable[[Part, Part, Part], str]
"""What puts one part together that both change: of the base, ours, theirs."""

_TOP = "^"
"""The neighbour of a part above all common parts."""


def merged(base: Sequence[Part], ours: Sequence[Part], theirs: Sequence[Part], *, both: Both[Part]) -> Iterator[str]:
    """Yield the texts of the merged parts, in the order of ours, each new one after its neighbour.

    Raises:
        CannotMergeError: Both change a part that cannot be merged, or a name is declared twice.
    """
    was, mine, other = ({one.name: one for one in units} for units in (base, ours, theirs))
    if (len(was), len(mine), len(other)) != (len(base), len(ours), len(theirs)):
        raise CannotMergeError
    came: dict[str, list[str]] = {}
    neighbour = _TOP
    for one in theirs:
        if one.name in mine:
            neighbour = one.name
        else:
            came.setdefault(neighbour, []).extend(_one(was.get(one.name), None, one, both))
    yield from came.get(_TOP, ())
    for one in ours:
        yield from _one(was.get(one.name), one, other.get(one.name), both)
        yield from came.get(one.name, ())


def _one(base: Part | None, ours: Part | None, theirs: Part | None, both: Both[Part]) -> Iterator[str]:
    """Yield the text of one part after both changes, nothing if it was removed."""
    was, mine, other = (None if one is None else one.meaning for one in (base, ours, theirs))
    stays = ours if other in (was, mine) else theirs
    if other in (was, mine) or mine == was:
        if stays is not None:
            yield stays.text
        return
    if base is None or ours is None or theirs is None:
        raise CannotMergeError
    yield both(base, ours, theirs)
