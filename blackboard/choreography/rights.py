"""The roles that the steps permit to do an act on a key now, and the phrases for what has to come first.

A step is done if the board says so: a decision has an accepted version, a component is current, the newest verdict of a
check is a pass. Only counters, rounds and deadlines are stored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from blackboard.choreography.events import Act, BoardState
from blackboard.choreography.places import Checker, Place, Places, Unit, writers
from blackboard.choreography.templates import covers
from blackboard.choreography.values import (
    ANY_CHECK,
    OPERATOR,
    Agree,
    Checks,
    Current,
    Decides,
    Loop,
    Otherwise,
    Passed,
    Within,
    Writes,
)
from blackboard.spec import keys
from blackboard.spec.canonical import JSON
from blackboard.spec.triggers import OF_THE_LIBRARY


@dataclass(frozen=True, slots=True)
class Rights:
    """The permission of the steps for one act on one key now.

    Attributes:
        allowed: The permitted roles, each with the path of the step that permits it.
        others: Whether a `may` counts too. `may` grants an act to more roles; it does not change when it is allowed.
        waits: Phrases for what has to come first.
    """

    allowed: tuple[tuple[str, str], ...] = ()
    others: bool = True
    waits: tuple[str, ...] = ()


def rights(index: Places, requires: tuple[str, ...], board: BoardState, act: Act) -> Rights:
    """Return the permission of the steps for an act now."""
    if act.verb == "write":
        return _joined((_write(requires, board, place) for place in index.building(act.key)), others=False)
    if act.verb == "check":
        checkers = index.checking(act.key, act.check)
        return _joined((_check(board, place, checker) for place, checker in checkers), others=True)
    place = index.settling(act.key)
    step = None if place is None else place.unit.step
    if act.verb == "ask" and place is not None:
        return _ask(board, place)
    if isinstance(step, Agree) and place is not None and act.verb in ("propose", "vote", "withdraw"):
        return _propose(board, place, step) if act.verb == "propose" else _on_live(board, place, step, act.verb)
    if act.verb in ("decide", "propose"):
        # A proposal that needs no vote is a decision.
        return _decide(index, board, act.key, place)
    return Rights()


def done(board: BoardState, place: Place) -> bool:
    """Say whether a step is done, so that the next one is enabled."""
    match place.unit.step:
        case Loop() as step:
            return holds(board, place, step)
        case Writes():
            return board.current(place.key)
        case Checks(check=check):
            return board.passed(check, place.key)
    return board.has_accepted(place.key)


def holds(board: BoardState, place: Place, step: Loop) -> bool:
    """Say whether a loop's condition holds."""
    if not board.current(place.key):
        return False
    broken = failed(board.position(place.key, place.unit.path))
    if isinstance(step.until, Passed):
        return OF_THE_LIBRARY.isdisjoint(broken) and board.passed(step.until.check, place.key)
    return not broken


def earlier(board: BoardState, place: Place, *, known: Unit | None = None) -> tuple[str, ...]:
    """Return phrases for what has to be done before a step is enabled; `known` counts as done."""
    before = (place.sibling(unit) for unit in place.unit.before if unit is not known)
    return tuple(_done_phrase(other) for other in before if not done(board, other))


def settlers(board: BoardState, key: str, otherwise: Otherwise | None, path: str) -> tuple[tuple[str, str], ...]:
    """Return the roles that a fallback in force permits to decide the key, with the paths of their steps."""
    if isinstance(otherwise, Within):
        if state(board.position(key, path)) == "late":
            return settlers(board, key, otherwise.otherwise, f"{path}.1")
        return ((otherwise.step.role.name, f"{path}.0"),)
    return ((otherwise.role.name, path),) if isinstance(otherwise, Decides) else ()


def state(position: Mapping[str, JSON] | None) -> str | None:
    """Return the state of a position, None if there is none."""
    return str(position["state"]) if position else None


