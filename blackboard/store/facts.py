"""The head of a board, as rules ask for it (`plan.view.Facts`), in SQL."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from blackboard.choreography.values import OPERATOR
from blackboard.contracts.constraint import NAMES
from blackboard.errors import Compacted
from blackboard.spec import keys
from blackboard.spec.canonical import JSON, parse_json, read_made
from blackboard.spec.effects import Side
from blackboard.spec.history import RULED
from blackboard.spec.lifecycle import KeyState, State
from blackboard.spec.records import Body, KeyRecord, QuestionRecord, Reserved, VersionRecord
from blackboard.spec.staleness import Built, FacetHead, Freshness, Judged, PatternPin, Pin
from blackboard.store.instances import count_instances, first_accepted
from blackboard.store.opened import Kept
from blackboard.store.schema import (
    change,
    commit_log,
    current_facet,
    deadline,
    key,
    key_history,
    pattern,
    pattern_pin,
    pin,
    step_instance,
    version,
    vote,
)
from blackboard.store.statements import Reads, Statement, constant, given

_NAMED = "name >= 'names:' AND name < 'names;'"
_HEAD = Statement(
    "SELECT revision, installed, first_revision, "
    f"EXISTS (SELECT 1 FROM current_facet INDEXED BY current_facet_names WHERE {_NAMED}) AS constrained FROM board"
)
_INSTALLED = Statement("SELECT installed FROM board")
_NAMING = Statement(
    "SELECT k.key FROM current_facet h INDEXED BY current_facet_names JOIN key k ON k.id = h.key_id "
    f"WHERE h.{_NAMED.replace('AND ', 'AND h.')} AND h.name = :name AND h.digest IS NOT NULL "
    "AND k.key >= 'constraint/' AND k.key < 'constraint0' ORDER BY k.key"
)
_KEY = Statement("""
    SELECT k.kind, k.state, k.last_version, k.current_version, k.digest, k.generation, k.mod_revision,
      k.id, k.question_revision, EXISTS (SELECT 1 FROM pin p WHERE p.key_id = k.id),
      EXISTS (SELECT 1 FROM version p INDEXED BY version_live WHERE p.key_id = k.id AND p.state = 'proposed'),
      v.language, v.text, v.facets, v.revision
    FROM key k LEFT JOIN version v ON v.key_id = k.id AND v.version = k.current_version WHERE k.key = :key""")
_RECORD = ("kind", "state", "last_version", "current_version", "digest", "generation", "mod_revision", "id")
_OWN = len(_RECORD)  # of these columns make the key's record; those of its current version's text are the last
_KEYS = Statement(sa.select(key).where(key.c.key >= given("low"), key.c.key < given("high")).order_by(key.c.key))
_OF_KEY = given("id")
_VERSION = Statement(sa.select(version).where(version.c.key_id == _OF_KEY, version.c.version == given("version")))
# Named, since the engine prefers the table itself, in the order of versions: a walk through all that the key ever was.
_PROPOSED = Statement(
    "SELECT * FROM version INDEXED BY version_live WHERE key_id = :id AND state = 'proposed' ORDER BY version"
)
_JOINT = Statement(
    sa.select(version, key.c.key)
    .join(key, key.c.id == version.c.key_id)
    .where(version.c.joint_revision == given("joint"))
    .order_by(key.c.key)
)
_VOTES = Statement(
    sa.select(vote.c.author, vote.c.approve).where(vote.c.key_id == _OF_KEY, vote.c.version == given("version"))
)
_FORMER = Statement(
    "SELECT max(version) FROM version INDEXED BY version_digest "
    "WHERE key_id = :id AND digest = :digest AND state IN ('accepted', 'retracted') "
    "AND version IS NOT (SELECT current_version FROM key WHERE id = :id)"
)
# While one is open nobody asks another: the newest is the one that may be open.
_QUESTION = Statement(
    "SELECT * FROM (SELECT * FROM question WHERE key_id = :id ORDER BY revision DESC LIMIT 1) "
    "WHERE closed_revision IS NULL"
)
_HEADS = Statement(
    sa.select(current_facet.c.name, current_facet.c.since, current_facet.c.digest).where(
        current_facet.c.key_id == _OF_KEY
    )
)
_PINNED = Statement("""
    WITH RECURSIVE named(key_id, name) AS (
      SELECT :id, (SELECT min(p.name) FROM pin p WHERE p.key_id = :id)
      UNION ALL
      SELECT key_id, (SELECT min(p.name) FROM pin p WHERE p.key_id = named.key_id AND p.name > named.name)
      FROM named WHERE name IS NOT NULL),
    pinned(key_id, name, since) AS (
      SELECT key_id, name, (SELECT min(p.since) FROM pin p WHERE p.key_id = named.key_id AND p.name = named.name)
      FROM named WHERE name IS NOT NULL
      UNION ALL
      SELECT key_id, name, (SELECT min(p.since) FROM pin p
        WHERE p.key_id = pinned.key_id AND p.name = pinned.name AND p.since > pinned.since)
      FROM pinned WHERE since IS NOT NULL)
    SELECT name, since FROM pinned x WHERE since IS NOT NULL AND EXISTS (
      SELECT 1 FROM pin p JOIN key c ON c.id = p.component_id
      WHERE p.key_id = x.key_id AND p.name = x.name AND p.since = x.since
        AND (c.current_version = p.component_version OR (c.kind = 'decision' AND EXISTS (
          SELECT 1 FROM version v
          WHERE v.key_id = c.id AND v.version = p.component_version AND v.state = 'proposed'))))""")
"""A step of the index for each value, whatever number of components pins it. What a proposal rests on counts: it may be
accepted later."""
_BODY_AT = Statement(
    # An outer join: where nothing was accepted then, an earlier version is no answer.
    sa.select(version)
    .select_from(
        key_history.outerjoin(
            version, (version.c.key_id == key_history.c.key_id) & (version.c.version == key_history.c.version)
        )
    )
    .where(key_history.c.key_id == _OF_KEY, key_history.c.revision <= given("revision"))
    .order_by(key_history.c.revision.desc())
    .limit(constant(1))
    .offset(constant(0))
)
_RESERVED = Statement(
    "SELECT k.key, v.text FROM key k JOIN version v ON v.key_id = k.id AND v.version = k.current_version "
    "WHERE k.key = 'choreography/team' "
    "OR (k.key >= 'role/' AND k.key < 'role0') OR (k.key >= 'member/' AND k.key < 'member0') "
    "OR (k.key >= 'source/' AND k.key < 'source0')"
)
_STATES = {str(state): state for state in KeyState}
_STATE = Statement("SELECT state FROM component_state WHERE component_id = :id")
_decided = key.alias("decision_key")
PINS = Statement(
    sa.select(_decided.c.key, pin.c.name, pin.c.side, pin.c.version, pin.c.since, pin.c.digest, pin.c.observed)
    .join(_decided, _decided.c.id == pin.c.key_id)
    .where(pin.c.component_id == given("id"), pin.c.component_version == given("version"))
    .order_by(_decided.c.key, pin.c.name, pin.c.side)
)
PATTERN_PINS = Statement(
    sa.select(pattern.c.pattern, pattern_pin.c.since)
    .join(pattern, pattern.c.id == pattern_pin.c.pattern_id)
    .where(pattern_pin.c.component_id == given("id"), pattern_pin.c.component_version == given("version"))
    .order_by(pattern.c.pattern)
)
_VERDICT = Statement("""
    SELECT v.passed, v.inputs, v.revision, EXISTS (
      SELECT 1 FROM verdict o WHERE o.check_name = v.check_name AND o.component_id = v.component_id
        AND o.inputs = v.inputs AND o.passed <> v.passed) AS flaky
    FROM verdict v JOIN key k ON k.id = v.component_id AND k.current_version = v.version
    WHERE k.key = :key AND v.check_name = :check ORDER BY v.revision DESC LIMIT 1""")
_POSITION = Statement(
    sa.select(step_instance.c.state).where(step_instance.c.key_id == _OF_KEY, step_instance.c.path == given("path"))
)
_DEADLINE = Statement(
    sa.select(deadline.c.round, deadline.c.due).where(deadline.c.key_id == _OF_KEY, deadline.c.path == given("path"))
)
_NEEDED = Statement(
    "SELECT c.key FROM requirement n JOIN key d ON d.id = n.key_id JOIN key c ON c.id = n.component_id "
    "WHERE d.key = :key AND n.named = 1"
)
_KINDS = Statement(
    sa.select(
        sa.case(
            ((change.c.kind == constant("accepted")) & (commit_log.c.role == constant(OPERATOR)), constant(RULED)),
            else_=change.c.kind,
        ).label("kind")
    )
    .join(commit_log, commit_log.c.revision == change.c.revision)
    .where(change.c.revision == given("revision"))
    .order_by(change.c.ordinal)
)


class _Standing:
    """A key as it stands, which rules ask for again and again."""

    __slots__ = ("asked", "body", "id", "live", "pinned", "record", "since")

    def __init__(self, key: str, row: sqlite3.Row) -> None:
        # By place: to find a column by its name, the driver compares it with each; here there are many.
        # And few, each of which takes the driver longer than the engine: not all of the current version.
        own, (self.asked, self.pinned, self.live, *current) = row[:_OWN], row[_OWN:]
        self.record = _record(key, own)
        self.id: int = own[-1]
        language, text, facets, self.since = current
        self.body = (
            None if language is None else Body(language, text or "", read_made(facets), self.record.digest or "")
        )


class HeadFacts:
    """The head, on a connection that sees one moment."""

    def __init__(self, connection: Reads, kept: Kept, *, in_turn: bool = False) -> None:
        self._on = self.on = connection
        self._in_turn = in_turn
        self._kept = kept
        self.revision: int
        self.revision, self._installed, self._first, self._constrained = connection.one(_HEAD)
        self._heads: dict[str, Mapping[str, FacetHead]] = {}
        self._standing: dict[str, _Standing | None] = {}
        self._named: dict[str, tuple[str, ...]] = {}  # key -> the constraints that name it

    def key(self, key: str) -> KeyRecord | None:
        """Return the record of a key that exists."""
        standing = self._standing.get(key) or self._stands(key)
        return None if standing is None else standing.record

    def _stands(self, key: str) -> _Standing | None:
        if key not in self._standing:
            row = self._on.one(_KEY, {"key": key})
            self._standing[key] = None if row is None else _Standing(key, row)
        return self._standing[key]

    def _of_key(self, statement: Statement, key: str, **more: Any) -> list[Any]:  # noqa: ANN401 - a statement's own
        """Return rows that belong to a key, none where it does not exist."""
        standing = self._stands(key)
        return [] if standing is None else self._on.all(statement, {"id": standing.id, **more})

    def keys(self, pattern: str) -> tuple[KeyRecord, ...]:
        """Return the records under a pattern, by key."""
        rows = self._on.all(_KEYS, keys.key_range(pattern))
        return tuple(key_record(row) for row in rows if keys.matches(pattern, row["key"]))

    def count(self, template: str) -> int:
        """Return how many keys under a template are not absent, without those that `install` writes."""
        return count_instances(self._on, template)

    def accepted_under(self, pattern: str) -> str | None:
        """Return the first key under a pattern that has an accepted decision."""
        return first_accepted(self._on, pattern)

    def version(self, key: str, version: int) -> VersionRecord | None:
        """Return one version."""
        rows, standing = self._of_key(_VERSION, key, version=version), self._stands(key)
        return version_record(key, rows[0]).with_current(standing.record.current) if rows and standing else None

    def proposed(self, key: str) -> tuple[VersionRecord, ...]:
        """Return the versions that are proposed and not settled, oldest first."""
        standing = self._stands(key)
        if standing is None or not standing.live:
            return ()
        return tuple(version_record(key, row) for row in self._of_key(_PROPOSED, key))

    def joint(self, joint: int) -> tuple[VersionRecord, ...]:
        """Return the versions of one joint proposal, by key."""
        return tuple(version_record(row[-1], row[:-1]) for row in self._on.all(_JOINT, {"joint": joint}))

    def votes(self, key: str, version: int) -> Mapping[str, bool]:
        """Return author -> yes."""
        return {author: bool(approve) for author, approve in self._of_key(_VOTES, key, version=version)}

    def former(self, key: str, digest: str) -> int | None:
        """Return a version that was accepted with this digest and is so no longer."""
        rows = self._of_key(_FORMER, key, digest=digest)
        return rows[0][0] if rows else None

    def question(self, key: str) -> QuestionRecord | None:
        """Return the open question."""
        standing = self._stands(key)
        rows = self._of_key(_QUESTION, key) if standing is not None and standing.asked else []
        return question_record(key, rows[0]) if rows else None

    def reserved(self) -> Reserved:
        """Return the values that `install` wrote; the same object while they are the same."""
        return _reserved_at(self._on, self._kept, self._installed, in_turn=self._in_turn)

    def head_facets(self, key: str) -> Mapping[str, FacetHead]:
        """Return facet name -> head, removed ones included."""
        if key not in self._heads:
            rows = self._of_key(_HEADS, key)
            self._heads[key] = {name: FacetHead(since, digest) for name, since, digest in rows}
        return self._heads[key]

    def pinned(self, key: str) -> tuple[tuple[str, int], ...]:
        """Return the (facet name, since) that current components pin, each once."""
        standing = self._stands(key)
        if standing is None or not standing.pinned:
            return ()
        return tuple((name, since) for name, since in self._of_key(_PINNED, key))

    def body_at(self, key: str, revision: int) -> Body | None:
        """Return the version that was accepted at a revision."""
        standing = self._stands(key)
        if standing is not None and standing.body is not None and revision >= standing.since:
            return standing.body
        rows = self._of_key(_BODY_AT, key, revision=revision)
        return body(rows[0]) if rows and rows[0]["version"] is not None else None

    def built(self, component: str) -> Built | None:
        """Return the component's newest version."""
        standing = self._stands(component)
        if standing is None or standing.record.kind != "component" or standing.record.current is None:
            return None
        record, here = standing.record, {"id": standing.id, "version": standing.record.current}
        freshness = Freshness(self._on.one(_STATE, here)["state"])
        pinned, listed = pins(self._on, here), pattern_pins(self._on, here)
        return Built(here["version"], record.digest or "", freshness, pinned, listed)

    def premises(self, key: str, version: int) -> tuple[Pin, ...]:
        """Return what a version of a decision rests on."""
        standing = self._stands(key)
        return () if standing is None else pins(self._on, {"id": standing.id, "version": version})

    def verdict(self, check: str, component: str) -> Judged | None:
        """Return the newest verdict on the newest version."""
        row = self._on.one(_VERDICT, {"key": component, "check": check})
        return None if row is None else Judged(bool(row["passed"]), row["inputs"], row["revision"], bool(row["flaky"]))

    def position(self, key: str, path: str) -> Mapping[str, JSON] | None:
        """Return a stored position of the choreography."""
        rows = self._of_key(_POSITION, key, path=path)
        found: Mapping[str, JSON] | None = json.loads(rows[0]["state"]) if rows else None
        return found

    def deadline(self, key: str, path: str) -> tuple[int, float] | None:
        """Return the round and the store time of the armed deadline."""
        rows = self._of_key(_DEADLINE, key, path=path)
        return (rows[0]["round"], rows[0]["due"]) if rows else None

    def needed(self, key: str) -> frozenset[str]:
        """Return the components whose accepted tasks name the decision."""
        return frozenset(row["key"] for row in self._on.all(_NEEDED, {"key": key}))

    def naming(self, key: str) -> tuple[str, ...]:
        """Return the keys of the accepted constraints whose expression names a key."""
        # Of a board without constraints nobody asks more.
        if not self._constrained:
            return ()
        if key not in self._named:
            rows = self._on.all(_NAMING, {"name": f"{NAMES}{key}"})
            self._named[key] = tuple(row["key"] for row in rows)
        return self._named[key]

    def kinds(self, revision: int) -> tuple[str, ...]:
        """Return the kinds of the changes of a commit.

        Raises:
            Compacted: It is no longer known which they were.
        """
        if 0 < revision < self._first:
            raise Compacted(revision, self._first)
        return tuple(row["kind"] for row in self._on.all(_KINDS, {"revision": revision}))


