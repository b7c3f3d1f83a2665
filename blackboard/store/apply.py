"""Rows of a plan become rows of tables: generic, without policy, the same on every engine."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from blackboard.spec.canonical import JSON, json_made, spelled_digests
from blackboard.spec.changes import (
    ChangeRow,
    CloseRow,
    ComponentRow,
    DeadlineRow,
    EffectRow,
    HeadRow,
    Intent,
    Judge,
    NeedRow,
    Plan,
    PositionRow,
    Row,
    SettleRow,
    Vote,
    WakesRow,
)
from blackboard.spec.keys import is_reserved, key_range, matches
from blackboard.spec.records import KeyRecord, QuestionRecord, VersionRecord
from blackboard.spec.staleness import Pin
from blackboard.store import schema
from blackboard.store.chain import ADVANCE, CHANGE, CHANGED, LOG, chain
from blackboard.store.instances import keep_counts
from blackboard.store.session import Turn
from blackboard.store.statements import Insertion, Statement, insert_into

_NEW_KEY = Statement(
    "INSERT INTO key (key, kind, state, last_version, current_version, digest, generation, create_revision, "
    "member_revision, question_revision, mod_revision) VALUES (:key, :kind, :state, :last_version, :current, :digest, "
    ":generation, :revision, CASE WHEN :member THEN :revision ELSE 0 END, 0, "
    "CASE WHEN :changed THEN :revision ELSE 0 END) RETURNING id"
)
_KEY = Statement(
    "UPDATE key SET state = :state, last_version = :last_version, current_version = :current, digest = :digest, "
    "generation = :generation, member_revision = CASE WHEN :member THEN :revision ELSE member_revision END, "
    "mod_revision = CASE WHEN :changed THEN :revision ELSE mod_revision END WHERE id = :id"
)
_IDS = Statement("SELECT k.key, k.id FROM key k JOIN json_each(:keys) e ON e.value = k.key")
_TENURE = Statement(
    "INSERT INTO key_history (key_id, revision, version, state) VALUES (:id, :revision, :current, :state)"
)
_VERSION = Insertion(
    schema.version, ["base", "role", "electorate", "quorum", "joint_revision", "settled_revision", "merged_version"]
)
_SETTLE = Statement(
    "UPDATE version SET state = :state, reason = :reason, settled_revision = coalesce(settled_revision, :revision) "
    "WHERE key_id = :id AND version = :version"
)
_HEAD = Statement(
    "INSERT INTO current_facet (key_id, name, since, digest) VALUES (:id, :name, :revision, :digest) "
    "ON CONFLICT (key_id, name) DO UPDATE SET since = excluded.since, digest = excluded.digest"
)
# A key may be accepted twice in one commit; what counts is the way from the old value to the last.
_EFFECT = Statement(
    "INSERT INTO facet_effect (key_id, name, new_since, old_since, uses, implements, reason) "
    "VALUES (:key_id, :name, :new_since, :old_since, :uses, :implements, :reason) "
    "ON CONFLICT (key_id, name, new_since, old_since) DO UPDATE SET "
    "uses = excluded.uses, implements = excluded.implements, reason = excluded.reason"
)
_VOTE = insert_into(schema.vote)
_QUESTION = insert_into(schema.question)
_ASKED = Statement("UPDATE key SET question_revision = :revision WHERE id = :id")
_CLOSE = Statement(
    "UPDATE question SET closed_revision = :revision WHERE closed_revision IS NULL AND key_id = :id "
    "AND revision = (SELECT max(revision) FROM question WHERE key_id = :id)"
)
_COMPONENT = insert_into(schema.component_version)
_BLOB = insert_into(schema.blob, ignore=True)
_FILE = insert_into(schema.component_file)
_PIN = insert_into(schema.pin, ignore=True)
_PATTERNS = Statement("SELECT id, pattern FROM pattern")
_PATTERN = insert_into(schema.pattern, ignore=True)
_PATTERN_ID = Statement("SELECT id FROM pattern WHERE pattern = :pattern")
_PATTERN_PIN = insert_into(schema.pattern_pin, ignore=True)
_ACCEPTED = Statement(
    "SELECT id, key, member_revision FROM key "
    "WHERE kind = 'decision' AND current_version IS NOT NULL AND key >= :low AND key < :high"
)
_JOIN = Statement(
    "INSERT INTO pattern_member (pattern_id, key_id, since) VALUES (:pattern_id, :id, :since) "
    "ON CONFLICT (pattern_id, key_id) DO UPDATE SET since = :since"
)
_LEAVE = Statement("DELETE FROM pattern_member WHERE key_id = :id")
_VERDICT = insert_into(schema.verdict)
_POSITION = Statement(
    "INSERT INTO step_instance (key_id, path, state, revision) VALUES (:id, :path, :state, :revision) "
    "ON CONFLICT (key_id, path) DO UPDATE SET state = :state, revision = :revision"
)
_ARM = Statement(
    "INSERT INTO deadline (key_id, path, round, due) VALUES (:id, :path, :round, :due) "
    "ON CONFLICT (key_id, path) DO UPDATE SET round = :round, due = :due"
)
_DISARM = Statement("DELETE FROM deadline WHERE key_id = :id AND path = :path")
_FORGET_NEEDS = Statement("DELETE FROM requirement WHERE component_id = :id")
_FORGET_NEED_PATTERNS = Statement("DELETE FROM requirement_pattern WHERE component_id = :id")
_NEED = insert_into(schema.requirement, ignore=True)
_NEED_PATTERN = insert_into(schema.requirement_pattern, ignore=True)
_NEED_NEW = Statement(
    "INSERT INTO requirement (component_id, key_id, named) "
    "SELECT component_id, :id, 0 FROM requirement_pattern WHERE pattern_id = :pattern_id "
    "ON CONFLICT DO NOTHING"
)
_FORGET_WAKES = Statement("DELETE FROM subscription WHERE component_id = :id")
_WAKES = Statement(
    "INSERT INTO subscription (component_id, source, kind, version) "
    "SELECT id, :source, :kind, coalesce(current_version, 0) FROM key WHERE id = :component_id"
)
_WAKES_OF = Statement("UPDATE subscription SET version = :version WHERE component_id = :component_id")


class Application:
    """One plan being applied as revision `revision`."""

    def __init__(self, turn: Turn, intent: Intent, plan: Plan) -> None:
        self._turn, self._on = turn, turn.connection
        self._intent, self._plan = intent, plan
        self._installs = any(is_reserved(change.key) for change in plan.changes)
        self.revision = turn.revision + 1
        self.ids: dict[str, int] = {}
        self._left: dict[tuple[str, int], SettleRow] = {}

    def rows(self) -> None:
        """Write every row of the plan."""
        keys: list[KeyRecord] = []
        others: list[Row] = []
        for row in self._plan.rows:
            if type(row) is KeyRecord:
                keys.append(row)
            elif type(row) is SettleRow:
                self._left[row.key, row.version] = row
            else:
                others.append(row)
        self._keys(keys, others)
        for kind, same in groupby(others, type):
            _APPLY[kind](self, list(same))
        self._settle()
        self._membership(keys)
        appeared = [row.key for row in keys if row.appeared]
        if appeared or self._installs:
            keep_counts(self._turn, self._plan.counted, appeared)

    def log(self) -> str:
        """Write the feed's entries and the log's, move the head, and return the new digest."""
        turn, intent, plan = self._turn, self._intent, self._plan
        entries = list(enumerate(plan.changes))
        self._on.run_many(CHANGE, [self._change(ordinal, change) for ordinal, change in entries])
        record: dict[str, JSON] = {
            "revision": self.revision,
            "author": intent.author,
            "role": intent.role,
            "at": turn.now,
            "token": intent.token,
            "choreography": plan.choreography,
        }
        content: list[list[JSON]] = [
            [ordinal, change.kind, change.key, change.version, intent.author, change.path, change.digest]
            for ordinal, change in entries
        ]
        chained = chain(turn.digest, record, content)
        logged = {**record, "digest": chained}
        self._on.run(LOG.of(logged), logged)
        moved = {"revision": self.revision, "digest": chained, "installs": int(self._installs)}
        turn.advance(ADVANCE, moved)
        return chained

    def _change(self, ordinal: int, change: ChangeRow) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "ordinal": ordinal,
            "kind": change.kind,
            "key_id": self.ids[change.key],
            "version": change.version,
            "author": self._intent.author,
            "step": change.path,
            "reason": change.reason,
            "digest": change.digest,
        }

    def _keys(self, rows: Sequence[KeyRecord], others: Sequence[Row]) -> None:
        changed, tenures = {change.key for change in self._plan.changes}, []
        for row in rows:
            written: dict[str, Any] = {
                "id": row.id,
                "key": row.key,
                "kind": row.kind,
                "state": str(row.state),
                "last_version": row.last_version,
                "current": row.current,
                "digest": row.digest,
                "generation": row.generation,
                "member": int(row.member),  # to bind True costs the driver ten times a number
                "changed": int(row.key in changed),
                "revision": self.revision,
            }
            if row.id is None:
                written["id"] = self._on.one(_NEW_KEY, written)["id"]
            else:
                self._on.run(_KEY, written)
            self.ids[row.key] = written["id"]
            if row.moved and written["state"] != "absent":
                tenures.append(written)
        self._on.run_many(_TENURE, tenures)
        more = (changed | self._named(others)) - self.ids.keys()
        if more:
            found = self._on.all(_IDS, {"keys": json.dumps(sorted(more))})
            self.ids.update({row["key"]: row["id"] for row in found})
        unwritten = changed - {row.key for row in rows}
        self._on.run_many(CHANGED, [{"id": self.ids[key], "revision": self.revision} for key in unwritten])

    def _named(self, rows: Sequence[Row]) -> set[str]:
        """Return every key that a row is about, and that need not be changed for it."""
        named = {target for _, target, _ in self._plan.wakes}
        for row in rows:
            if type(row) in _NAMING:
                named.update(_NAMING[type(row)](row))
        return named

    def _settle(self) -> None:
        """Move existing versions on; one that this commit adds was written in the state in which it leaves it."""
        for row in self._left.values():
            moved = {"id": self.ids[row.key], "version": row.version, "revision": self.revision}
            self._on.run(_SETTLE, {**moved, "state": str(row.state), "reason": row.reason})

    def _membership(self, rows: Iterable[KeyRecord]) -> None:
        """Keep what patterns name in step: decisions that joined or left, and new ones that a task's pattern names."""
        decisions = [row for row in rows if row.kind == "decision" and (row.id is None or row.member)]
        known = self._on.all(_PATTERNS) if decisions else []
        for row in decisions:
            here = {"id": self.ids[row.key], "since": self.revision}
            under = [found["id"] for found in known if matches(found["pattern"], row.key)]
            if row.member and row.current is None:
                self._on.run(_LEAVE, here)
            elif row.member:
                self._on.run_many(_JOIN, [{**here, "pattern_id": one} for one in under])
            if row.id is None:
                self._on.run_many(_NEED_NEW, [{**here, "pattern_id": one} for one in under])

    def _heads(self, rows: Sequence[HeadRow]) -> None:
        at = {"revision": self.revision}
        moved = [{"id": self.ids[row.key], "name": row.name, "digest": row.digest, **at} for row in rows]
        self._on.run_many(_HEAD, moved)

    def _versions(self, rows: Sequence[VersionRecord]) -> None:
        for row in rows:
            values = self._version(row)
            self._on.run(_VERSION.of(values), values)
            if row.premises:
                self._pins(row.key, row.version, row.premises)

    def _version(self, row: VersionRecord) -> dict[str, Any]:
        left = self._left.pop((row.key, row.version), None)
        return {
            "key_id": self.ids[row.key],
            "version": row.version,
            "language": row.body.language,
            "text": row.body.text,
            "facets": spelled_digests(row.body.facets),
            "digest": row.body.digest,
            "state": str(row.state if left is None else left.state),
            "base": row.base,
            "author": row.author,
            "role": row.role,
            "rationale": row.rationale,
            "evidence": json_made(row.evidence) if row.evidence else "[]",
            "electorate": None if row.electorate is None else json_made(row.electorate),
            "quorum": row.quorum,
            "round": row.round,
            "joint_revision": self.revision if row.joint else None,
            "reason": "" if left is None else left.reason,
            "revision": self.revision,
            "settled_revision": None if left is None else self.revision,
            "merged_version": row.merged,
        }

    def _effects(self, rows: Sequence[EffectRow]) -> None:
        self._on.run_many(
            _EFFECT,
            [
                {
                    "key_id": self.ids[row.key],
                    "name": row.name,
                    "new_since": self.revision,
                    "old_since": row.old_since,
                    "uses": row.uses,
                    "implements": row.implements,
                    "reason": row.reason,
                }
                for row in rows
            ],
        )

    def _vote(self, row: Vote) -> None:
        values = {"key_id": self.ids[row.key], "version": row.version, "author": row.author, "approve": row.approve}
        self._on.run(_VOTE, {**values, "reason": row.reason, "revision": self.revision})

    def _question(self, row: QuestionRecord) -> None:
        identifier = self.ids[row.key]
        values = {"key_id": identifier, "revision": self.revision, "text": row.text, "closed_revision": None}
        options = json.dumps(list(row.options), ensure_ascii=False)
        self._on.run(_QUESTION, {**values, "options": options, "author": row.author, "role": row.role})
        self._on.run(_ASKED, {"id": identifier, "revision": self.revision})

    def _close(self, row: CloseRow) -> None:
        at = {"id": self.ids[row.key], "revision": self.revision}
        self._on.run(_CLOSE, at)
        self._on.run(_ASKED, at)

    def _component(self, row: ComponentRow) -> None:
        identifier = self.ids[row.key]
        at = {"key_id": identifier, "version": row.version}
        described = {**at, "author": row.author, "role": row.role, "digest": row.digest, "revision": self.revision}
        self._on.run(_COMPONENT, described)
        files = sorted(row.files.items())
        self._on.run_many(_BLOB, [{"digest": blob, "content": content} for _, (blob, content) in files])
        self._on.run_many(_FILE, [{**at, "path": path, "blob": blob} for path, (blob, _) in files])
        pinned = {"component_id": identifier, "component_version": row.version}
        self._on.run(_WAKES_OF, {"component_id": identifier, "version": row.version})
        self._pins(row.key, row.version, row.pins)
        for listed in row.patterns:
            # What is under it was validated in this turn, and what this commit adds to it, its author knows.
            here = {"pattern_id": self._pattern(listed.pattern), "since": self.revision}
            self._on.run(_PATTERN_PIN, {**pinned, **here})

    def _pins(self, key: str, version: int, pins: Iterable[Pin]) -> None:
        """Write what a version of a component was built against, or one of a decision rests on."""
        here = {"component_id": self.ids[key], "component_version": version}
        self._on.run_many(
            _PIN,
            [
                {
                    **here,
                    "key_id": self.ids[pin.key],
                    "name": pin.name,
                    "side": str(pin.side),
                    "version": pin.version,
                    "since": pin.since,
                    "digest": pin.digest,
                    "observed": 1 if pin.observed else None,
                }
                for pin in pins
            ],
        )

    def _pattern(self, pattern: str) -> int:
        """Return the id of a pattern; a new one gets the decisions that it names already."""
        found = self._on.one(_PATTERN_ID, {"pattern": pattern})
        if found is None:
            self._on.run(_PATTERN, {"pattern": pattern})
            found = self._on.one(_PATTERN_ID, {"pattern": pattern})
            members = self._on.all(_ACCEPTED, key_range(pattern))
            self._on.run_many(
                _JOIN,
                [
                    {"pattern_id": found["id"], "id": row["id"], "since": row["member_revision"]}
                    for row in members
                    if matches(pattern, row["key"])
                ],
            )
        return int(found["id"])

    def _verdict(self, row: Judge) -> None:
        self._on.run(
            _VERDICT,
            {
                "check_name": row.check,
                "component_id": self.ids[row.component],
                "revision": self.revision,
                "version": row.version,
                "passed": row.passed,
                "log": row.log,
                "inputs": row.inputs,
                "author": row.author,
                "settles_suspicion": row.settles,
            },
        )

    def _position(self, row: PositionRow) -> None:
        state = json.dumps(dict(row.state), sort_keys=True)
        self._on.run(_POSITION, {"id": self.ids[row.key], "path": row.path, "state": state, "revision": self.revision})

    def _deadline(self, row: DeadlineRow) -> None:
        at = {"id": self.ids[row.key], "path": row.path}
        if row.seconds is None:
            self._on.run(_DISARM, at)
        else:
            self._on.run(_ARM, {**at, "round": row.round, "due": self._turn.now + row.seconds})

    def _needs(self, row: NeedRow) -> None:
        identifier = self.ids[row.component]
        self._on.run(_FORGET_NEEDS, {"id": identifier})
        self._on.run(_FORGET_NEED_PATTERNS, {"id": identifier})
        here = {"component_id": identifier}
        named = [*((key, 1) for key in row.keys), *((key, 0) for key in row.under)]
        self._on.run_many(_NEED, [{**here, "key_id": self.ids[key], "named": by} for key, by in named])
        self._on.run_many(_NEED_PATTERN, [{**here, "pattern_id": self._pattern(one)} for one in row.patterns])

    def _wakes(self, row: WakesRow) -> None:
        here = {"component_id": self.ids[row.component]}
        self._on.run(_FORGET_WAKES, {"id": here["component_id"]})
        self._on.run_many(_WAKES, [{**here, "source": source, "kind": kind} for source, kind in row.sources])


