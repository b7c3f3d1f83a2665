"""The consequences of events: positions, deadlines, rounds, and fallbacks when a bound is reached."""

from collections.abc import Iterable, Iterator, Mapping

from blackboard.choreography.events import (
    Accepted,
    Arm,
    BoardState,
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


def consequences(index: Places, board: BoardState, event: Event) -> tuple[Consequence, ...]:
    """Return the consequences of an event, in the order in which they have to be applied."""
    match event:
        case Opened(key):
            place = index.settling(key)
            found = (*(_open(board, place) if place else ()), *_started(index, board, key))
        case Accepted(key):
            found = tuple(_accepted(index, board, key))
        case Lost(key):
            found = tuple(_lost(board, index.settling(key), amendment=event.amendment))
        case Retracted(key):
            found = tuple(_closed(index, board, key, "the key was retracted"))
        case Written():
            found = tuple(_written(index, board, event))
        case Judged():
            found = tuple(_judged(index, board, event))
        case Due():
            found = tuple(_due(index, board, event))
    return found


def _open(board: BoardState, place: Place, *, known: Unit | None = None) -> tuple[Consequence, ...]:
    """Open a decision's step if it is enabled, not open and not contested; on an accepted key this is an amendment."""
    unit, key = place.unit, place.key
    position = board.position(key, unit.path)
    if state(position) not in (None, "settled", "done") or board.state(key) == "contested":
        return ()
    if earlier(board, place, known=known):
        return ()
    if isinstance(unit.step, Agree):
        amendments = number(position, "amendments") + board.has_accepted(key)
        return (
            SetPosition(key, unit.path, {"round": 1, "amendments": amendments, "state": "open"}),
            *_arm(key, unit.path, 1, unit.step.within_seconds),
        )
    if isinstance(unit.step, Within):
        return _open_within(key, unit.path, unit.step)
    return ()


def _open_within(key: str, path: str, step: Within) -> tuple[Consequence, ...]:
    return (SetPosition(key, path, {"state": "open"}), Arm(key, path, 1, step.seconds))


def _next(board: BoardState, ordered: Iterable[Place], *, known: Unit | None = None) -> tuple[Consequence, ...]:
    """Open the first step that is not done, if it settles a decision."""
    for place in ordered:
        if not done(board, place):
            return _open(board, place, known=known)
    return ()


def _after(index: Places, board: BoardState, place: Place) -> tuple[Consequence, ...]:
    """Open the step after a done one."""
    following = (place.sibling(unit) for unit in index.followers[place.unit.path])
    return _next(board, following, known=place.unit)


def _started(index: Places, board: BoardState, key: str) -> Iterator[Consequence]:
    """Open the first steps of the instances that a key creates, if these steps are about another key."""
    for place in index.starting(key):
        yield from _next(board, (place, *(place.sibling(unit) for unit in index.followers[place.unit.path])))


def _accepted(index: Places, board: BoardState, key: str) -> Iterator[Consequence]:
    amended = index.merges(key) and bool(board.live(key))
    yield from _closed(index, board, key, "" if amended else "another version was accepted")
    for loop, giver in index.giving(key):
        if state(board.position(loop.key, giver.unit.path)) == "stopped":
            yield SetPosition(loop.key, giver.unit.path, {"count": 0, "state": "open"})
            yield from _close_otherwise(board, key, giver.otherwise, giver.path)
    place = index.settling(key)
    if place is not None and amended:
        yield from _goes_on(board, place)
    if place is not None:
        yield from _after(index, board, place)
    yield from _started(index, board, key)


def _goes_on(board: BoardState, place: Place) -> Iterator[Consequence]:
    """Keep live proposals that change other facets than the accepted version, as amendments of it."""
    unit, key = place.unit, place.key
    if isinstance(unit.step, Agree):
        amendments = number(board.position(key, unit.path), "amendments") + 1
        yield SetPosition(key, unit.path, {"round": 1, "amendments": amendments, "state": "open"})
        yield from _arm(key, unit.path, 1, unit.step.within_seconds)


def _closed(index: Places, board: BoardState, key: str, reason: str) -> Iterator[Consequence]:
    """End the key's step and deadlines, and if there is a reason reject its other proposals."""
    place = index.settling(key)
    if place is not None:
        path, step = place.unit.path, place.unit.step
        position = board.position(key, path)
        if isinstance(step, Agree):
            if position is not None and state(position) != "settled":
                yield SetPosition(key, path, {**position, "state": "settled"})
                yield from _disarm(position, key, path, step.within_seconds)
            yield from _close_otherwise(board, key, step.otherwise, f"{path}.1")
        elif isinstance(step, Within):
            yield from _close_otherwise(board, key, step, path)
    if reason and board.live(key):
        yield RejectLive(key, reason)


def _close_otherwise(board: BoardState, key: str, otherwise: Otherwise | None, path: str) -> Iterator[Consequence]:
    """End a `within` and its nested fallbacks."""
    while isinstance(otherwise, Within):
        position = board.position(key, path)
        if position is not None and state(position) != "done":
            yield SetPosition(key, path, {"state": "done"})
            yield from _disarm(position, key, path, otherwise.seconds)
        otherwise, path = otherwise.otherwise, f"{path}.1"


def _lost(board: BoardState, place: Place | None, *, amendment: bool) -> Iterator[Consequence]:
    if place is None or not isinstance(place.unit.step, Agree):
        return
    step = place.unit.step
    position = board.position(place.key, place.unit.path)
    if position is not None and state(position) == "open":
        rounds = number(position, "round")
        reason = f"no agreement in {rounds} of {step.rounds} rounds"
        yield from _unsettled(board, place, step, position, reason=reason, amendment=amendment)


def _unsettled(
    board: BoardState, place: Place, step: Agree, position: Mapping[str, JSON], *, reason: str, amendment: bool
) -> Iterator[Consequence]:
    """End a round without a decision: keep the accepted version, begin the next round, or apply the fallback."""
    key, path = place.key, place.unit.path
    following = number(position, "round") + 1
    contested = board.state(key) == "contested"
    again = following <= step.rounds and not (contested or amendment)
    if again:
        after: Mapping[str, JSON] = {**position, "round": following}
    elif amendment and not contested:
        after = {**position, "state": "settled"}
    else:
        after = {**position, "state": "stopped" if isinstance(step.otherwise, StopStep) else "contested"}
    yield SetPosition(key, path, after)
    yield from _disarm(position, key, path, step.within_seconds)
    if amendment or board.live(key):
        yield RejectLive(key, reason)
    if again:
        yield Reopen(key, following)
        yield from _arm(key, path, following, step.within_seconds)
    elif not (amendment or contested):
        yield from _hand_over(key, step.otherwise, f"{path}.1", reason)


def _due(index: Places, board: BoardState, event: Due) -> Iterator[Consequence]:
    position = board.position(event.key, event.path)
    if position is None or state(position) != "open":
        return
    if (unit := index.agreements.get(event.path)) is not None and isinstance(unit.step, Agree):
        if number(position, "round") == event.round:
            place = Place(unit, event.key, keys.bind(unit.key, event.key) or {})
            reason = f"round {event.round} of {unit.step.rounds} was late after {unit.step.within_seconds:g} s"
            amendment = board.has_accepted(event.key)
            yield from _unsettled(board, place, unit.step, position, reason=reason, amendment=amendment)
    elif (step := index.deadlines.get(event.path)) is not None:
        yield Disarm(event.key, event.path)
        if board.state(event.key) != "contested" and board.has_accepted(event.key):
            # An amendment was asked for and nobody proposed one in time: the accepted version stays.
            yield SetPosition(event.key, event.path, {"state": "done"})
            yield RejectLive(event.key, "the accepted version stands")
        else:
            yield SetPosition(event.key, event.path, {"state": "late"})
            reason = f"not decided within {step.seconds:g} s"
            yield from _hand_over(event.key, step.otherwise, f"{event.path}.1", reason)


def _written(index: Places, board: BoardState, event: Written) -> Iterator[Consequence]:
    for place in index.building(event.component):
        step = place.unit.step
        if isinstance(step, Loop):
            position = board.position(place.key, place.unit.path)
            # The bound counts attempts: versions on the same premises, each after one that failed or, if the condition
            # is a pass, that did not pass.
            again = event.same_premises and (isinstance(step.until, Passed) or bool(failed(position)))
            count = number(position, "count") + 1 if again else 1
            # A new version is current and has no verdict.
            finished = not isinstance(step.until, Passed)
            yield SetPosition(place.key, place.unit.path, {"count": count, "state": "done" if finished else "open"})
            if not finished:
                continue
        yield from _after(index, board, place)


def _judged(index: Places, board: BoardState, event: Judged) -> Iterator[Consequence]:
    if not board.current(event.component):
        return
    for place in index.building(event.component):
        if isinstance(place.unit.step, Loop) and _watches(place.unit.step, event.check):
            yield from _judged_in_loop(index, board, place, place.unit.step, event)
    if event.passed:
        for place, checker in index.checking(event.component, event.check):
            if place.unit.step is checker.step:
                yield from _after(index, board, place)


def _watches(step: Loop, check: str) -> bool:
    """Say whether a loop is repeated when this check fails."""
    if not isinstance(step.until, Passed) or check in (step.until.check, *OF_THE_LIBRARY):
        return True
    return any(isinstance(inner, Checks) and inner.check in (check, ANY_CHECK) for inner in step.steps)


def _judged_in_loop(index: Places, board: BoardState, place: Place, step: Loop, event: Judged) -> Iterator[Consequence]:
    key, path = place.key, place.unit.path
    position: Mapping[str, JSON] = board.position(key, path) or {"count": 1, "state": "open"}
    broken = {*failed(position)} - {event.check} if event.passed else {*failed(position), event.check}
    before = state(position)
    if not event.passed:
        after = "stopped" if number(position, "count") >= step.at_most else "open"
    elif not isinstance(step.until, Passed):
        after = "open" if broken else "done"
    elif OF_THE_LIBRARY.isdisjoint(broken) and (step.until.check == event.check or board.passed(step.until.check, key)):
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
        yield from _after(index, board, place)


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
