"""Who may do what to a key now, as far as the steps say, and what has to come first.

What can be derived is asked from the board: a decision is done when it has an accepted version, a component when it is
current, a check when its newest verdict is a pass. Only counters, rounds and deadlines are stored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from blackboard.choreography.events import Act, Standing
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
    """What the steps say about one act on one key now.

    Attributes:
        allowed: The roles that may do it, each with the path of the step that says so.
        others: Whether a `may` counts too. It widens who may do what a step allows now, and never when.
        waits: What has to come first, as phrases.
    """

    allowed: tuple[tuple[str, str], ...] = ()
    others: bool = True
    waits: tuple[str, ...] = ()


def rights(index: Places, requires: tuple[str, ...], standing: Standing, act: Act) -> Rights:
    """Return what the steps say about an act now."""
    if act.verb == "write":
        return _joined((_write(requires, standing, place) for place in index.building(act.key)), others=False)
    if act.verb == "check":
        checkers = index.checking(act.key, act.check)
        return _joined((_check(standing, place, checker) for place, checker in checkers), others=True)
    place = index.settling(act.key)
    step = None if place is None else place.unit.step
    if act.verb == "ask" and place is not None:
        return _ask(standing, place)
    if isinstance(step, Agree) and place is not None and act.verb in ("propose", "vote", "withdraw"):
        return _propose(standing, place, step) if act.verb == "propose" else _on_live(standing, place, step, act.verb)
    if act.verb in ("decide", "propose"):
        # A proposal that needs no vote is a decision: an owner is a quorum of one.
        return _decide(index, standing, act.key, place)
    return Rights()


def done(standing: Standing, place: Place) -> bool:
    """Say whether a step is done, so that the next one is enabled."""
    match place.unit.step:
        case Loop() as step:
            return holds(standing, place, step)
        case Writes():
            return standing.current(place.key)
        case Checks(check=check):
            return standing.passed(check, place.key)
    return standing.has_accepted(place.key)


def holds(standing: Standing, place: Place, step: Loop) -> bool:
    """Say whether a loop's condition holds."""
    if not standing.current(place.key):
        return False
    broken = failed(standing.position(place.key, place.unit.path))
    if isinstance(step.until, Passed):
        return OF_THE_LIBRARY.isdisjoint(broken) and standing.passed(step.until.check, place.key)
    return not broken


def earlier(standing: Standing, place: Place, *, known: Unit | None = None) -> tuple[str, ...]:
    """Return what has to be done before a step is enabled, as phrases; `known` is done, whatever the board shows."""
    before = (place.beside(unit) for unit in place.unit.before if unit is not known)
    return tuple(_done_phrase(other) for other in before if not done(standing, other))


def settlers(standing: Standing, key: str, otherwise: Otherwise | None, path: str) -> tuple[tuple[str, str], ...]:
    """Return the roles that an `otherwise` which was reached lets decide the key, with the paths of their steps."""
    if isinstance(otherwise, Within):
        if state(standing.position(key, path)) == "late":
            return settlers(standing, key, otherwise.otherwise, f"{path}.1")
        return ((otherwise.step.role.name, f"{path}.0"),)
    return ((otherwise.role.name, path),) if isinstance(otherwise, Decides) else ()


def state(position: Mapping[str, JSON] | None) -> str | None:
    """Return the state of a position, None where the step has none."""
    return str(position["state"]) if position else None


def number(position: Mapping[str, JSON] | None, member: str) -> int:
    """Return a counter of a position, 0 where there is none."""
    value = position.get(member, 0) if position else 0
    return value if isinstance(value, int) else 0


def failed(position: Mapping[str, JSON] | None) -> tuple[str, ...]:
    """Return the checks that failed on the component's newest version, from the position of its loop."""
    names = position.get("failed", ()) if position else ()
    return tuple(str(name) for name in names) if isinstance(names, list | tuple) else ()


def _joined(found: Iterable[Rights], *, others: bool) -> Rights:
    """Return what several steps that are about one key say together; nothing said leaves it to a `may`."""
    several = tuple(found)
    allowed = tuple(right for one in several for right in one.allowed)
    waits = () if allowed or not several else several[0].waits
    return Rights(allowed, others=others or not several, waits=waits)


def _write(requires: tuple[str, ...], standing: Standing, place: Place) -> Rights:
    path, step = writers(place.unit)[0]
    missing = (*_room(standing, place), *earlier(standing, place), *_unread(requires, standing, place, step))
    waits = tuple(dict.fromkeys(missing))
    if not waits and standing.current(place.key):
        waits = _finished(standing, place)
    return Rights(waits=waits) if waits else Rights(((step.role.name, path),))


def _finished(standing: Standing, place: Place) -> tuple[str, ...]:
    """Return why a current component is not to be written again: nothing asks for it, or it was tried often enough."""
    step = place.unit.step
    if isinstance(step, Loop) and isinstance(step.until, Current) and holds(standing, place, step):
        # Nothing asks for it, nothing forbids it: what goes round in circles is stopped as a loop of causes.
        return ()
    if not isinstance(step, Loop) or holds(standing, place, step):
        return (f"a premise of {place.key} to change (it is current)",)
    if number(standing.position(place.key, place.unit.path), "count") < step.at_most:
        return ()
    return (f"a premise of {place.key} to change (it was written {step.at_most} times on the same ones)",)