def reserved(on: Reads, kept: Kept, *, in_turn: bool = False) -> Reserved:
    """Return the values that `install` wrote; the same object while they are the same."""
    return _reserved_at(on, kept, on.one(_INSTALLED)[0], in_turn=in_turn)


def _reserved_at(on: Reads, kept: Kept, revision: int, *, in_turn: bool) -> Reserved:
    with kept.guard:
        if kept.revision == revision:
            return kept.reserved
    fresh = Reserved({row["key"]: parse_json(row["text"]) for row in on.all(_RESERVED)})
    with kept.guard:
        # What a turn sees may still be undone, and another commit get its revision: that is not kept.
        if revision > kept.revision and not in_turn:
            kept.revision, kept.reserved = revision, fresh
    return fresh


def key_record(row: Any) -> KeyRecord:  # noqa: ANN401 - a row
    """Return a row of `key` as a record."""
    return _record(row["key"], [row[name] for name in _RECORD])


def _record(key: str, columns: Any) -> KeyRecord:  # noqa: ANN401 - a row
    kind, state, last_version, current, digest, generation, mod_revision, identifier = columns
    return KeyRecord(
        key,
        kind,
        _STATES.get(state) or KeyState(state),
        last_version,
        current,
        digest,
        generation,
        mod_revision,
        identifier,
    )


