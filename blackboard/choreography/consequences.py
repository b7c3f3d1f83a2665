"""What follows from what happened: positions, deadlines, rounds, and what is handed over when a bound is reached."""

from collections.abc import Iterable, Iterator, Mapping

from blackboard.choreography.events import (
    Accepted,
    Arm,
    Consequence,
    Contest,
    Disarm,
    Due,
    Event,
    Judged,
    Lost,
    Opened,
    RejectLive,
    Reopen,
    Retracted,
    SetPosition,
    Standing,
    Stop,
    Written,
)
from blackboard.choreography.places import Place, Places, Unit, handed_to
from blackboard.choreography.rights import done, earlier, failed, number, state
from blackboard.choreography.values import ANY_CHECK, Agree, Checks, Loop, Otherwise, Passed, Within
from blackboard.choreography.values import Stop as StopStep
from blackboard.spec import keys
from blackboard.spec.canonical import JSON
from blackboard.spec.triggers import OF_THE_LIBRARY


def consequences(index: Places, standing: Standing, event: Event) -> tuple[Consequence, ...]:
    """Return what follows from an event, in the order in which it is to be done."""
    match event:
        case Opened(key):
            place = index.settling(key)
            found = (*(_open(standing, place) if place else ()), *_started(index, standing, key))
        case Accepted(key):
            found = tuple(_accepted(index, standing, key))
        case Lost(key):
            found = tuple(_lost(standing, index.settling(key), amendment=event.amendment))
        case Retracted(key):
            found = tuple(_closed(index, standing, key, "the key was retracted"))
        case Written():
            found = tuple(_written(index, standing, event))
        case Judged():
            found = tuple(_judged(index, standing, event))
        case Due():
            found = tuple(_due(index, standing, event))
    return found


def _open(standing: Standing, place: Place, *, known: Unit | None = None) -> tuple[Consequence, ...]:
    """Open a decision's step if it is enabled and neither open nor given up; on an accepted key it is an amendment."""
    unit, key = place.unit, place.key
    position = standing.position(key, unit.path)
    if state(position) not in (None, "settled", "done") or standing.state(key) == "contested":
        return ()
    if earlier(standing, place, known=known):
        return ()
    if isinstance(unit.step, Agree):
        amendments = number(position, "amendments") + standing.has_accepted(key)
        return (
            SetPosition(key, unit.path, {"round": 1, "amendments": amendments, "state": "open"}),
            *_arm(key, unit.path, 1, unit.step.within_seconds),
        )
    if isinstance(unit.step, Within):
        return _open_within(key, unit.path, unit.step)
    return ()


def _open_within(key: str, path: str, step: Within) -> tuple[Consequence, ...]:
    return (SetPosition(key, path, {"state": "open"}), Arm(key, path, 1, step.seconds))


def _next(standing: Standing, ordered: Iterable[Place], *, known: Unit | None = None) -> tuple[Consequence, ...]:
    """Open the first step that is not done, if it is one that is opened."""
    for place in ordered:
        if not done(standing, place):
            return _open(standing, place, known=known)
    return ()


def _after(index: Places, standing: Standing, place: Place) -> tuple[Consequence, ...]:
    """Open what comes after a step that is done."""
    following = (place.beside(unit) for unit in index.followers[place.unit.path])
    return _next(standing, following, known=place.unit)


def _started(index: Places, standing: Standing, key: str) -> Iterator[Consequence]:
    """Open the first steps of the instances that a key brings into being, where they are about another key."""
    for place in index.starting(key):
        yield from _next(standing, (place, *(place.beside(unit) for unit in index.followers[place.unit.path])))


def _accepted(index: Places, standing: Standing, key: str) -> Iterator[Consequence]:
    amended = index.merges(key) and bool(standing.live(key))
    yield from _closed(index, standing, key, "" if amended else "another version was accepted")
    for loop, giver in index.giving(key):
        if state(standing.position(loop.key, giver.unit.path)) == "stopped":
            yield SetPosition(loop.key, giver.unit.path, {"count": 0, "state": "open"})
            yield from _close_otherwise(standing, key, giver.otherwise, giver.path)
    place = index.settling(key)
    if place is not None and amended:
        yield from _goes_on(standing, place)
    if place is not None:
        yield from _after(index, standing, place)
    yield from _started(index, standing, key)


