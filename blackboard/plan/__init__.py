"""What a commit would do: pure, at one head, outside any database transaction.

`plan` gets facts and an intent and gives rows to write, or a refusal, both with the footprint: everything that any
rule looked at, recorded by the view. An answer stands only while nothing touches its footprint. The rooms: `view`
(what rules may ask), `draft` (a plan in the making), `decisions`, `builds` and `installs` (the acts), `merging` (of
texts with one base).
"""

from collections.abc import Callable, Mapping
from typing import Any

from blackboard.choreography import moves
from blackboard.choreography.values import OPERATOR
from blackboard.contracts.language import all_facets
from blackboard.errors import NotPermitted, Refused
from blackboard.plan import builds, decisions, installs
from blackboard.plan.constraints import concerned, falsified
from blackboard.plan.draft import Draft
from blackboard.plan.view import Facts, View
from blackboard.spec.changes import (
    Act,
    Ask,
    Decide,
    HeadRow,
    Install,
    Intent,
    Judge,
    Observe,
    Plan,
    PositionRow,
    Propose,
    Refusal,
    Retract,
    Tick,
    Vote,
    Withdraw,
    Write,
)
from blackboard.spec.triggers import TriggerKind

CLOCK = "clock"

__all__ = ["CLOCK", "Facts", "plan"]


_ACTS: Mapping[type[Act], Callable[[Draft, Any], None]] = {
    Ask: decisions.ask,
    Propose: decisions.propose,
    Withdraw: decisions.withdraw,
    Vote: decisions.vote,
    Decide: decisions.decide,
    Retract: decisions.retract,
    Write: builds.write,
    Observe: builds.observe,
    Judge: builds.judge,
    Tick: installs.tick,
    Install: installs.install,
}


def plan(facts: Facts, intent: Intent) -> Plan | Refusal:
    """Say what a commit would write, and everything that the answer depends on.

    Raises:
        Invalid: An act could be valid on no board.
    """
    view = View(facts)
    try:
        draft = Draft(view, intent)
        draft.role = _role(draft)
        for act in intent.acts:
            _ACTS[type(act)](draft, act)
        broken = None
        if concerned(draft, draft.reshaped):
            decisions.settle_freed(draft)
            broken = falsified(draft)
        planned = _finished(draft)
        return planned if broken is None else Refusal(facts.revision, view.footprint, broken, planned)
    except Refused as error:
        return Refusal(facts.revision, view.footprint, error)


def _role(draft: Draft) -> str | None:
    """Return the role under which the author acts: the one it named if it may, else the only one that it has."""
    wanted, author = draft.intent.role, draft.intent.author
    if draft.registry.choreography is None or wanted == OPERATOR:
        return wanted
    has = draft.registry.roles_of(author)
    if wanted is not None:
        if wanted not in has:
            raise NotPermitted(f"{author} acts as {wanted}", [f"{author} acts as {role}" for role in has])
        return wanted
    return has[0] if len(has) == 1 else None


def _finished(draft: Draft) -> Plan:
    _name_moved_positions(draft)
    choreography = draft.registry.choreography
    checks = _own_checks(draft)
    if not draft.changes:
        return Plan(draft.view.facts.revision, draft.view.footprint)
    wakes = [(source, event.key, str(event.kind)) for source, event in draft.registry.triggers.woken(draft.events)]
    return Plan(
        draft.view.facts.revision,
        draft.view.footprint,
        (*draft.key_rows(), *draft.rows, *_head_rows(draft)),
        tuple(draft.changes),
        tuple(draft.accepted),
        tuple(dict.fromkeys([*wakes, *checks, *draft.wakes])),
        tuple(dict.fromkeys(draft.reshaped)),
        tuple(draft.settled),
        tuple(draft.written),
        draft.registry.rechecks,
        choreography.digest if choreography is not None else None,
        watched=bool(draft.registry.sources) or any(change.key.startswith("source/") for change in draft.changes),
        counted=moves.counted(choreography),
        merged=frozenset(draft.merged),
    )


def _head_rows(draft: Draft) -> list[HeadRow]:
    """Return the facets that moved, of keys whose current version changed: from what stood before to what stands."""
    found: list[HeadRow] = []
    for key in dict.fromkeys(draft.reshaped):
        record = draft.view.key(key)
        current = draft.view.version(key, record.current) if record is not None and record.current is not None else None
        old = draft.view.head_facets(key)
        new = {} if current is None else all_facets(current.body.facets)
        gone = {name: None for name, head in old.items() if head.digest is not None and name not in new}
        moved = {name: digest for name, digest in new.items() if name not in old or old[name].digest != digest}
        found += [HeadRow(key, name, digest) for name, digest in sorted({**moved, **gone}.items())]
    return found


def _name_moved_positions(draft: Draft) -> None:
    """Give each key whose position or record moved a change, so that a plan that looked at it can see that."""
    named = {change.key for change in draft.changes}
    unnamed = [(key, before) for key, before in draft.bases.items() if key not in named]
    for key, before in unnamed:
        if before is None or any(isinstance(row, PositionRow) and row.key == key for row in draft.rows):
            draft.path = ""
            draft.note("advanced", key, None, None)


def _own_checks(draft: Draft) -> list[tuple[str, str, str]]:
    """Wake the checks that a component has to pass beside those that its key alone wakes."""
    return [
        (source, component, str(TriggerKind.WRITTEN))
        for component in (*draft.written, *draft.checked)
        for source in builds.own_checkers(draft, component)
    ]
