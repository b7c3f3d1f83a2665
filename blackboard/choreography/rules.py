"""The rules of a well-formed choreography: closed, bounded, and without an endless wait.

Each refusal names the step, the role and the key, and a repair with which the choreography is accepted. The numbers of
the rules are: 1 closed; 2 one key, one rule; 3 a decision is settled before a step reads it; 5 quorums tolerate the
declared faults; 6 bounds; 7 every wait ends at a reliable role; 8 steps that write name the decisions that they read.
"""

from collections.abc import Iterator

from blackboard.choreography.places import Unit, bodies, handed_to, units_of, writers
from blackboard.choreography.steps import Choreography
from blackboard.choreography.templates import overlap, specificity
from blackboard.choreography.values import (
    ACTS,
    ANY_CHECK,
    Agree,
    Checks,
    Decides,
    Each,
    Loop,
    May,
    Otherwise,
    Part,
    Passed,
    Proposes,
    Within,
    Writes,
    parts,
    roles_of,
    walk,
)
from blackboard.errors import InvalidTeam
from blackboard.spec import keys
from blackboard.spec.agreement import quorum_bounds


def check(choreography: Choreography) -> None:
    """Accept a well-formed choreography.

    Raises:
        InvalidTeam: It is not well formed; the error names the step, the role, the key and a repair.
    """
    for rule in (
        _faults,
        _closed,
        _checked,
        _one_rule,
        _settled_before,
        _quorums,
        _bounded,
        _ends,
        _reads_named,
        _merged,
    ):
        for refusal in rule(choreography):
            raise refusal


def _refusal(path: str, step: Part, what: str, repair: str) -> InvalidTeam:
    role, key = _subject(step)
    return InvalidTeam(f"step {path} ({role}, {key}): {what}", repair)


def _subject(step: Part) -> tuple[str, str]:
    """Return the first role of a step and the key that it is about."""
    inner = next(iter(parts(step)), None)
    match step:
        case Each():
            return (_subject(inner)[0] if inner else "no role"), step.template
        case May():
            return step.role.name, step.pattern
        case Proposes() | Decides() | Writes() | Checks():
            return step.role.name, step.key
    return _subject(inner) if inner else ("no role", "no key")


def _faults(choreography: Choreography) -> Iterator[InvalidTeam]:
    said = dict(walk(choreography.steps))
    for path, role in roles_of(choreography.steps):
        if role.members < 1 or not 0 <= role.crash <= role.members or not 0 <= role.wrong <= role.members:
            what = f"{role.name} has {role.members} members, of whom {role.crash} may crash and {role.wrong} be wrong"
            yield _refusal(
                path, said[path], what, f"declare Role({role.name!r}, members=1 or more), faults at most that"
            )


def _closed(choreography: Choreography) -> Iterator[InvalidTeam]:
    """Rule 1: every key of a step is exactly one key in each instance."""
    for path, step in walk(choreography.steps):
        if isinstance(step, May) and step.act not in ACTS:
            yield _refusal(path, step, f"{step.act!r} is no act", f"use one of {', '.join(ACTS)}")
        if isinstance(step, Each) and not step.steps:
            yield _refusal(path, step, "it has no step", "give it one, or drop it")
        if isinstance(step, Each) and any("{" in part and not _is_variable(part) for part in step.template.split("/")):
            yield _refusal(path, step, "a variable is part of a segment", "bind a whole segment, such as {name}")
        handed = handed_to(step.otherwise) if isinstance(step, Agree | Within) else None
        if handed is not None and handed != _subject(step)[1]:
            yield _refusal(path, step, f"its otherwise decides {handed}", f"let it decide {_subject(step)[1]}")
    for unit in units_of(choreography.steps):
        for path, step, key in _named(unit):
            yield from _bound(unit, path, step, key)


def _named(unit: Unit) -> Iterator[tuple[str, Part, str]]:
    """Yield each key that a step names, with the path of the part that names it and the part."""
    for index, step in walk((unit.step,)):
        path = f"{unit.path}{index[1:]}"
        if isinstance(step, Proposes | Decides | Writes | Checks):
            yield path, step, step.key
        elif isinstance(step, Loop):
            yield path, step, step.until.of


