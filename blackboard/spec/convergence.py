"""Whether a board has converged, and if not, what is left and who is waited for.

Silence is never convergence: every obligation has to be met at one revision (C1 to C4), and quiescence has to be
announced for it (C5). "Converged" means consistent with one interpretation, and passing the given checks.
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
from blackboard.spec.spec_state import CheckRecord, KeyStanding, SpecState
from blackboard.spec.staleness import Freshness
from blackboard.spec.triggers import OF_THE_LIBRARY, STARTS

CLOCK = ("clock",)
"""Who is waited for where only time has to go by."""


class OutcomeKind(StrEnum):
    """How a run ended."""

    CONVERGED = "converged"
    STALLED = "stalled"
    OSCILLATING = "oscillating"
    BUDGET_EXHAUSTED = "budget_exhausted"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something that is left.

    Attributes:
        key: Of the decision, component or source that it is about; a pattern where nothing matches it.
        waits_for: Names of sources, members or roles.
        person: Whether only a person can go on.
        loop: Whether it was given up because it repeats.
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
        """Say whether all that is left waits for a person."""
        return bool(self.obligations) and all(one.person for one in self.obligations)


def outcome(state: SpecState) -> Outcome:
    """Say how the board stands."""
    left = obligations(state)
    if not left and not state.announced:
        left = (Obligation("**", f"quiescence was not announced for revision {state.revision}", ("a controller",)),)
    cycle = state.control.cycle if left else ()
    return Outcome(_kind(state, left), state.revision, left, cycle, fingerprint(state))


def obligations(state: SpecState) -> tuple[Obligation, ...]:
    """Return what is left of C1 to C4, decisions first, and to start the whole program only where nothing else is."""
    found = [*_decisions(state), *_components(state), *_verdicts(state), *_control(state)]
    merged: dict[tuple[str, str], Obligation] = {}
    outside = {member for members in state.persons.values() for member in members}
    woken: dict[str, list[str]] = {}
    for activation in state.control.activations:
        if _open(activation):
            woken.setdefault(activation.target, []).append(activation.source)
    for one in found:
        merged.setdefault((one.key, one.reason), _with_persons(one, outside, woken.get(one.key, ())))
    left = _resting_on_persons(state, tuple(merged.values()))
    # The whole program is started when nothing else is left; until then nobody has to hear that it was not yet.
    return tuple(one for one in left if not _is_to_start(one, state)) or left


def starts_is_left(left: Iterable[Obligation], state: SpecState) -> bool:
    """Say whether nothing is left but to start the whole program."""
    found = list(left)
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
    verified: list[JSON] = [
        [check, subject, one.inputs, one.passed] for (check, subject), one in sorted(newest.items())
    ]
    return digest_made({"agreed": agreed, "built": built, "verified": verified})


def _kind(state: SpecState, left: tuple[Obligation, ...]) -> OutcomeKind:
    if not left:
        return OutcomeKind.CONVERGED
    if any(one.loop for one in left):
        return OutcomeKind.OSCILLATING
    if state.control.exhausted:
        return OutcomeKind.BUDGET_EXHAUSTED
    return OutcomeKind.STALLED


# --- C1: decisions ---------------------------------------------------------------------------------------------------


def _decisions(state: SpecState) -> Iterator[Obligation]:
    required = {key: f"task/{task.component} names it" for task in state.tasks for key in task.decisions}
    for pattern in state.requires:
        under = [one for key, one in state.decisions.items() if keys.matches(pattern, key)]
        required.update({one.key: f"{pattern} is required" for one in under if one.state != "retracted"})
        if not any(one.accepted for one in under):
            yield Obligation(pattern, "it is required and no decision under it is accepted")
    for key, why in sorted(required.items()):
        if not keys.is_pattern(key) and not _accepted(state, key):
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


def _unsettled(state: SpecState, key: str, one: KeyStanding) -> Iterator[Obligation]:
    if one.state == "contested":
        operators = state.settlers or state.persons.get("operator", ()) or ("operator",)
        loop = one.reason.endswith(UNRULED)
        reason = f"contested: {one.reason}" if one.reason else "contested"
        yield Obligation(key, reason, operators, person=not state.settlers and not loop, loop=loop)
    for version, missing in one.missing.items():
        yield Obligation(key, f"version {version} is proposed", missing)
    if one.asked:
        yield Obligation(key, "a question about it is open")


def _accepted(state: SpecState, key: str) -> bool:
    return key in state.decisions and state.decisions[key].accepted


# --- C2, C3: components and verdicts ---------------------------------------------------------------------------------


def _components(state: SpecState) -> Iterator[Obligation]:
    named = _named(state)
    for key in _required_components(state):
        built = state.components.get(key)
        if built is None:
            yield Obligation(key, f"task/{key} is accepted and nobody wrote it")
        elif built.freshness is Freshness.SUSPECT and not _wanted(state, key, named):
            # What changed is compatible, and there is nothing that could say more.
            continue
        elif built.freshness is not Freshness.CURRENT:
            yield Obligation(key, f"it is {built.freshness}")


def _required_components(state: SpecState) -> Iterable[str]:
    return sorted({*(task.component for task in state.tasks), *state.untasked})


def _verdicts(state: SpecState) -> Iterator[Obligation]:
    known, named = {check.name: check for check in state.checks}, _named(state)
    probes = {task.component: task.probed for task in state.tasks}
    whole = {
        check.name: whole_digest(state.components, probes, check.definition) for check in state.checks if check.whole
    }
    for component in _required_components(state):
        if component not in state.components:
            continue
        for name in _wanted(state, component, named):
            reason = _unverified(state, known.get(name), name, component, whole.get(name))
            if reason is not None:
                is_to_run = name in whole and not reason.startswith(f"check {name} failed")
                yield Obligation(component, reason, (name,) if is_to_run else ())


def _named(state: SpecState) -> Mapping[str, tuple[str, ...]]:
    """Return component -> the checks that its task names."""
    return {task.component: task.checks for task in state.tasks}


def _wanted(state: SpecState, component: str, named: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the checks that a component has to pass: the team's, and those that its task names."""
    pins = state.components[component].pins
    languages = {f"{pin.side} {state.decisions[pin.key].language}" for pin in pins if pin.key in state.decisions}
    on_it = (check for check in state.checks if keys.matches(check.pattern, component))
    in_whole = state.components[component].has_code or any(
        task.probed for task in state.tasks if task.component == component
    )
    of_team = {
        check.name
        for check in on_it
        if (in_whole if check.whole else not check.languages or languages.intersection(check.languages))
    }
    return sorted(of_team | set(named.get(component, ())))


