"""Everything that convergence is a function of, gathered from the tables at one revision."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from blackboard.contracts.language import Contract
from blackboard.contracts.task import TaskBody
from blackboard.spec.activation import Activation, ActivationState
from blackboard.spec.convergence import returns
from blackboard.spec.history import GENERATION_BOUND, cycle_of
from blackboard.spec.inputs import BuiltComponent
from blackboard.spec.keys import TEAM, is_reserved, matches
from blackboard.spec.records import Body
from blackboard.spec.spec_state import CheckRecord, ControlState, DecisionRecord, SpecState, TaskRecord, VerdictRecord
from blackboard.spec.triggers import SourceRecord, TriggerKind
from blackboard.store import agenda, budgets, read
from blackboard.store.constraints import constraint_records
from blackboard.store.statements import Reads, Statement
from blackboard.store.wake import chain_of

TASK = "task/"

_STANDING = """
    SELECT k.key, {0}.{1} AS version, {0}.state, v.language, v.digest,
      CASE WHEN v.language IN ('task', 'constraint') OR k.key = 'choreography/team' OR k.key LIKE 'source/%'
        THEN v.text END AS text
    FROM key k {2} LEFT JOIN version v ON v.key_id = k.id AND v.version = {0}.{1}
    WHERE k.kind = 'decision' {3} ORDER BY k.key"""
_STANDING_NOW = Statement(_STANDING.format("k", "current_version", "", "AND k.state <> 'absent'"))
_STANDING_THEN = Statement(
    _STANDING.format(
        "t",
        "version",
        "JOIN key_history t ON t.key_id = k.id "
        "AND t.revision = (SELECT max(revision) FROM key_history WHERE key_id = k.id AND revision <= :at)",
        "",
    )
)
_LIVE = """
    SELECT k.key, v.version, v.electorate, (SELECT json_group_array(o.author) FROM vote o
      WHERE o.key_id = v.key_id AND o.version = v.version AND o.revision <= :at) AS voted
    FROM version v JOIN key k ON k.id = v.key_id WHERE """
_LIVE_NOW = Statement(_LIVE + "v.state = 'proposed' ORDER BY k.key, v.version")
_LIVE_THEN = Statement(
    _LIVE + "v.revision <= :at AND coalesce(v.settled_revision, :at + 1) > :at ORDER BY k.key, v.version"
)
_ALL_VERDICTS = Statement("""
    SELECT v.check_name, k.key, v.passed, v.inputs, v.revision,
      CASE v.passed WHEN 0 THEN substr(v.log, 1, 500) ELSE '' END AS why
    FROM verdict v JOIN key k ON k.id = v.component_id
    WHERE v.revision <= :at AND v.version = (SELECT t.version FROM key_history t
      WHERE t.key_id = k.id AND t.revision <= :at
      ORDER BY t.revision DESC LIMIT 1) ORDER BY v.revision""")
_DEADLINES = Statement("""
    SELECT k.key, d.path, d.round, d.due FROM deadline d JOIN key k ON k.id = d.key_id ORDER BY d.due""")
_REASONS = Statement("""
    SELECT key, reason FROM (
      SELECT key, contested_reason AS reason, 0 AS revision, 0 AS ordinal FROM key WHERE contested_reason IS NOT NULL
      UNION ALL SELECT k.key, c.reason, c.revision, c.ordinal FROM change c JOIN key k ON k.id = c.key_id
      WHERE c.kind = 'contested' AND c.revision <= :at)
    ORDER BY revision, ordinal""")

_NEWEST = Statement("""
    SELECT max(l.token) AS token FROM lease l JOIN key k ON k.id = l.target_id
    WHERE l.source = :source AND k.key = :target""")
_DECIDED_BY = Statement("""
    SELECT v.author FROM key k JOIN version v ON v.key_id = k.id AND v.version = k.current_version
    WHERE k.key = :key""")
_BEYOND = Statement("SELECT id, key FROM key WHERE state = 'contested' AND generation >= :bound ORDER BY key LIMIT 1")
_AMENDED = Statement("""
    SELECT v.author, l.token FROM version v LEFT JOIN commit_log l ON l.revision = v.revision
    WHERE v.key_id = :id ORDER BY v.version DESC LIMIT :bound""")
_STOPPED = Statement("""
    SELECT k.key, coalesce((SELECT c.reason FROM change c WHERE c.key_id = k.id AND c.kind = 'contested'
      ORDER BY c.revision DESC, c.ordinal DESC LIMIT 1), k.contested_reason) AS reason
    FROM step_instance p JOIN key k ON k.id = p.key_id WHERE json_extract(p.state, '$.state') = 'stopped'""")


def spec_state(on: Reads, at: int) -> SpecState:
    """Return the state of the board at a revision; what the agenda says only for the head."""
    head = read.board_row(on)["revision"] == at
    rows = {row["key"]: row for row in on.all(_STANDING_NOW if head else _STANDING_THEN, {"at": at})}
    accepted = {key: row for key, row in rows.items() if row["version"] is not None}
    decisions = _decisions(on, at, rows, head=head)
    team = json.loads(accepted[TEAM]["text"]) if TEAM in accepted else None
    sources = [
        SourceRecord.from_json(key.removeprefix("source/"), json.loads(row["text"]))
        for key, row in accepted.items()
        if matches("source/*", key)
    ]
    tasks = _tasks(accepted)
    built = components(on, at)
    return SpecState(
        at,
        decisions,
        tasks,
        tuple(team["choreography"]["requires"]) if team else (),
        built,
        _checks(team["checks"]) if team else (),
        tuple(
            VerdictRecord(
                row["check_name"],
                row["key"],
                bool(row["passed"]),
                row["inputs"],
                row["revision"],
                row["why"].partition("\n")[0],
            )
            for row in on.all(_ALL_VERDICTS, {"at": at})
        ),
        _persons(sources),
        tuple(
            one.name
            for one in sources
            if not one.external and any(trigger.kind is TriggerKind.CONTESTED for trigger in one.triggers)
        ),
        _stops(on) if head else {},
        control_state(on) if head else ControlState(),
        agenda.announced(on, at),
        constraint_records(on, accepted),
    )


def state_of(on: Reads, at: int, known: SpecState | None) -> SpecState:
    """Return what `spec_state` returns for the head, of what is known of it already only what has no revision."""
    if known is None or known.revision != at:
        return spec_state(on, at)
    return replace(known, control=control_state(on), announced=agenda.announced(on, at))


def _checks(checks: Mapping[str, Any]) -> tuple[CheckRecord, ...]:
    return tuple(
        CheckRecord(
            name, check["on"], check["definition"], tuple(check.get("languages", ())), whole=check.get("whole", False)
        )
        for name, check in sorted(checks.items())
    )


def _stops(on: Reads) -> dict[str, str]:
    return {row["key"]: row["reason"] or "" for row in on.all(_STOPPED)}


def control_state(on: Reads) -> ControlState:
    """Return what the agenda says now."""
    deadlines = tuple((row["key"], f"round {row['round']} has a deadline") for row in on.all(_DEADLINES))
    activations = agenda.open_activations(on, limit=1 << 31)
    return ControlState(activations, deadlines, budgets.exhausted(on), _cycle(on, activations))


def _cycle(on: Reads, activations: Iterable[Activation]) -> tuple[str, ...]:
    """Return what repeats: the loop that was stopped, or the runs that led from a text back to it."""
    for one in activations:
        if one.state is ActivationState.LOOPED:
            return tuple(json.loads(one.reason))
    for one in activations:
        if returns(one):
            token = on.one(_NEWEST, {"source": one.source, "target": one.target})["token"]
            here, *earlier = chain_of(on, token)
            return cycle_of(earlier, *here, bound=1) or _undone_by(on, one)
    beyond = on.one(_BEYOND, {"bound": GENERATION_BOUND})
    return () if beyond is None else _turns(on, beyond["id"], beyond["key"])


def _turns(on: Reads, identifier: int, key: str) -> tuple[str, ...]:
    """Return the runs that led to the newest version of a key from the one before, else whose turn it was."""
    newest, *before = on.all(_AMENDED, {"id": identifier, "bound": GENERATION_BOUND})
    if newest["token"] is not None:
        here, *earlier = chain_of(on, newest["token"])
        if found := cycle_of(earlier, *here, bound=1):
            return found
    whose = [(row["author"], key) for row in before]
    return cycle_of(whose, newest["author"], key, bound=1) or (f"{newest['author']} on {key}",)


def _undone_by(on: Reads, one: Activation) -> tuple[str, ...]:
    """Return the turn that two authors take where their runs were woken by different commits."""
    other = on.one(_DECIDED_BY, {"key": one.target})
    mine = f"{one.source} on {one.target}"
    return (mine,) if other is None else (mine, f"{other['author']} on {one.target}", mine)


def components(on: Reads, at: int) -> dict[str, BuiltComponent]:
    """Return key -> every component at a revision."""
    freshnesses = read.Freshnesses(on, at)
    found: dict[str, BuiltComponent] = {}
    for row in read.key_rows(on, "**", "component", at):
        if row["version"] is not None:
            pins, listed = read.built_against(on, row)
            files = read.component(on, row)["digest"]
            found[row["key"]] = BuiltComponent(
                row["key"],
                row["version"],
                files,
                pins,
                freshnesses.values(pins),
                freshnesses.of(row, pins, listed),
                freshnesses.checked(row),
                has_code=read.has_code(on, row),
            )
    return found


def named_by(task: Body) -> tuple[str, ...]:
    """Return the keys and patterns that a task implements or uses."""
    if task.language != "task":
        return ()
    facets: Mapping[str, Any] = Contract.stored(task.language, task.text).facets
    return tuple(dict.fromkeys([*facets["implements"], *facets["uses"]]))


def probes(on: Reads, at: int) -> dict[str, tuple[str, ...]]:
    """Return component -> the arguments that its entry point has to answer, for those that make one."""
    head = read.board_row(on)["revision"] == at
    rows = on.all(_STANDING_NOW if head else _STANDING_THEN, {"at": at})
    tasks = _tasks({row["key"]: row for row in rows if row["version"] is not None})
    return {component: task.probed for component, task in tasks.items() if task.probed}


def check_of(on: Reads, check: str, at: int) -> CheckRecord:
    """Return what the board knows of a check; its definition is "" where it knows none of that name."""
    team = _values(on, TEAM, at).get(TEAM)
    found = _checks({check: team["checks"][check]}) if team and check in team["checks"] else ()
    return found[0] if found else CheckRecord(check, "**", "")


def _tasks(accepted: Mapping[str, read.Row]) -> dict[str, TaskRecord]:
    found = {}
    for key, row in accepted.items():
        if matches(f"{TASK}**", key) and row["language"] == "task":
            body = Contract.stored(row["language"], row["text"]).body
            if isinstance(body, TaskBody):
                names = tuple(dict.fromkeys([*body.implements, *body.uses]))
                component = key.removeprefix(TASK)
                found[component] = TaskRecord(component, names, body.checks, tuple(body.implements), body.probed)
    return found


def _decisions(on: Reads, at: int, rows: Mapping[str, read.Row], *, head: bool) -> dict[str, DecisionRecord]:
    asked = {one.key for one in read.questions(on, "**", at)}
    reasons = {row["key"]: row["reason"] for row in on.all(_REASONS, {"at": at})}
    missing = _missing(on, at, head=head)
    return {
        key: DecisionRecord(
            key,
            state,
            version is not None,
            digest if version is not None else "",
            key in asked,
            missing.get(key, {}),
            reasons.get(key, "") if state == "contested" else "",
            language if version is not None else "",
        )
        for key, version, state, language, digest, _ in rows.values()
        if not is_reserved(key)
    }


def _missing(on: Reads, at: int, *, head: bool) -> dict[str, dict[int, tuple[str, ...]]]:
    """Return key -> live proposal -> the members of its electorate who did not vote yet."""
    waiting: dict[str, dict[int, tuple[str, ...]]] = {}
    for row in on.all(_LIVE_NOW if head else _LIVE_THEN, {"at": at}):
        voted = json.loads(row["voted"])
        electorate = json.loads(row["electorate"] or "[]")
        waiting.setdefault(row["key"], {})[row["version"]] = tuple(name for name in electorate if name not in voted)
    return waiting


def _values(on: Reads, pattern: str, at: int) -> dict[str, Any]:
    rows = [row for row in read.key_rows(on, pattern, "decision", at) if row["version"] is not None]
    return {row["key"]: json.loads(read.version_of(on, row, row["version"]).body.text) for row in rows}


def _persons(sources: list[SourceRecord]) -> dict[str, tuple[str, ...]]:
    persons: dict[str, list[str]] = {}
    for one in sources:
        if one.external:
            persons.setdefault(one.role, []).append(one.name)
    return {role: tuple(names) for role, names in persons.items()}
