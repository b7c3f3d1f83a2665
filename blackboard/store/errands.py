"""Errands: commits that processes leave for whoever has the turn, so that one transaction does for all that wait.

Group commit among processes: the plan of a process that waits in line goes beside the line (`slips`), and who has the
turn validates and applies it in a savepoint of its own transaction, as for its own threads. Only what went through is
answered. Who was refused, or is not answered for whatever reason, does it in its own turn, and says why.
"""

import io
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from enum import Enum
from functools import partial
from inspect import signature
from operator import attrgetter
from types import UnionType
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_origin

from blackboard.spec.canonical import JSON, digest_made
from blackboard.spec.changes import Ask, Committed, Intent, Plan, Refusal
from blackboard.spec.reads import Reads
from blackboard.spec.reservation import written
from blackboard.store.commit import Attempt
from blackboard.store.facts import HeadFacts
from blackboard.store.queue import Member
from blackboard.store.remembered import Head
from blackboard.store.session import Turn
from blackboard.store.slips import LONGEST_ANSWER

if TYPE_CHECKING:
    from blackboard.store.opened import Store


_LONGEST_ACCEPTED = LONGEST_ANSWER - 256
"""Of an answer, what else is in it needs that much at most: three revisions, an epoch, a digest."""


class NotDone(Exception):
    """An errand was refused or taken back; nothing of it is written."""


class Errands:
    """What the process of one opened board leaves for others, and does for them."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        database = store.database
        # Only who would do just the same does it for another.
        alike = [sys.version, database.schema, str(database.identity), database.synchronous]
        self._alike = digest_made([_SHAPE, *alike])

    def text(self, attempt: Attempt) -> bytes | None:
        """Return what is planned as an errand, None where others are not to do it."""
        planned, intent = attempt.planned, attempt.intent
        if not isinstance(planned, Plan) or not planned.changes or attempt.beside is not None:
            return None
        # Of what is wanted only the keys: all else of it is in the plan.
        told = (intent.author, intent.role, written(intent), _READS.plain(intent.reads), *intent[4:])
        try:
            text = pickle.dumps((self._alike, attempt.content, told, _PLAN.plain(planned)))
            if len(pickle.dumps(planned.accepted)) > _LONGEST_ACCEPTED:
                # Who does it could not say so, and it would be done twice.
                return None
        except Exception:  # noqa: BLE001 - an application's own kind of text or number may raise whatever
            return None
        attempt.left = True
        return text

    def member(self, text: bytes, stands: Callable[[], bool]) -> Member | None:
        """Return the work that an errand is, None where it is not for this process to do.

        Args:
            text: Of whoever may write beside the board; what it is made of is looked at before anything is made.
            stands: Says, in the turn, whether it was not taken back.
        """
        try:
            alike, content, told, planned = _Reading(io.BytesIO(text)).load()
            if alike != self._alike:
                return None
            author, role, keys, reads, *others = told
            acts = tuple([Ask(key, "") for key in keys])
            intent = Intent(author, role, acts, _READS.made(reads), *others)
            attempt = Attempt(self._store, intent, content, _no_other_plan, None)
            attempt.planned = _PLAN.made(planned)
        except Exception:  # noqa: BLE001 - a damaged text may raise whatever
            return None

        def work(turn: Turn) -> bytes:
            done = attempt.once(turn) if stands() else None
            if not isinstance(done, Committed):
                raise NotDone
            return pickle.dumps((done.revision, done.accepted, done.head_before, tuple(turn.head)))

        return Member(work, attempt.intent.idempotency_key)

    def done(self, answer: bytes) -> Committed | None:
        """Return what an answer tells, None where it tells nothing: then nobody did it."""
        try:
            revision, accepted, head_before, head = _Reading(io.BytesIO(answer)).load()
            told = Head(*head)
        except Exception:  # noqa: BLE001 - a damaged text may raise whatever
            return None
        self._store.database.remembered.hear(told)
        return Committed(revision, accepted, head_before)


def _no_other_plan(_facts: HeadFacts, _intent: Intent) -> Plan | Refusal:
    raise NotDone


class _Way(NamedTuple):
    """How values of a type become plain ones, and are made again of these."""

    plain: Callable[[Any], Any]
    made: Callable[[Any], Any]


def _way(kind: Any) -> _Way | None:  # noqa: ANN401 - a type, as it is written
    """Return the way of a type, None where its values are plain already: texts, numbers, bytes, and what is of them."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (tuple, frozenset):
        return _way_of_many(origin, _way(inside[0]))
    if origin is UnionType:
        return _way_of_either(inside, [_way(one) for one in inside])
    if not isinstance(kind, type):
        return None
    if issubclass(kind, Enum):
        return _Way(attrgetter("value"), {member.value: member for member in kind}.__getitem__)
    return _way_of_record(kind) if is_dataclass(kind) or hasattr(kind, "_fields") else None


def _way_of_many(origin: type, way: _Way | None) -> _Way | None:
    if way is None:
        return None
    plain, made = way
    return _Way(lambda values: [plain(one) for one in values], lambda values: origin([made(one) for one in values]))


def _way_of_either(kinds: Sequence[type], ways: Sequence[_Way | None]) -> _Way | None:
    if None in ways:
        return None
    plain = {kind: (number, way.plain) for number, (kind, way) in enumerate(zip(kinds, ways, strict=True)) if way}
    made = [way.made for way in ways if way]

    def told(value: Any) -> tuple[int, Any]:  # noqa: ANN401
        number, of_kind = plain[type(value)]
        return number, of_kind(value)

    return _Way(told, lambda value: made[value[0]](value[1]))


def _way_of_record(kind: type) -> _Way:
    _KINDS.append(kind)
    names = signature(kind).parameters
    found = [_way(one.annotation) for one in names.values()]
    ways = [(number, *way) for number, way in enumerate(found) if way is not None]

    listed: Callable[[Any], list[Any]] = list
    make: Callable[[Any], Any] = partial(tuple.__new__, kind)
    if is_dataclass(kind):
        listed = lambda record: [getattr(record, name) for name in names]  # noqa: E731
        make = lambda values: kind(*values)  # noqa: E731
    if not ways:
        return _Way(tuple if listed is list else listed, make)

    def plain(record: Any) -> list[Any]:  # noqa: ANN401
        values = listed(record)
        for number, of_field, _ in ways:
            values[number] = of_field(values[number])
        return values

    def made(values: Any) -> Any:  # noqa: ANN401
        for number, _, of_field in ways:
            values[number] = of_field(values[number])
        return make(values)

    return _Way(plain, made)


_KINDS: list[type] = []
_READS, _PLAN = _way_of_record(Reads), _way_of_record(Plan)
_SHAPE: JSON = [f"{kind.__name__}{signature(kind)}" for kind in (Intent, Head, Committed, *_KINDS)]
"""Of what an errand is made of, so that libraries that differ in that do nothing for each other."""


class _Reading(pickle.Unpickler):
    """Makes nothing but plain values: anybody may have written what is read."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - as it is declared
        raise pickle.UnpicklingError(f"{module}.{name} is no plain value")
