"""Errands: commits that processes leave for whoever has the turn, so that one transaction does for all that wait.

Group commit among processes: the plan of a process that waits in line goes beside the line (`slips`), and who has the
turn validates and applies it in a savepoint of its own transaction, as for its own threads. Only what went through is
answered. Who was refused, or is not answered for whatever reason, does it in its own turn, and says why.
"""

import io
import pickle
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache, partial
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, get_args

from blackboard.spec.canonical import digest_made
from blackboard.spec.changes import Act, ChangeRow, Committed, Intent, Plan, Refusal, Row
from blackboard.spec.footprint import Footprint, Room
from blackboard.spec.reads import Reads
from blackboard.spec.records import Body
from blackboard.spec.staleness import PatternPin, Pin
from blackboard.spec.triggers import Recheck
from blackboard.store.commit import Attempt
from blackboard.store.facts import HeadFacts
from blackboard.store.queue import Member
from blackboard.store.remembered import Head
from blackboard.store.session import Turn

if TYPE_CHECKING:
    from blackboard.store.opened import Store

_RECORDS = "blackboard.spec."
"""Where the classes are of which an errand is made; none of them does anything when it is made."""

_MADE_OF = (Intent, Reads, Plan, ChangeRow, Footprint, Room, Body, Pin, PatternPin, Recheck)
_SHAPE = digest_made([f"{kind.__name__}{signature(kind)}" for kind in (*_MADE_OF, *get_args(Act), *get_args(Row))])
"""Of what an errand is made of, so that libraries that differ in that do nothing for each other."""


class NotDone(Exception):
    """An errand was refused or taken back; nothing of it is written."""


class Errands:
    """What the process of one opened board leaves for others, and does for them."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        database = store.database
        # Only who would do just the same does it for another.
        self._alike = _SHAPE, tuple(sys.version_info), database.schema, database.identity, database.synchronous

    def text(self, attempt: Attempt) -> bytes | None:
        """Return what is planned as an errand, None where others are not to do it."""
        planned = attempt.planned
        if not isinstance(planned, Plan) or not planned.changes or attempt.beside is not None:
            return None
        told = self._alike, tuple(attempt.intent), attempt.content, planned
        try:
            text = _written(told)
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
            alike, intent, content, plan = _Reading(io.BytesIO(text)).load()
            if alike != self._alike or not isinstance(plan, Plan):
                return None
            attempt = Attempt(self._store, Intent(*intent), content, _no_other_plan, None)
        except Exception:  # noqa: BLE001 - a damaged text may raise whatever
            return None
        attempt.planned = plan

        def work(turn: Turn) -> bytes:
            done = attempt.once(turn) if stands() else None
            if not isinstance(done, Committed):
                raise NotDone
            return _written((done.revision, done.accepted, done.head_before, tuple(turn.head)))

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


class _Parts(dict[type[Any], Callable[[Any], Any]]):
    """How values are taken apart into a class and what it is called with, kept for each class."""

    def __missing__(self, kind: type[Any]) -> Callable[[Any], Any]:
        parts: Callable[[Any], tuple[Any, ...]]
        if issubclass(kind, tuple):
            parts = tuple
        elif is_dataclass(kind):
            names = [field.name for field in fields(kind)]
            parts = lambda record: tuple([getattr(record, name) for name in names])  # noqa: E731
        elif issubclass(kind, Enum):
            parts = lambda member: (member.value,)  # noqa: E731
        else:
            raise KeyError(kind)
        made = self[kind] = lambda record: (kind, parts(record))
        return made


_PARTS = _Parts({type: lambda kind: kind.__qualname__})


def _written(told: tuple[Any, ...]) -> bytes:
    text = io.BytesIO()
    pickler = pickle.Pickler(text, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = _PARTS
    pickler.dump(told)
    return text.getvalue()


class _Reading(pickle.Unpickler):
    """Makes nothing but records of the spec: anybody may have written what is read."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - what makes records
        # Not the class itself: a text can give whatever it names other attributes.
        return partial(_record(module, name))


@lru_cache(maxsize=256)
def _record(module: str, name: str) -> Callable[..., Any]:
    found = getattr(import_module(module), name) if module.startswith(_RECORDS) else None
    if not isinstance(found, type) or found.__module__ != module:
        raise pickle.UnpicklingError(f"{module}.{name} is no record")
    return found