def _goes_on(standing: Standing, place: Place) -> Iterator[Consequence]:
    """Put what touches other facets than the accepted version to the vote as an amendment of it."""
    unit, key = place.unit, place.key
    if isinstance(unit.step, Agree):
        amendments = number(standing.position(key, unit.path), "amendments") + 1
        yield SetPosition(key, unit.path, {"round": 1, "amendments": amendments, "state": "open"})
        yield from _arm(key, unit.path, 1, unit.step.within_seconds)


def _closed(index: Places, standing: Standing, key: str, reason: str) -> Iterator[Consequence]:
    """End whatever waits for the key: its step, its deadlines, and for a reason its other proposals."""
    place = index.settling(key)
    if place is not None:
        path, step = place.unit.path, place.unit.step
        position = standing.position(key, path)
        if isinstance(step, Agree):
            if position is not None and state(position) != "settled":
                yield SetPosition(key, path, {**position, "state": "settled"})
                yield from _disarm(position, key, path, step.within_seconds)
            yield from _close_otherwise(standing, key, step.otherwise, f"{path}.1")
        elif isinstance(step, Within):
            yield from _close_otherwise(standing, key, step, path)
    if reason and standing.live(key):
        yield RejectLive(key, reason)


def _close_otherwise(standing: Standing, key: str, otherwise: Otherwise | None, path: str) -> Iterator[Consequence]:
    """End a `within` and those that follow it."""
    while isinstance(otherwise, Within):
        position = standing.position(key, path)
        if position is not None and state(position) != "done":
            yield SetPosition(key, path, {"state": "done"})
            yield from _disarm(position, key, path, otherwise.seconds)
        otherwise, path = otherwise.otherwise, f"{path}.1"


def _lost(standing: Standing, place: Place | None, *, amendment: bool) -> Iterator[Consequence]:
    if place is None or not isinstance(place.unit.step, Agree):
        return
    step = place.unit.step
    position = standing.position(place.key, place.unit.path)
    if position is not None and state(position) == "open":
        rounds = number(position, "round")
        reason = f"no agreement in {rounds} of {step.rounds} rounds"
        yield from _unsettled(standing, place, step, position, reason=reason, amendment=amendment)


def _unsettled(
    standing: Standing, place: Place, step: Agree, position: Mapping[str, JSON], *, reason: str, amendment: bool
) -> Iterator[Consequence]:
    """End a round without a decision: the accepted version stays, or the next round begins, or it is handed over."""
    key, path = place.key, place.unit.path
    following = number(position, "round") + 1
    contested = standing.state(key) == "contested"
    again = following <= step.rounds and not (contested or amendment)
    if again:
        after: Mapping[str, JSON] = {**position, "round": following}
    elif amendment and not contested:
        after = {**position, "state": "settled"}
    else:
        after = {**position, "state": "stopped" if isinstance(step.otherwise, StopStep) else "contested"}
    yield SetPosition(key, path, after)
    yield from _disarm(position, key, path, step.within_seconds)
    if amendment or standing.live(key):
        yield RejectLive(key, reason)
    if again:
        yield Reopen(key, following)
        yield from _arm(key, path, following, step.within_seconds)
    elif not (amendment or contested):
        yield from _hand_over(key, step.otherwise, f"{path}.1", reason)


def _due(index: Places, standing: Standing, event: Due) -> Iterator[Consequence]:
    position = standing.position(event.key, event.path)
    if position is None or state(position) != "open":
        return
    if (unit := index.agreements.get(event.path)) is not None and isinstance(unit.step, Agree):
        if number(position, "round") == event.round:
            place = Place(unit, event.key, keys.bind(unit.key, event.key) or {})
            reason = f"round {event.round} of {unit.step.rounds} was late after {unit.step.within_seconds:g} s"
            amendment = standing.has_accepted(event.key)
            yield from _unsettled(standing, place, unit.step, position, reason=reason, amendment=amendment)
    elif (step := index.deadlines.get(event.path)) is not None:
        yield Disarm(event.key, event.path)
        if standing.state(event.key) != "contested" and standing.has_accepted(event.key):
            # Somebody asked for another version and none came: what stands goes on standing.
            yield SetPosition(event.key, event.path, {"state": "done"})
            yield RejectLive(event.key, "the accepted version stands")
        else:
            yield SetPosition(event.key, event.path, {"state": "late"})
            reason = f"not decided within {step.seconds:g} s"
            yield from _hand_over(event.key, step.otherwise, f"{event.path}.1", reason)