def _bound(unit: Unit, path: str, step: Part, key: str) -> Iterator[InvalidTeam]:
    template = key if unit.each is None else unit.each.template
    if unit.each is None:
        if keys.is_pattern(key) or keys.variables(key):
            repair = f"wrap it: each({key!r}, …, at_most=…)"
            yield _refusal(path, step, "it names many keys, and nothing bounds how many", repair)
    elif keys.is_pattern(template):
        if key != template:
            repair = f"let the step name {template!r}, or bind segments by variables"
            yield _refusal(path, step, f"it is not the key of its each {template!r}, which binds nothing", repair)
    elif keys.is_pattern(key) or set(keys.variables(key)) != set(keys.variables(template)):
        names = ", ".join(f"{{{name}}}" for name in keys.variables(template)) or "no variable"
        yield _refusal(path, step, f"it does not name exactly what its each {template!r} binds", f"let it name {names}")
    if keys.is_reserved(key):
        yield _refusal(path, step, "the key is written by installing a team alone", "use another key")
    for read in step.reads if isinstance(step, Writes) else ():
        if unbound := set(keys.variables(read)) - set(keys.variables(template)):
            what = f"it reads {read}, and nothing binds {', '.join(sorted(unbound))}"
            yield _refusal(path, step, what, "read a pattern with * there, or name what the each binds")


def _checked(choreography: Choreography) -> Iterator[InvalidTeam]:
    """Rule 1 for components: a loop has one component, one step writes it, and the condition can become true."""
    units = tuple(units_of(choreography.steps))
    written = [unit.key for unit in units if writers(unit)]
    written += [step.pattern for step in choreography.steps if isinstance(step, May) and step.act == "write"]
    for unit in units:
        if isinstance(unit.step, Loop):
            yield from _looped(unit, unit.step, units)
        for path, step in bodies(unit):
            if isinstance(step, Checks) and not any(overlap(step.key, key) for key in written):
                yield _refusal(path, step, f"nobody writes {step.key}", f"add role.writes({step.key!r}, …) before it")
        unknown = [
            before for before in unit.before if isinstance(before.step, Checks) and before.step.check == ANY_CHECK
        ]
        for before in unknown:
            what = f"step {unit.path} waits for every check, and no step says which there are"
            yield _refusal(before.path, before.step, what, "name the check, or put it into a loop until current(of=…)")


def _looped(unit: Unit, step: Loop, units: tuple[Unit, ...]) -> Iterator[InvalidTeam]:
    for path, inner in bodies(unit):
        if isinstance(inner, Writes | Checks) and inner.key != unit.key:
            yield _refusal(path, inner, f"the loop is about {unit.key}", f"let it name {unit.key}, or loop apart")
    if len(writers(unit)) != 1:
        yield _refusal(
            unit.path, step, f"{len(writers(unit))} of its steps write {unit.key}", "let exactly one write it"
        )
    names = {inner.check for inner in step.steps if isinstance(inner, Checks)}
    if isinstance(step.until, Passed) and step.until.check not in names - {ANY_CHECK}:
        repair = f"add role.checks({unit.key!r}, {step.until.check!r}) to the loop, or end it by current(of=…)"
        if step.until.check == ANY_CHECK:
            repair = f"end it by current(of={unit.key!r}), or name the check"
        yield _refusal(unit.path, step, f"nothing in it checks {step.until.check}", repair)
    handed = handed_to(step.otherwise)
    known = units if unit.each is None else unit.before
    if handed is not None and not any(_settles(other) and other.key == handed for other in known):
        what = f"its otherwise decides {handed}, which no step before it settles"
        yield _refusal(unit.path, step, what, "hand over a key that a step of its each settled, or stop(reason)")


