"""Errands: commits that processes leave for whoever has the turn, so that one transaction does for all that wait.

Group commit among processes: the plan of a process that waits in line goes beside the line (`slips`), and who has the
turn validates and applies it in a savepoint of its own transaction, as for its own threads. Only what went through is
answered. Who was refused, or is not answered for whatever reason, does it in its own turn, and says why.
"""

import io
import pickle
import sys
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, get_args

from blackboard.spec.canonical import digest_made
from blackboard.spec.changes import Committed, Intent, Plan, Refusal, Row
from blackboard.spec.reads import Reads
from blackboard.store.commit import Attempt
from blackboard.store.facts import HeadFacts
from blackboard.store.queue import Member
from blackboard.store.remembered import Head
from blackboard.store.session import Turn

if TYPE_CHECKING:
    from blackboard.store.opened import Store

_RECORDS = "blackboard.spec."
"""Where the classes are of which an errand is made; none of them does anything when it is made."""

_SHAPE = digest_made([f"{kind.__name__}{signature(kind)}" for kind in (Intent, Reads, Plan, *get_args(Row))])
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
            return pickle.dumps(told, pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, TypeError, AttributeError):
            # An application's own kind of text or number is in it.
            return None

    def member(self, text: bytes, stands: Callable[[], bool]) -> Member | None:
        """Return the work that an errand is, None where it is not for this process to do.

        Args:
            text: Of whoever may write beside the board; what it is made of is looked at before anything is made.
            stands: Says, in the turn, whether it was not taken back.
        """
        try:
            alike, intent, content, plan = _Reading(io.BytesIO(text)).load()
        except Exception:  # noqa: BLE001 - a damaged text may raise whatever
            return None
        if alike != self._alike:
            return None
        attempt = Attempt(self._store, Intent(*intent), content, _no_other_plan, None)
        attempt.planned = plan

        def work(turn: Turn) -> bytes:
            done = attempt.once(turn) if stands() else None
            if not isinstance(done, Committed):
                raise NotDone
            return pickle.dumps((done.revision, done.accepted, done.head_before, tuple(turn.head)))

        return Member(work, attempt.intent.idempotency_key)

    def done(self, answer: bytes) -> Committed:
        """Return what an answer tells."""
        revision, accepted, head_before, head = _Reading(io.BytesIO(answer)).load()
        self._store.database.remembered.hear(Head(*head))
        return Committed(revision, accepted, head_before)


def _no_other_plan(_facts: HeadFacts, _intent: Intent) -> Plan | Refusal:
    raise NotDone


class _Reading(pickle.Unpickler):
    """Makes nothing but records of the spec: anybody may have written what is read."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - a class
        return _record(module, name)


@lru_cache(maxsize=256)
def _record(module: str, name: str) -> type[Any]:
    found = getattr(import_module(module), name) if module.startswith(_RECORDS) else None
    if not isinstance(found, type) or found.__module__ != module:
        raise pickle.UnpicklingError(f"{module}.{name} is no record")
    return found