def _unverified(
    state: SpecState, check: CheckRecord | None, name: str, component: str, whole: str | None
) -> str | None:
    if check is None:
        return f"its task names check {name}, which the team does not have"
    inputs = whole or inputs_digest(component, state.components, check.definition)
    found = [one for one in state.verdicts if (one.check, one.component) == (name, component)]
    these = {one.passed for one in found if one.inputs == inputs}
    if not these:
        return f"check {name} has no verdict for what stands now"
    if len(these) > 1:
        return f"check {name} is flaky: it passed and failed on the same inputs"
    if these == {True}:
        return None
    why = next((one.why for one in reversed(found) if one.inputs == inputs), "")
    return f"check {name} failed: {why}" if why and name in OF_THE_LIBRARY else f"check {name} failed"


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
    """Say whether a source gave up because what it wants to decide was given up before."""
    return one.state is ActivationState.DEAD and one.error == "Returning"


def _matters(state: SpecState, one: Activation) -> bool:
    """Say whether a dead activation left something undone that nobody else did."""
    if one.kind not in ("required", "stale", "suspect", "failed") or returns(one):
        return True
    built = state.components.get(one.target)
    if built is None:
        return not _accepted(state, one.target)
    failed = [found for found in state.verdicts if found.component == one.target and not found.passed]
    return built.freshness is not Freshness.CURRENT or bool(failed)


def _with_persons(one: Obligation, outside: Collection[str], woken: Iterable[str]) -> Obligation:
    """Name the people who were woken for a key, where an obligation is theirs."""
    if one.waits_for:
        only = all(name in outside for name in one.waits_for)
        return replace(one, person=one.person or only)
    names = tuple(dict.fromkeys(woken))
    return replace(one, waits_for=names, person=bool(names) and all(name in outside for name in names))


def _resting_on_persons(state: SpecState, left: tuple[Obligation, ...]) -> tuple[Obligation, ...]:
    """Let what only waits for a person's keys wait for that person, however long the way there."""
    while True:
        by_key: dict[str, list[Obligation]] = {}
        for one in left:
            by_key.setdefault(one.key, []).append(one)
        theirs = {key: names for key, found in by_key.items() if (names := _persons_of(found))}
        moved = tuple(_resting(state, one, theirs) for one in left)
        if moved == left:
            break
        left = moved
    inside = [one for one in left if not keys.is_pattern(one.key)]
    if not inside or not all(one.person for one in inside):
        return left
    # Nothing else is left, so whatever is to come under a pattern waits for the same people.
    names = tuple(dict.fromkeys(name for one in inside for name in one.waits_for))
    return tuple(replace(one, person=True, waits_for=one.waits_for or names) for one in left)


def _persons_of(left: list[Obligation]) -> tuple[str, ...]:
    """Return the persons for whom all that is left of one key waits, none where it waits for others too."""
    mine = [one for one in left if one.waits_for != CLOCK]
    if not all(one.person for one in mine):
        return ()
    return tuple(dict.fromkeys(name for one in mine for name in one.waits_for))


def _resting(state: SpecState, one: Obligation, theirs: Mapping[str, tuple[str, ...]]) -> Obligation:
    if one.waits_for == CLOCK and one.key in theirs:
        # All that a deadline can do is to take from a person what the person was asked for.
        return replace(one, waits_for=theirs[one.key], person=True)
    waits = _waits(state, one.key)
    if one.person or one.loop or not waits or not waits <= theirs.keys() or _is_tried(state, one.key):
        return one
    names = tuple(dict.fromkeys(name for key in sorted(waits) for name in theirs[key]))
    return replace(one, waits_for=names, person=True)


def _waits(state: SpecState, component: str) -> set[str]:
    """Return the decisions and components that have to be there before anybody can go on with a component.

    A constraint is undecided as long as one of the decisions that it names is.
    """
    constraint = next((one for one in state.constraints if one.key == component), None)
    if constraint is not None:
        return set(constraint.undecided)
    task = next((one for one in state.tasks if one.component == component), None)
    if task is None:
        return set()
    keys_missing = {key for key in task.decisions if not keys.is_pattern(key) and not _accepted(state, key)}
    if keys_missing or component not in state.components:
        return keys_missing
    rests = closure(component, state.components)
    used = {pin.key for key in rests for pin in state.components[key].pins if pin.side is Side.USES}
    return {
        other.component
        for other in state.tasks
        if other.component not in state.components
        and any(keys.matches(pattern, key) for pattern in other.implements for key in used)
    }


def _is_tried(state: SpecState, component: str) -> bool:
    """Say whether somebody works on a component, or gave up on it, whatever it waits for."""
    found = [one for one in state.control.activations if one.target == component]
    return any(one.state in (ActivationState.DEAD, ActivationState.LEASED) for one in found)


def _open(one: Activation) -> bool:
    return one.state in (ActivationState.PENDING, ActivationState.LEASED)