def _each(apply: Callable[[Application, Any], None]) -> Callable[[Application, Sequence[Any]], None]:
    """Return what applies rows of a kind one after the other."""

    def all_of(application: Application, rows: Sequence[Any]) -> None:
        for row in rows:
            apply(application, row)

    return all_of


_NAMING: Mapping[type, Callable[[Any], Iterable[str]]] = {
    ComponentRow: lambda row: (pin.key for pin in row.pins),
    VersionRecord: lambda row: (pin.key for pin in row.premises),
    NeedRow: lambda row: (row.component, *row.keys, *row.under),
    WakesRow: lambda row: (row.component,),
    DeadlineRow: lambda row: (row.key,),
}
"""The keys that a row names beside those that its plan changes."""

_APPLY: Mapping[type, Callable[[Application, Sequence[Any]], None]] = {
    VersionRecord: Application._versions,  # noqa: SLF001 - the table is part of the class
    HeadRow: Application._heads,  # noqa: SLF001
    EffectRow: Application._effects,  # noqa: SLF001
    Vote: _each(Application._vote),  # noqa: SLF001
    QuestionRecord: _each(Application._question),  # noqa: SLF001
    CloseRow: _each(Application._close),  # noqa: SLF001
    ComponentRow: _each(Application._component),  # noqa: SLF001
    Judge: _each(Application._verdict),  # noqa: SLF001
    PositionRow: _each(Application._position),  # noqa: SLF001
    DeadlineRow: _each(Application._deadline),  # noqa: SLF001
    NeedRow: _each(Application._needs),  # noqa: SLF001
    WakesRow: _each(Application._wakes),  # noqa: SLF001
}
