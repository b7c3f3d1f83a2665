"""What a commit would do: pure, at one head, outside any database transaction.

`plan` gets facts and an intent and gives rows to write, or a refusal, both with the footprint: everything that any
rule looked at, recorded by the view. An answer holds until something of its footprint changes. The modules: `view`
(what rules may ask), `draft` (a plan in the making), `decisions`, `builds` and `installs` (the acts), `merging` (of
texts with one base), `premises` (what a decision relies on), `constraints`.
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
from blackboard.spec import changes
from blackboard.spec.changes import HeadRow, Intent, Plan, PositionRow, Refusal
from blackboard.spec.triggers import TriggerKind

CLOCK = "clock"

__all__ = ["CLOCK", "Facts", "plan"]


_ACTS: Mapping[type[changes.Act], Callable[[Draft, Any], None]] = {
    changes.Ask: decisions.ask,
    changes.Propose: decisions.propose,
    changes.Withdraw: decisions.withdraw,
    changes.Vote: decisions.vote,
    changes.Decide: decisions.decide,
    changes.Retract: decisions.retract,
    changes.Write: builds.write,
    changes.Observe: builds.observe,
    changes.Judge: builds.judge,
    changes.Tick: installs.tick,
    changes.Install: installs.install,
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
    """Return the role under which the author acts: the one it named if it has it, else its only one."""
    wanted, author = draft.intent.role, draft.intent.author
    if draft.registry.choreography is None or wanted == OPERATOR:
        return wanted
    roles = draft.registry.roles_of(author)
    if wanted is None:
        return roles[0] if len(roles) == 1 else None
    if wanted not in roles:
        raise NotPermitted(f"{author} acts as {wanted}", [f"{author} acts as {role}" for role in roles])
    return wanted


def _finished(draft: Draft) -> Plan:
    _note_unnamed_keys(draft)
    registry = draft.registry
    own_checks = [
        (source, component, str(TriggerKind.WRITTEN))
        for component in (*draft.written, *draft.checked)
        for source in builds.own_checkers(draft, component)
    ]
    if not draft.changes:
        return Plan(draft.view.facts.revision, draft.view.footprint)
    wakes = [(source, event.key, str(event.kind)) for source, event in registry.triggers.woken(draft.events)]
    return Plan(
        draft.view.facts.revision,
        draft.view.footprint,
        (*draft.key_rows(), *draft.rows, *_head_rows(draft)),
        tuple(draft.changes),
        tuple(draft.accepted),
        tuple(dict.fromkeys([*wakes, *own_checks, *draft.wakes])),
        tuple(dict.fromkeys(draft.reshaped)),
        tuple(draft.settled),
        tuple(draft.written),
        registry.rechecks,
        registry.choreography.digest if registry.choreography is not None else None,
        watched=bool(registry.sources) or any(change.key.startswith("source/") for change in draft.changes),
        counted=moves.counted(registry.choreography),
        merged=frozenset(draft.merged),
    )


def _head_rows(draft: Draft) -> list[HeadRow]:
    """Return the current facets that have another value now, or are gone."""
    rows: list[HeadRow] = []
    for key in dict.fromkeys(draft.reshaped):
        current = draft.view.current_version(key)
        old = draft.view.head_facets(key)
        new = {} if current is None else all_facets(current.body.facets)
        gone = {name: None for name, head in old.items() if head.digest is not None and name not in new}
        moved = {name: digest for name, digest in new.items() if name not in old or old[name].digest != digest}
        rows += [HeadRow(key, name, digest) for name, digest in sorted({**moved, **gone}.items())]
    return rows


def _note_unnamed_keys(draft: Draft) -> None:
    """Add a change for each new key, or key with a new position, that has none: other plans may have read it."""
    named = {change.key for change in draft.changes}
    positioned = {row.key for row in draft.rows if isinstance(row, PositionRow)}
    draft.path = ""
    for key, before in draft.before.items():
        if key not in named and (before is None or key in positioned):
            draft.note("advanced", key, None, None)