def body(row: Any) -> Body:  # noqa: ANN401 - a row
    """Return the contract's text and digests of a row of `version`."""
    return Body(row["language"], row["text"] or "", json.loads(row["facets"]), row["digest"])


def version_record(key: str, row: Any) -> VersionRecord:  # noqa: ANN401 - a row
    """Return a row of `version`, all its columns in their order, as a record."""
    _, number, language, text, facets, digest, state, base, author, role, rationale, *more = row
    evidence, electorate, quorum, round_, joint, reason, revision, _, merged = more
    return VersionRecord(
        key,
        number,
        Body(language, text or "", json.loads(facets), digest),
        State(state),
        base,
        author,
        role,
        rationale,
        tuple(json.loads(evidence)) if evidence != "[]" else (),
        None if electorate is None else tuple(json.loads(electorate)),
        quorum,
        round_,
        joint,
        reason,
        revision,
        text is None,
        merged,
    )


def question_record(key: str, row: Any) -> QuestionRecord:  # noqa: ANN401 - a row
    """Return a row of `question` as a record."""
    return QuestionRecord(
        key, row["text"], tuple(json.loads(row["options"])), row["author"], row["role"], row["revision"]
    )


def pins(on: Reads, at: Mapping[str, int]) -> tuple[Pin, ...]:
    """Return the pins of a version of a component or decision (`id`, `version`)."""
    return tuple(
        Pin(
            row["key"],
            row["name"],
            Side(row["side"]),
            row["version"],
            row["since"],
            row["digest"],
            observed=row["observed"] is not None,
        )
        for row in on.all(PINS, at)
    )


def pattern_pins(on: Reads, at: Mapping[str, int]) -> tuple[PatternPin, ...]:
    """Return the patterns that a version of a component (`id`, `version`) listed."""
    return tuple(PatternPin(row["pattern"], row["since"]) for row in on.all(PATTERN_PINS, at))
