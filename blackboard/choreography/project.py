"""A choreography as sentences, for errors and for people."""

from collections.abc import Mapping

from blackboard.choreography.steps import Choreography
from blackboard.choreography.values import (
    ANY_CHECK,
    Agree,
    Checks,
    Current,
    Decides,
    Each,
    Inner,
    Loop,
    May,
    Otherwise,
    Role,
    Stop,
    Within,
    Writes,
)
from blackboard.spec import keys


def sentences(choreography: Choreography) -> list[str]:
    """Return a sentence for each step and right of a choreography, then one for the required keys."""
    said: list[str] = []
    for step in choreography.steps:
        if isinstance(step, Each):
            said.extend(f"each {step.template}, at most {step.at_most}: {sentence(inner)}" for inner in step.steps)
        else:
            said.append(_right(step) if isinstance(step, May) else sentence(step))
    said.extend(f"two texts of {pattern} that touch different facets become one" for pattern in choreography.merge)
    if choreography.requires:
        said.append(f"required: {', '.join(choreography.requires)}")
    return said


def sentence(step: Inner, bindings: Mapping[str, str] | None = None) -> str:
    """Return the sentence of one step, with its variables replaced by their values."""
    return keys.fill(_sentence(step), bindings or {})


def _sentence(step: Inner) -> str:
    match step:
        case Agree():
            return f"{_proposal(step)}, {_votes(step)}; else {_otherwise(step.otherwise, step.proposes.key)}"
        case Within():
            return f"{_does(step.step)} within {step.seconds:g} s; else {_otherwise(step.otherwise, step.step.key)}"
        case Loop():
            acts = ", ".join(_does(inner) for inner in step.steps)
            until = f"until {_until(step)}, at most {step.at_most} times on the same premises"
            return f"{acts}, {until}; else {_otherwise(step.otherwise, step.until.of)}"
    return _does(step)


def _proposal(step: Agree) -> str:
    return f"{_act(step.proposes.role, 'propose')} {step.proposes.key}"


def _votes(step: Agree) -> str:
    members = step.by.of.members
    parts = [f"{_act(step.by.of, 'vote')}, {step.by.needed(members)} of {members}"]
    if step.within_seconds is not None:
        parts.append(f"within {step.within_seconds:g} s")
    parts.append(_number(step.rounds, "round"))
    if step.amendments:
        parts.append(_number(step.amendments, "amendment"))
    return ", ".join(parts)


def _does(step: Decides | Writes | Checks) -> str:
    if isinstance(step, Decides):
        return f"{_act(step.role, 'decide')} {step.key}"
    if isinstance(step, Writes):
        lease = "" if step.lease_seconds is None else f" under a lease of {step.lease_seconds:g} s"
        return f"{_act(step.role, 'write')} {step.key} from {', '.join(step.reads)}{lease}"
    what = "every check of" if step.check == ANY_CHECK else f"{step.check} on"
    return f"{_act(step.role, 'run')} {what} {step.key}"


def _until(step: Loop) -> str:
    if isinstance(step.until, Current):
        return f"{step.until.of} is current and no check has failed it"
    return f"{step.until.check} passed on {step.until.of}"


def _otherwise(otherwise: Otherwise | None, key: str) -> str:
    match otherwise:
        case None:
            return "the operator settles it"
        case Stop():
            return f"it stops: {otherwise.reason}"
        case Within():
            late = _otherwise(otherwise.otherwise, otherwise.step.key)
            return f"{_settles(otherwise.step, key)} within {otherwise.seconds:g} s; else {late}"
    return _settles(otherwise, key)


def _settles(step: Decides, key: str) -> str:
    said = _act(step.role, "decide")
    return said if step.key == key else f"{said} {step.key}"


def _right(step: May) -> str:
    return f"{_name(step.role)} may {step.act} {step.pattern}"


def _act(role: Role, verb: str) -> str:
    return f"{_name(role)} {verb}{'' if role.members > 1 else 's'}"


def _name(role: Role) -> str:
    return f"{role.name}s" if role.members > 1 else f"the {role.name}"


def _number(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