def _unread(requires: tuple[str, ...], standing: Standing, place: Place, step: Writes) -> tuple[str, ...]:
    """Return the decisions that are read and not there yet.

    A pattern waits for its first decision where the choreography requires one under it, so that one will come; else
    for nothing: what appears under it later makes the component stale. Nor is it looked at where another read is that
    first decision: a pattern that is looked at makes every commit under it matter to this one.
    """
    reads = [place.about(template) for template in step.reads]
    plain = [read for read in reads if not keys.is_pattern(read)]
    missing = [f"{read} to be accepted" for read in plain if not standing.has_accepted(read)]
    for pattern in reads:
        if keys.is_pattern(pattern) and any(covers(pattern, required) for required in requires):
            known = any(keys.matches(pattern, read) for read in plain)
            if not known and not standing.any_accepted(pattern):
                missing.append(f"a decision under {pattern}")
    return tuple(missing)


def _check(standing: Standing, place: Place, checker: Checker) -> Rights:
    """A verdict waits for a version of the component; on one that went stale meanwhile it counts for nothing."""
    waits: list[str] = []
    if standing.state(place.key) is None:
        waits.append(f"{place.key} to be written")
    for unit in place.unit.before:
        other = place.beside(unit)
        if not (isinstance(unit.step, Writes) and other.key == place.key) and not done(standing, other):
            waits.append(_done_phrase(other))
    inside = place.unit.step.steps if isinstance(place.unit.step, Loop) else ()
    for step in inside:
        if step is checker.step:
            break
        if isinstance(step, Checks) and step.check != ANY_CHECK and not standing.passed(step.check, place.key):
            waits.append(f"{step.check} to pass on {place.key}")
    return Rights(() if waits else ((checker.step.role.name, checker.path),), waits=tuple(waits))


def _ask(standing: Standing, place: Place) -> Rights:
    waits = _room(standing, place)
    if not waits and standing.has_accepted(place.key) and not _amendable(standing, place):
        waits = (_ruling(place.key),)
    return Rights(others=not waits, waits=waits)


def _propose(standing: Standing, place: Place, step: Agree) -> Rights:
    waits = (*_room(standing, place), *earlier(standing, place))
    position = state(standing.position(place.key, place.unit.path))
    if standing.state(place.key) == "contested" or position in ("contested", "stopped"):
        roles = settlers(standing, place.key, step.otherwise, f"{place.unit.path}.1") or ((OPERATOR, ""),)
        waits = tuple(f"the {role} to decide {place.key}" for role, _ in roles)
    elif not waits and standing.has_accepted(place.key) and not _amendable(standing, place):
        waits = (_ruling(place.key),)
    if waits:
        return Rights(others=False, waits=waits)
    return Rights(((step.proposes.role.name, f"{place.unit.path}.0"),))


def _on_live(standing: Standing, place: Place, step: Agree, verb: str) -> Rights:
    if not standing.live(place.key):
        return Rights(waits=(f"a proposal of {place.key}",))
    if verb == "withdraw":
        return Rights(((step.proposes.role.name, f"{place.unit.path}.0"),))
    return Rights(((step.by.of.name, place.unit.path),))


def _decide(index: Places, standing: Standing, key: str, place: Place | None) -> Rights:
    given = tuple(
        right
        for loop, giver in index.giving(key)
        if state(standing.position(loop.key, giver.unit.path)) == "stopped"
        for right in settlers(standing, key, giver.otherwise, giver.path)
    )
    own = Rights() if place is None else _decide_here(standing, place)
    return Rights((*own.allowed, *given), own.others, () if given else own.waits)


def _decide_here(standing: Standing, place: Place) -> Rights:
    unit, key = place.unit, place.key
    step = unit.step
    contested = standing.state(key) == "contested"
    if isinstance(step, Agree) and not contested:
        return Rights(others=False, waits=(f"votes on a proposal of {key}",))
    if contested or (isinstance(step, Within) and state(standing.position(key, unit.path)) == "late"):
        otherwise = step.otherwise if isinstance(step, Agree | Within) else None
        allowed = settlers(standing, key, otherwise, f"{unit.path}.1")
        return Rights(allowed, others=False, waits=() if allowed else (_ruling(key),))
    waits = (*_room(standing, place), *earlier(standing, place))
    decides, path = (step.step, f"{unit.path}.0") if isinstance(step, Within) else (step, unit.path)
    allowed = ((decides.role.name, path),) if isinstance(decides, Decides) and not waits else ()
    return Rights(allowed, others=False, waits=waits)


def _amendable(standing: Standing, place: Place) -> bool:
    """Say whether an accepted key may be put to the vote: an amendment is open, or one more may be opened."""
    step = place.unit.step
    position = standing.position(place.key, place.unit.path)
    return isinstance(step, Agree) and (state(position) == "open" or number(position, "amendments") < step.amendments)


def _room(standing: Standing, place: Place) -> tuple[str, ...]:
    """Return what a new instance of an `each` waits for: its bound is counted over all keys under the template."""
    each = place.unit.each
    if each is None:
        return ()
    instance = place.about(each.template)
    if standing.state(instance) is not None or standing.asked(instance):
        return ()
    if instance != place.key:
        return () if place.unit.before else (f"{instance} to be asked or decided",)
    if standing.room(each.template, each.at_most):
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