def _written(index: Places, standing: Standing, event: Written) -> Iterator[Consequence]:
    for place in index.building(event.component):
        step = place.unit.step
        if isinstance(step, Loop):
            position = standing.position(place.key, place.unit.path)
            # Attempts are what a bound counts: a version after one that failed or, where the condition is a pass, that
            # did not pass, on the same premises.
            again = event.same_premises and (isinstance(step.until, Passed) or bool(failed(position)))
            count = number(position, "count") + 1 if again else 1
            # A new version is current and has no verdict yet.
            finished = not isinstance(step.until, Passed)
            yield SetPosition(place.key, place.unit.path, {"count": count, "state": "done" if finished else "open"})
            if not finished:
                continue
        yield from _after(index, standing, place)


def _judged(index: Places, standing: Standing, event: Judged) -> Iterator[Consequence]:
    if not standing.current(event.component):
        return
    for place in index.building(event.component):
        if isinstance(place.unit.step, Loop) and _watches(place.unit.step, event.check):
            yield from _judged_in_loop(index, standing, place, place.unit.step, event)
    if event.passed:
        for place, checker in index.checking(event.component, event.check):
            if place.unit.step is checker.step:
                yield from _after(index, standing, place)


def _watches(step: Loop, check: str) -> bool:
    """Say whether a loop is repeated when this check fails."""
    if not isinstance(step.until, Passed) or check in (step.until.check, *OF_THE_LIBRARY):
        return True
    return any(isinstance(inner, Checks) and inner.check in (check, ANY_CHECK) for inner in step.steps)


def _judged_in_loop(
    index: Places, standing: Standing, place: Place, step: Loop, event: Judged
) -> Iterator[Consequence]:
    key, path = place.key, place.unit.path
    position: Mapping[str, JSON] = standing.position(key, path) or {"count": 1, "state": "open"}
    broken = {*failed(position)} - {event.check} if event.passed else {*failed(position), event.check}
    before = state(position)
    if not event.passed:
        after = "stopped" if number(position, "count") >= step.at_most else "open"
    elif not isinstance(step.until, Passed):
        after = "open" if broken else "done"
    elif OF_THE_LIBRARY.isdisjoint(broken) and (
        step.until.check == event.check or standing.passed(step.until.check, key)
    ):
        after = "done"
    else:
        after = before or "open"
    changed: dict[str, JSON] = {"count": number(position, "count"), "state": after}
    if broken:
        changed["failed"] = sorted(broken)
    if changed != position:
        yield SetPosition(key, path, changed)
    if after == "stopped" != before:
        reason = f"{event.check} failed on {key} after {step.at_most} versions on the same premises"
        handed = handed_to(step.otherwise)
        yield from _hand_over(
            key if handed is None else place.about(handed), step.otherwise, f"{path}.{len(step.steps)}", reason
        )
    elif after == "done" != before:
        yield from _after(index, standing, place)


def _hand_over(key: str, otherwise: Otherwise | None, path: str, reason: str) -> Iterator[Consequence]:
    """Do what an `otherwise` says; without one the operator settles the key."""
    if isinstance(otherwise, StopStep):
        yield Stop(key, f"{otherwise.reason}: {reason}")
        return
    yield Contest(key, reason)
    if isinstance(otherwise, Within):
        yield from _open_within(key, path, otherwise)


def _arm(key: str, path: str, rounds: int, seconds: float | None) -> Iterator[Consequence]:
    if seconds is not None:
        yield Arm(key, path, rounds, seconds)


def _disarm(position: Mapping[str, JSON], key: str, path: str, seconds: float | None) -> Iterator[Consequence]:
    if seconds is not None and state(position) == "open":
        yield Disarm(key, path)
