"""Whether a board has converged, and if not, which obligations are open and who has to act.

Silence is never convergence: every obligation has to be met at one revision (C1 to C4), and quiescence has to be
announced for it (C5). "Converged" means consistent with one interpretation, and passing the checks of the team.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from blackboard.spec import keys
from blackboard.spec.activation import Activation, ActivationState
from blackboard.spec.canonical import JSON, digest_made
from blackboard.spec.effects import Side
from blackboard.spec.history import UNRULED
from blackboard.spec.inputs import closure, inputs_digest, whole_digest
from blackboard.spec.spec_state import CheckRecord, DecisionRecord, SpecState
from blackboard.spec.staleness import Freshness
from blackboard.spec.triggers import OF_THE_LIBRARY, STARTS

CLOCK = ("clock",)
"""Who has to act where only time has to go by."""


class OutcomeKind(StrEnum):
    """How a run ended."""

    CONVERGED = "converged"
    STALLED = "stalled"
    OSCILLATING = "oscillating"
    BUDGET_EXHAUSTED = "budget_exhausted"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something that has to be done.

    Attributes:
        key: Of the decision, component or source that it is about; a pattern where nothing matches it.
        waits_for: Names of the sources, members or roles that have to act.
        person: Whether only a person can go on.
        loop: Whether work on it ended because it repeats.
    """

    key: str
    reason: str
    waits_for: tuple[str, ...] = ()
    person: bool = False
    loop: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, with evidence.

    Attributes:
        revision: Of the spec that it is about.
        cycle: "source on target" of each run, where something repeats.
        fingerprint: Digest of what was agreed, built and verified.
    """

    kind: OutcomeKind
    revision: int
    obligations: tuple[Obligation, ...]
    cycle: tuple[str, ...]
    fingerprint: str

    @property
    def waits_for_a_person(self) -> bool:
        """Say whether all obligations wait for a person."""
        return bool(self.obligations) and all(one.person for one in self.obligations)


def outcome(state: SpecState) -> Outcome:
    """Say whether the board has converged, and if not, why."""
    found = obligations(state)
    if not found and not state.announced:
        why = f"quiescence was not announced for revision {state.revision}"
        found = (Obligation("**", why, ("a controller",)),)
    if not found:
        kind = OutcomeKind.CONVERGED
    elif any(one.loop for one in found):
        kind = OutcomeKind.OSCILLATING
    else:
        kind = OutcomeKind.BUDGET_EXHAUSTED if state.control.exhausted else OutcomeKind.STALLED
    return Outcome(kind, state.revision, found, state.control.cycle if found else (), fingerprint(state))


def obligations(state: SpecState) -> tuple[Obligation, ...]:
    """Return the open obligations of C1 to C4, decisions first; to start the whole program only if nothing else is."""
    outside = {member for members in state.persons.values() for member in members}
    woken: dict[str, list[str]] = {}
    for activation in state.control.activations:
        if activation.state in (ActivationState.PENDING, ActivationState.LEASED):
            woken.setdefault(activation.target, []).append(activation.source)
    found: dict[tuple[str, str], Obligation] = {}
    for one in (*_decisions(state), *_components(state), *_verdicts(state), *_control(state)):
        found.setdefault((one.key, one.reason), _with_actors(one, outside, woken.get(one.key, ())))
    everything = _with_persons_upstream(state, tuple(found.values()))
    return tuple(one for one in everything if not _is_to_start(one, state)) or everything


def starts_is_left(open_obligations: Iterable[Obligation], state: SpecState) -> bool:
    """Say whether to start the whole program is the only open obligation."""
    found = list(open_obligations)
    return bool(found) and all(_is_to_start(one, state) for one in found)


def _is_to_start(one: Obligation, state: SpecState) -> bool:
    return one.waits_for == (STARTS,) and one.key in state.components


def fingerprint(state: SpecState) -> str:
    """Return the digest of what was agreed, built and verified: no versions, revisions, authors, times or logs."""
    agreed: list[JSON] = [
        [key, one.digest] for key, one in sorted(state.decisions.items()) if one.accepted and not keys.is_reserved(key)
    ]
    built: list[JSON] = [
        [key, one.files, sorted([pin.key, pin.name, str(pin.side), pin.digest] for pin in one.pins)]
        for key, one in sorted(state.components.items())
    ]
    newest = {(one.check, one.component): one for one in sorted(state.verdicts, key=lambda one: one.revision)}
    verified: list[JSON] = [[*subject, one.inputs, one.passed] for subject, one in sorted(newest.items())]
    return digest_made({"agreed": agreed, "built": built, "verified": verified})


# --- C1: decisions ---------------------------------------------------------------------------------------------------


def _decisions(state: SpecState) -> Iterator[Obligation]:
    required = {key: f"task/{task.component} names it" for task in state.tasks.values() for key in task.decisions}
    for pattern in state.requires:
        under = [one for key, one in state.decisions.items() if keys.matches(pattern, key)]
        required.update({one.key: f"{pattern} is required" for one in under if one.state != "retracted"})
        if not any(one.accepted for one in under):
            yield Obligation(pattern, "it is required and no decision under it is accepted")
    for key, why in sorted(required.items()):
        if not keys.is_pattern(key) and not _is_accepted(state, key):
            one = state.decisions.get(key)
            said = "nobody decided it" if one is None or one.state == "absent" else f"it is {one.state}"
            yield Obligation(key, f"{why}, {said}")
    for key, one in sorted(state.decisions.items()):
        yield from _unsettled(state, key, one)
    for constraint in state.constraints:
        if constraint.truth.value is not True:
            said = "undecided" if constraint.truth.value is None else "false"
            yield Obligation(constraint.key, ": ".join(filter(None, (f"it is {said}", constraint.truth.why))))
    for key, why in sorted(state.stops.items()):
        if key in required or key in _required_components(state):
            yield Obligation(key, f"stopped: {why}")


def _unsettled(state: SpecState, key: str, one: DecisionRecord) -> Iterator[Obligation]:
    if one.state == "contested":
        operators = state.settlers or state.persons.get("operator", ()) or ("operator",)
        loop = one.reason.endswith(UNRULED)
        reason = f"contested: {one.reason}" if one.reason else "contested"
        yield Obligation(key, reason, operators, person=not state.settlers and not loop, loop=loop)
    for version, missing in one.missing.items():
        yield Obligation(key, f"version {version} is proposed", missing)
    if one.asked:
        yield Obligation(key, "a question about it is open")


def _is_accepted(state: SpecState, key: str) -> bool:
    return key in state.decisions and state.decisions[key].accepted


# --- C2, C3: components and verdicts ---------------------------------------------------------------------------------


def _components(state: SpecState) -> Iterator[Obligation]:
    for key in _required_components(state):
        built = state.components.get(key)
        if built is None:
            yield Obligation(key, f"task/{key} is accepted and nobody wrote it")
        elif built.freshness is Freshness.SUSPECT and not _required_checks(state, key):
            # What changed is compatible, and no check could say more.
            continue
        elif built.freshness is not Freshness.CURRENT:
            yield Obligation(key, f"it is {built.freshness}")


def _required_components(state: SpecState) -> list[str]:
    """Return the components that accepted tasks require, and those that never had a task."""
    return sorted({*state.tasks, *(key for key in state.components if f"task/{key}" not in state.decisions)})


def _verdicts(state: SpecState) -> Iterator[Obligation]:
    known = {check.name: check for check in state.checks}
    probes = {component: task.probed for component, task in state.tasks.items()}
    whole = {name: whole_digest(state.components, probes, one.definition) for name, one in known.items() if one.whole}
    for component in _required_components(state):
        for name in _required_checks(state, component) if component in state.components else ():
            reason = _unverified(state, known.get(name), name, component, whole.get(name))
            if reason is not None:
                is_to_run = name in whole and not reason.startswith(f"check {name} failed")
                yield Obligation(component, reason, (name,) if is_to_run else ())


def _required_checks(state: SpecState, component: str) -> list[str]:
    """Return the checks that a component has to pass: those of the team, and those that its task names."""
    built, task = state.components[component], state.tasks.get(component)
    pinned = {f"{pin.side} {state.decisions[pin.key].language}" for pin in built.pins if pin.key in state.decisions}
    has_code = built.has_code or (task is not None and bool(task.probed))
    names = set(() if task is None else task.checks)
    for check in state.checks:
        applies = has_code if check.whole else not check.languages or not pinned.isdisjoint(check.languages)
        if applies and keys.matches(check.pattern, component):
            names.add(check.name)
    return sorted(names)


def _unverified(
    state: SpecState, check: CheckRecord | None, name: str, component: str, whole: str | None
) -> str | None:
    if check is None:
        return f"its task names check {name}, which the team does not have"
    inputs = whole or inputs_digest(component, state.components, check.definition)
    these = [one for one in state.verdicts if (one.check, one.component, one.inputs) == (name, component, inputs)]
    results = {one.passed for one in these}
    if not results:
        return f"check {name} has no verdict for the current inputs"
    if len(results) > 1:
        return f"check {name} is flaky: it passed and failed on the same inputs"
    if results == {True}:
        return None
    why = these[-1].why if name in OF_THE_LIBRARY else ""
    return f"check {name} failed: {why}" if why else f"check {name} failed"


# --- C4: the agenda --------------------------------------------------------------------------------------------------


def _control(state: SpecState) -> Iterator[Obligation]:
    open_work: dict[tuple[str, str], list[str]] = {}
    for one in state.control.activations:
        who = (one.source,)
        match one.state:
            case ActivationState.LOOPED:
                yield Obligation(one.target, f"{one.source} was woken in a loop", who, loop=True)
            case ActivationState.DEAD if _matters(state, one):
                again = f"bb board retry {one.source} {one.target}"
                tries = f"{one.attempts} attempt{'s' * (one.attempts != 1)}"
                reason = f"{one.source} gave up after {tries}: {one.error}: {one.reason}; {again}"
                yield Obligation(one.target, reason, who, loop=returns(one))
            case ActivationState.PENDING | ActivationState.LEASED if one.quarantined:
                yield Obligation(one.target, f"{one.kind}: {one.source} is quarantined: {one.quarantined}", who)
            case ActivationState.PENDING | ActivationState.LEASED:
                after = f", waits for {', '.join(one.waits_for)}" if one.waits_for else ""
                open_work.setdefault((one.target, f"{one.kind}: {one.state}{after}"), []).append(one.source)
    for (target, reason), sources in open_work.items():
        yield Obligation(target, reason, tuple(sources))
    for key, armed in state.control.deadlines:
        yield Obligation(key, armed, CLOCK)


def returns(one: Activation) -> bool:
    """Say whether a source gave up because what it wants to decide was replaced before."""
    return one.state is ActivationState.DEAD and one.error == "Returning"


def _matters(state: SpecState, one: Activation) -> bool:
    """Say whether a dead activation left something undone that nobody else did."""
    if one.kind not in ("required", "stale", "suspect", "failed") or returns(one):
        return True
    built = state.components.get(one.target)
    if built is None:
        return not _is_accepted(state, one.target)
    failed = [found for found in state.verdicts if found.component == one.target and not found.passed]
    return built.freshness is not Freshness.CURRENT or bool(failed)


def _with_actors(one: Obligation, outside: Collection[str], woken: Iterable[str]) -> Obligation:
    """Name the sources that were woken for a key, where an obligation names nobody."""
    names = one.waits_for or tuple(dict.fromkeys(woken))
    return replace(one, waits_for=names, person=one.person or (bool(names) and all(name in outside for name in names)))


def _with_persons_upstream(state: SpecState, found: tuple[Obligation, ...]) -> tuple[Obligation, ...]:
    """Let obligations that wait for keys which wait for persons wait for these persons, over any number of keys."""
    while True:
        by_key: dict[str, list[Obligation]] = {}
        for one in found:
            by_key.setdefault(one.key, []).append(one)
        by_persons = {key: names for key, same in by_key.items() if (names := _persons_of(same))}
        moved = tuple(_with_persons_of(state, one, by_persons) for one in found)
        if moved == found:
            break
        found = moved
    inside = [one for one in found if not keys.is_pattern(one.key)]
    if not inside or not all(one.person for one in inside):
        return found
    # Nothing else can be done, so what is to come under a pattern waits for the same persons.
    names = tuple(dict.fromkeys(name for one in inside for name in one.waits_for))
    return tuple(replace(one, person=True, waits_for=one.waits_for or names) for one in found)


def _persons_of(found: list[Obligation]) -> tuple[str, ...]:
    """Return the persons for whom all obligations of one key wait, none where some wait for others."""
    untimed = [one for one in found if one.waits_for != CLOCK]
    if not all(one.person for one in untimed):
        return ()
    return tuple(dict.fromkeys(name for one in untimed for name in one.waits_for))


def _with_persons_of(state: SpecState, one: Obligation, by_persons: Mapping[str, tuple[str, ...]]) -> Obligation:
    if one.waits_for == CLOCK and one.key in by_persons:
        # The deadline of a step that waits for a person ends nothing but that step.
        return replace(one, waits_for=by_persons[one.key], person=True)
    waits = _waits(state, one.key)
    is_busy = any(
        activation.target == one.key and activation.state in (ActivationState.DEAD, ActivationState.LEASED)
        for activation in state.control.activations
    )
    if one.person or one.loop or is_busy or not waits or not waits <= by_persons.keys():
        return one
    names = tuple(dict.fromkeys(name for key in sorted(waits) for name in by_persons[key]))
    return replace(one, waits_for=names, person=True)


def _waits(state: SpecState, key: str) -> set[str]:
    """Return the decisions and components that have to be there before work on a component or constraint can go on."""
    for constraint in state.constraints:
        if constraint.key == key:
            return set(constraint.undecided)
    task = state.tasks.get(key)
    if task is None:
        return set()
    missing = {name for name in task.decisions if not keys.is_pattern(name) and not _is_accepted(state, name)}
    if missing or key not in state.components:
        return missing
    rests = closure(key, state.components)
    used = {pin.key for one in rests for pin in state.components[one].pins if pin.side is Side.USES}
    unbuilt = (task for component, task in state.tasks.items() if component not in state.components)
    return {one.component for one in unbuilt if keys.matches_any(one.implements, used)}