def _one_rule(choreography: Choreography) -> Iterator[InvalidTeam]:
    """Rule 2: no two steps that are enabled at the same time write one key, unless leases exclude each other."""
    units = tuple(units_of(choreography.steps))
    for number, unit in enumerate(units):
        for other in units[:number]:
            if _settles(unit) == _settles(other) and _clash(unit, other):
                what = f"step {other.path} is about the same key, {other.key}"
                yield _refusal(unit.path, unit.step, what, _apart(unit, other))
            elif unit.key == other.key and unit.each is other.each and _settles(unit) != _settles(other):
                what = f"step {other.path} takes {other.key} for {'a decision' if _settles(other) else 'a component'}"
                yield _refusal(unit.path, unit.step, what, "give the decision and the component keys of their own")
    for index, right in enumerate(choreography.steps):
        if isinstance(right, May) and right.act in ("decide", "write"):
            for unit in units:
                same = specificity(unit.key) == specificity(right.pattern) and overlap(unit.key, right.pattern)
                if same and _settles(unit) == (right.act == "decide") and (_settles(unit) or writers(unit)):
                    repair = f"drop it, or let it name less or more than {unit.key}: the most specific one governs"
                    yield _refusal(str(index), right, f"it bypasses step {unit.path}", repair)


def _clash(unit: Unit, other: Unit) -> bool:
    if specificity(unit.key) != specificity(other.key) or not overlap(unit.key, other.key):
        return False
    if _settles(unit):
        return True
    both = (*writers(unit), *writers(other))
    apart = unit.each is not other.each or unit.each is None
    leased = apart and all(step.lease_seconds is not None for _, step in both)
    return bool(writers(unit) and writers(other)) and not leased


def _apart(unit: Unit, other: Unit) -> str:
    if _settles(unit):
        return f"keep one of the two, or let one name keys more specifically than {other.key}"
    if unit.each is other.each and unit.each is not None:
        return f"keep one of the two: {unit.key} is done when it is current, so the second never has its turn"
    return "give both lease_seconds, keep one of the two, or let them write different components"


def _settles(unit: Unit) -> bool:
    return isinstance(unit.step, Agree | Within | Decides)


def _settled_before(choreography: Choreography) -> Iterator[InvalidTeam]:
    """Rule 3: every decision that a step reads is required, or an earlier or parallel step settles it."""
    units = tuple(units_of(choreography.steps))
    permissions = [
        step.pattern for step in choreography.steps if isinstance(step, May) and step.act in ("decide", "propose")
    ]
    for unit in units:
        for path, step in writers(unit):
            for read in step.reads:
                settling = [other for other in units if _settles(other) and overlap(other.key, read)]
                late = [other for other in settling if unit in other.before]
                optional = [*choreography.requires, *(permissions if keys.is_pattern(read) else ())]
                if len(settling) > len(late) or any(overlap(pattern, read) for pattern in optional):
                    continue
                if late:
                    what = f"it reads {read}, which step {late[0].path} settles only after it"
                    yield _refusal(path, step, what, f"put step {late[0].path} before it")
                else:
                    repair = f"drop it, add a step that settles {read}, or require it"
                    yield _refusal(path, step, f"it reads {read}, which no step settles", repair)


def _quorums(choreography: Choreography) -> Iterator[InvalidTeam]:
    """Rule 5: w + 1 <= q <= n - c - w."""
    for unit in units_of(choreography.steps):
        if not isinstance(unit.step, Agree):
            continue
        by, proposer = unit.step.by, unit.step.proposes.role
        # The author of a version is not in its electorate.
        own = int(proposer.name == by.of.name)
        members = by.of.members - own
        votes = by.needed(members)
        least, most = quorum_bounds(members, crash=by.of.crash, wrong=by.of.wrong)
        if least <= votes <= most:
            continue
        of = f"{members} {by.of.name} voters of whom {by.of.crash} may crash and {by.of.wrong} be wrong"
        if least <= most:
            repair = f"use quorum({least}, …)" if least == most else f"use a quorum from {least} to {most}"
        else:
            needed = by.of.crash + 2 * by.of.wrong + 1 + own
            repair = f"give {by.of.name} at least members={needed} and a quorum of {least}, or declare fewer faults"
        yield _refusal(unit.path, unit.step, f"{votes} votes of {of} are not from {least} to {most}", repair)