def number(position: Mapping[str, JSON] | None, member: str) -> int:
    """Return a counter of a position, 0 if there is none."""
    value = position.get(member, 0) if position else 0
    return value if isinstance(value, int) else 0


def failed(position: Mapping[str, JSON] | None) -> tuple[str, ...]:
    """Return the checks that failed on the component's newest version, from the position of its loop."""
    names = position.get("failed", ()) if position else ()
    return tuple(str(name) for name in names) if isinstance(names, list | tuple) else ()


def _joined(found: Iterable[Rights], *, others: bool) -> Rights:
    """Return the union of the permissions of several steps on one key; without a step only a `may` counts."""
    several = tuple(found)
    allowed = tuple(right for one in several for right in one.allowed)
    waits = () if allowed or not several else several[0].waits
    return Rights(allowed, others=others or not several, waits=waits)


def _write(requires: tuple[str, ...], board: BoardState, place: Place) -> Rights:
    path, step = writers(place.unit)[0]
    missing = (*_room(board, place), *earlier(board, place), *_unread(requires, board, place, step))
    waits = tuple(dict.fromkeys(missing))
    if not waits and board.current(place.key):
        waits = _finished(board, place)
    return Rights(waits=waits) if waits else Rights(((step.role.name, path),))


def _finished(board: BoardState, place: Place) -> tuple[str, ...]:
    """Return the phrase for why a current component may not be written again: it is done, or its bound is reached."""
    step = place.unit.step
    if isinstance(step, Loop) and isinstance(step.until, Current) and holds(board, place, step):
        # Nothing requires another version and nothing forbids it; the bound on causal chains ends a loop.
        return ()
    if not isinstance(step, Loop) or holds(board, place, step):
        return (f"a premise of {place.key} to change (it is current)",)
    if number(board.position(place.key, place.unit.path), "count") < step.at_most:
        return ()
    return (f"a premise of {place.key} to change (it was written {step.at_most} times on the same ones)",)


def _unread(requires: tuple[str, ...], board: BoardState, place: Place, step: Writes) -> tuple[str, ...]:
    """Return phrases for the decisions in `reads` that are not accepted.

    A pattern waits for its first decision only if the choreography requires one under it; a decision that is accepted
    later makes the component stale. The pattern is not evaluated if another read is such a decision, because then every
    commit under it would be in the footprint.
    """
    reads = [place.about(template) for template in step.reads]
    plain = [read for read in reads if not keys.is_pattern(read)]
    missing = [f"{read} to be accepted" for read in plain if not board.has_accepted(read)]
    for pattern in reads:
        if keys.is_pattern(pattern) and any(covers(pattern, required) for required in requires):
            known = any(keys.matches(pattern, read) for read in plain)
            if not known and not board.any_accepted(pattern):
                missing.append(f"a decision under {pattern}")
    return tuple(missing)


def _check(board: BoardState, place: Place, checker: Checker) -> Rights:
    """A verdict waits for a version of the component; on a stale version it has no effect."""
    waits: list[str] = []
    if board.state(place.key) is None:
        waits.append(f"{place.key} to be written")
    for unit in place.unit.before:
        other = place.sibling(unit)
        if not (isinstance(unit.step, Writes) and other.key == place.key) and not done(board, other):
            waits.append(_done_phrase(other))
    inside = place.unit.step.steps if isinstance(place.unit.step, Loop) else ()
    for step in inside:
        if step is checker.step:
            break
        if isinstance(step, Checks) and step.check != ANY_CHECK and not board.passed(step.check, place.key):
            waits.append(f"{step.check} to pass on {place.key}")
    return Rights(() if waits else ((checker.step.role.name, checker.path),), waits=tuple(waits))


def _ask(board: BoardState, place: Place) -> Rights:
    waits = _room(board, place)
    if not waits and board.has_accepted(place.key) and not _amendable(board, place):
        waits = (_ruling(place.key),)
    return Rights(others=not waits, waits=waits)


