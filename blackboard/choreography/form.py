"""The JSON form of a choreography's values, and the only check of their shape.

Reading builds values without a check; writing checks them. Every choreography is written when it is made, so values
from Python and values from a board pass the same check.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TypeVar, get_args

from blackboard.choreography.values import (
    ANY_CHECK,
    Agree,
    Checks,
    Condition,
    Current,
    Decides,
    Each,
    Inner,
    Loop,
    May,
    Otherwise,
    Passed,
    Proposes,
    Quorum,
    Role,
    Step,
    Stop,
    Within,
    Writes,
)
from blackboard.errors import InvalidTeam
from blackboard.spec import keys
from blackboard.spec.canonical import JSON, NotCanonical, check_text

T = TypeVar("T")

FACET = "facet"
"""The only mode of merging: facet by facet."""

MAX_SECONDS = 10**9
"""The longest deadline, about thirty years."""

_KINDS: Mapping[str, type] = {
    kind.__name__.lower(): kind
    for kind in (
        *(Each, Agree, Within, Loop, May, Proposes, Decides, Writes, Checks),
        *(Stop, Quorum, Passed, Current),
    )
}

_PLACES: Mapping[tuple[type, str], tuple[type, ...]] = {
    (Each, "steps"): get_args(Inner),
    (Loop, "steps"): (Writes, Checks),
    (Loop, "until"): get_args(Condition),
    (Within, "step"): (Decides,),
    (Agree, "proposes"): (Proposes,),
    (Agree, "by"): (Quorum,),
    (Within, "otherwise"): get_args(Otherwise),
    (Loop, "otherwise"): get_args(Otherwise),
    (Agree, "otherwise"): (*get_args(Otherwise), type(None)),
}
"""The types that are permitted in a member of a step."""

_REPAIRS: Mapping[type, str] = {
    Each: "put it at the top",
    May: "put it at the top",
    Agree: "put it at the top or in an each; its own within_seconds is its deadline",
    Loop: "put it at the top or in an each",
    Within: "put it at the top or in an each, or give it as an otherwise",
    Proposes: "wrap it: agree(role.proposes(key), by=quorum(…))",
    Writes: "put it at the top, in an each or in a loop; its lease_seconds is its deadline",
    Checks: "put it at the top, in an each or in a loop, in reliable hands instead of with a deadline",
}


def write(steps: Iterable[object]) -> list[JSON]:
    """Return the JSON forms of top-level steps.

    Raises:
        InvalidTeam: A step is where it has no meaning, or a value has the wrong type.
        InvalidKey: A key, pattern or name is not well formed.
    """
    return [_write(step, get_args(Step), f"step {index}") for index, step in enumerate(steps)]


def write_role(role: Role) -> dict[str, JSON]:
    """Return the JSON form of a role without its name."""
    return {field.name: getattr(role, field.name) for field in fields(role) if field.name != "name"}


def read(form: JSON, roles: Mapping[str, Role]) -> object:
    """Return the value of a JSON form, with the roles that it names; `write` checks its shape."""
    if not isinstance(form, Mapping):
        return tuple(read(item, roles) for item in form) if isinstance(form, list | tuple) else form
    kind = _KINDS.get(str(form.get("kind")))
    if kind is None:
        raise InvalidTeam(f"a step's kind is {form.get('kind')!r}", f"use one of {', '.join(_KINDS)}")
    names = _names(kind)
    values = members(form, ("kind", *names), f"{form['kind']}")[1:]
    return kind(
        **{
            name: _role(value, roles) if _is_role(kind, name) else read(value, roles)
            for name, value in zip(names, values, strict=True)
        }
    )


def read_role(name: str, form: JSON) -> Role:
    """Return the role of a JSON form."""
    where = f"role {name}"
    members_, crash, wrong, reliable = members(form, ("members", "crash", "wrong", "reliable"), where)
    return Role(
        name,
        members=_typed(members_, int, where),
        crash=_typed(crash, int, where),
        wrong=_typed(wrong, int, where),
        reliable=_typed(reliable, bool, where),
    )


def members(form: JSON, names: Sequence[str], where: str) -> tuple[JSON, ...]:
    """Return the values of exactly these members of an object.

    Raises:
        InvalidTeam: It is no object, a member is missing, or there is another one.
    """
    if not isinstance(form, Mapping):
        raise InvalidTeam(f"{where} is {form!r}", "write it as an object")
    if different := sorted(set(form) ^ set(names)):
        raise InvalidTeam(
            f"{where} lacks or should not have {', '.join(different)}", f"give exactly {', '.join(names)}"
        )
    return tuple(form[name] for name in names)


def texts(form: JSON, where: str) -> tuple[str, ...]:
    """Return the texts of a list.

    Raises:
        InvalidTeam: It is no list of texts.
    """
    if not isinstance(form, list | tuple):
        raise InvalidTeam(f"{where} is {form!r}", "write it as a list")
    return tuple(_typed(item, str, where) for item in form)


def merge(form: object) -> dict[str, str]:
    """Return the mode of merging by pattern: pattern -> `facet`, in the order of the patterns.

    Raises:
        InvalidTeam: It is no object, or a mode is not `facet`.
        InvalidKey: A pattern is not well formed.
    """
    if not isinstance(form, Mapping):
        raise InvalidTeam(f"a choreography's merge is {form!r}", "write it as an object: pattern -> 'facet'")
    for pattern, how in form.items():
        if how != FACET:
            raise InvalidTeam(f"a choreography merges {pattern} by {how!r}", f"let it be merged by {FACET!r}")
    return {keys.check_pattern(pattern): FACET for pattern in sorted(form)}


def _write(step: object, allowed: tuple[type, ...], where: str) -> JSON:
    if not isinstance(step, allowed):
        repair = _REPAIRS.get(type(step), f"give one of {', '.join(kind.__name__ for kind in allowed)}")
        raise InvalidTeam(f"{where}: {type(step).__name__} has no meaning here", repair)
    if step is None:
        return None
    kind = type(step)
    form: dict[str, JSON] = {"kind": kind.__name__.lower()}
    for name in _names(kind):
        form[name] = _write_member(kind, name, getattr(step, name), f"{where}, {name} of {form['kind']}")
    return form


def _write_member(kind: type, name: str, value: object, where: str) -> JSON:
    inside = _PLACES.get((kind, name))
    if inside is None:
        return _role_name(value, where) if _is_role(kind, name) else _SCALARS[name](value, where)
    if name == "steps":
        return [_write(item, inside, where) for item in _typed(value, tuple, where)]
    return _write(value, inside, where)


def _names(kind: type) -> tuple[str, ...]:
    return tuple(getattr(kind, "__dataclass_fields__"))  # noqa: B009 (a type's fields, which its type does not tell)


def _is_role(kind: type, name: str) -> bool:
    return name == "role" or (kind is Quorum and name == "of")


def _role_name(value: object, where: str) -> str:
    return _typed(value, Role, where).name


def _role(name: JSON, roles: Mapping[str, Role]) -> Role:
    if not isinstance(name, str) or name not in roles:
        raise InvalidTeam(f"a step names the role {name!r}", f"declare it, or name one of {', '.join(sorted(roles))}")
    return roles[name]


def _template(value: object, where: str) -> str:
    return keys.check_template(_typed(value, str, where))


def _pattern(value: object, where: str) -> str:
    return keys.check_pattern(_typed(value, str, where))


def _templates(value: object, where: str) -> list[JSON]:
    return [_template(item, where) for item in _typed(value, tuple, where)]


def _check(value: object, where: str) -> str:
    return ANY_CHECK if value == ANY_CHECK else keys.check_name(_typed(value, str, where))


def _text(value: object, where: str) -> str:
    try:
        return check_text(_typed(value, str, where))
    except NotCanonical as error:
        raise InvalidTeam(f"{where}: {error.why}", "use characters that can be stored") from None


def _whole(value: object, where: str) -> int:
    return _typed(value, int, where)


def _votes(value: object, where: str) -> int | None:
    return None if value is None else _whole(value, where)


def _seconds(value: object, where: str) -> float:
    # NaN is in no range, so this refuses it too.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_SECONDS:
        raise InvalidTeam(f"{where} is {value!r}", f"give a number of seconds, at most {MAX_SECONDS}")
    return value


def _deadline(value: object, where: str) -> float | None:
    return None if value is None else _seconds(value, where)


def _typed(value: object, kind: type[T], where: str) -> T:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InvalidTeam(f"{where} is {value!r}", f"give {'an' if kind is int else 'a'} {kind.__name__}")
    return value


_SCALARS: Mapping[str, Callable[[object, str], JSON]] = {
    "key": _template,
    "template": _template,
    "of": _template,
    "pattern": _pattern,
    "reads": _templates,
    "check": _check,
    "act": _text,
    "reason": _text,
    "votes": _votes,
    "seconds": _seconds,
    "within_seconds": _deadline,
    "lease_seconds": _deadline,
    "rounds": _whole,
    "amendments": _whole,
    "at_most": _whole,
}
"""The check of each other member of a step."""