def _bounded(choreography: Choreography) -> Iterator[InvalidTeam]:
    """Rule 6: every repetition has a bound, and every duration is positive."""
    for path, step in walk(choreography.steps):
        if isinstance(step, Each | Loop) and step.at_most < 1:
            yield _refusal(path, step, f"at_most is {step.at_most}", "give at_most=1 or more")
        if isinstance(step, Agree) and (step.rounds < 1 or step.amendments < 0):
            what = f"it has {step.rounds} rounds and {step.amendments} amendments"
            yield _refusal(path, step, what, "give rounds=1 or more and amendments=0 or more")
        for seconds in _seconds(step):
            if seconds is not None and seconds <= 0:
                yield _refusal(path, step, f"{seconds:g} s is no time", "give more than 0 seconds, or leave it out")


def _seconds(step: Part) -> tuple[float | None, ...]:
    match step:
        case Agree():
            return (step.within_seconds,)
        case Within():
            return (step.seconds,)
        case Writes():
            return (step.lease_seconds,)
    return ()


def _ends(choreography: Choreography) -> Iterator[InvalidTeam]:
    """Rule 7: a wait for an unreliable role has a deadline or a lease, and its last fallback is a reliable role."""
    for path, step in walk(choreography.steps):
        if isinstance(step, Agree) and step.within_seconds is None:
            for role in (step.proposes.role, step.by.of):
                if not role.reliable:
                    yield _refusal(path, step, f"it waits for ever for {role.name}", "give it within_seconds")
        if isinstance(step, Writes) and step.lease_seconds is None and not step.role.reliable:
            yield _refusal(path, step, f"it waits for ever for {step.role.name}", "give it lease_seconds")
        if isinstance(step, Checks) and not step.role.reliable:
            repair = f"declare Role({step.role.name!r}, reliable=True): a command that any worker can run"
            yield _refusal(path, step, f"it waits for ever for {step.role.name}", repair)
    for unit in units_of(choreography.steps):
        if isinstance(unit.step, Decides):
            yield from _unreliable(unit.path, unit.step)
        elif isinstance(unit.step, Agree | Within | Loop):
            number = len(parts(unit.step)) - 1
            yield from _unreliable(f"{unit.path}.{number}", unit.step.otherwise)


def _unreliable(path: str, otherwise: Otherwise | None) -> Iterator[InvalidTeam]:
    while isinstance(otherwise, Within):
        otherwise, path = otherwise.otherwise, f"{path}.1"
    if isinstance(otherwise, Decides) and not otherwise.role.reliable:
        repair = f"write within(seconds, {otherwise.role.name}.decides(…), otherwise=operator.decides(…))"
        yield _refusal(path, otherwise, f"it waits for ever for {otherwise.role.name}", repair)


def _reads_named(choreography: Choreography) -> Iterator[InvalidTeam]:
    """Rule 8: a step that writes names the decisions that it reads."""
    for unit in units_of(choreography.steps):
        for path, step in writers(unit):
            if not step.reads:
                template = unit.key if unit.each is None else unit.each.template
                yield _refusal(path, step, "it does not say what it reads", f"give it reads=[{template!r}, …]")


def _merged(choreography: Choreography) -> Iterator[InvalidTeam]:
    """Every pattern in `merge` is settled by some step."""
    decided = [unit.key for unit in units_of(choreography.steps) if _settles(unit)]
    rights = [step for step in choreography.steps if isinstance(step, May) and step.act in ("decide", "propose")]
    decided += [step.pattern for step in rights]
    for pattern in choreography.merge:
        if not any(overlap(pattern, key) for key in decided):
            what = f"it merges what is written to {pattern}, which no step settles"
            yield InvalidTeam(what, f"merge one of {', '.join(decided) or 'no key'}, or drop it")


def _is_variable(segment: str) -> bool:
    return segment.startswith("{") and segment.find("}") == len(segment) - 1