def _propose(board: BoardState, place: Place, step: Agree) -> Rights:
    waits = (*_room(board, place), *earlier(board, place))
    position = state(board.position(place.key, place.unit.path))
    if board.state(place.key) == "contested" or position in ("contested", "stopped"):
        roles = settlers(board, place.key, step.otherwise, f"{place.unit.path}.1") or ((OPERATOR, ""),)
        waits = tuple(f"the {role} to decide {place.key}" for role, _ in roles)
    elif not waits and board.has_accepted(place.key) and not _amendable(board, place):
        waits = (_ruling(place.key),)
    if waits:
        return Rights(others=False, waits=waits)
    return Rights(((step.proposes.role.name, f"{place.unit.path}.0"),))


def _on_live(board: BoardState, place: Place, step: Agree, verb: str) -> Rights:
    if not board.live(place.key):
        return Rights(waits=(f"a proposal of {place.key}",))
    if verb == "withdraw":
        return Rights(((step.proposes.role.name, f"{place.unit.path}.0"),))
    return Rights(((step.by.of.name, place.unit.path),))


def _decide(index: Places, board: BoardState, key: str, place: Place | None) -> Rights:
    given = tuple(
        right
        for loop, giver in index.giving(key)
        if state(board.position(loop.key, giver.unit.path)) == "stopped"
        for right in settlers(board, key, giver.otherwise, giver.path)
    )
    own = Rights() if place is None else _decide_here(board, place)
    return Rights((*own.allowed, *given), own.others, () if given else own.waits)


def _decide_here(board: BoardState, place: Place) -> Rights:
    unit, key = place.unit, place.key
    step = unit.step
    contested = board.state(key) == "contested"
    if isinstance(step, Agree) and not contested:
        return Rights(others=False, waits=(f"votes on a proposal of {key}",))
    if contested or (isinstance(step, Within) and state(board.position(key, unit.path)) == "late"):
        otherwise = step.otherwise if isinstance(step, Agree | Within) else None
        allowed = settlers(board, key, otherwise, f"{unit.path}.1")
        return Rights(allowed, others=False, waits=() if allowed else (_ruling(key),))
    waits = (*_room(board, place), *earlier(board, place))
    decides, path = (step.step, f"{unit.path}.0") if isinstance(step, Within) else (step, unit.path)
    allowed = ((decides.role.name, path),) if isinstance(decides, Decides) and not waits else ()
    return Rights(allowed, others=False, waits=waits)


def _amendable(board: BoardState, place: Place) -> bool:
    """Say whether a vote may amend an accepted key: an amendment is open, or one more may be opened."""
    step = place.unit.step
    position = board.position(place.key, place.unit.path)
    return isinstance(step, Agree) and (state(position) == "open" or number(position, "amendments") < step.amendments)


def _room(board: BoardState, place: Place) -> tuple[str, ...]:
    """Return phrases for what a new instance of an `each` waits for; the bound counts all keys under the template."""
    each = place.unit.each
    if each is None:
        return ()
    instance = place.about(each.template)
    if board.state(instance) is not None or board.asked(instance):
        return ()
    if instance != place.key:
        return () if place.unit.before else (f"{instance} to be asked or decided",)
    if board.room(each.template, each.at_most):
        return ()
    pattern = keys.fill(each.template, dict.fromkeys(keys.variables(each.template), "*"))
    return (f"the operator ({each.at_most} keys under {pattern} are the most)",)


def _ruling(key: str) -> str:
    return f"the operator to ask about {key} or to decide it"


def _done_phrase(place: Place) -> str:
    match place.unit.step:
        case Writes():
            return f"{place.key} to be current"
        case Checks(check=check) | Loop(until=Passed(check=check)):
            return f"{check} to pass on {place.key}"
        case Loop():
            return f"{place.key} to be current without a failed check"
    return f"{place.key} to be accepted"
