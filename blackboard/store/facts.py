"""The head of a board, as rules ask for it (`plan.view.Facts`), in SQL."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

import sqlalchemy as sa

from blackboard.choreography.values import OPERATOR
from blackboard.errors import Compacted
from blackboard.spec import keys
from blackboard.spec.canonical import JSON, parse_json
from blackboard.spec.effects import Side
from blackboard.spec.history import RULED
from blackboard.spec.lifecycle import KeyState, State
from blackboard.spec.records import Body, KeyRecord, QuestionRecord, Reserved, VersionRecord
from blackboard.spec.staleness import Built, FacetHead, Freshness, PatternPin, Pin
from blackboard.store.instances import count_instances, first_accepted
from blackboard.store.opened import Kept
from blackboard.store.schema import board as board_table
from blackboard.store.schema import (
    change,
    commit_log,
    deadline,
    head_facet,
    key,
    pattern,
    pattern_pin,
    pin,
    position,
    question,
    tenure,
    verdict,
    version,
    vote,
)
from blackboard.store.statements import Parameters, Statement, given


def _of_key(table: sa.Table, *columns: sa.ColumnElement[Any], by: str = "key_id") -> sa.Select[Any]:
    return sa.select(*(columns or table.columns)).join(key, key.c.id == table.c[by]).where(key.c.key == given("key"))


_HEAD = Statement(sa.select(board_table.c.revision, board_table.c.installed, board_table.c.first))
_KEY_COLUMNS = (*(column.name for column in key.c), *(f"current_{column.name}" for column in version.c))
_CURRENT = [column.label(f"current_{column.name}") for column in version.c]
_KEY = Statement(
    sa.select(key, *_CURRENT)
    .outerjoin(version, (version.c.key_id == key.c.id) & (version.c.version == key.c.current))
    .where(key.c.key == given("key"))
)
_KEYS = Statement(sa.select(key).where(key.c.key >= given("low"), key.c.key < given("high")).order_by(key.c.key))
_COLUMNS = tuple(column.name for column in version.c)
_VERSION = Statement(_of_key(version).where(version.c.version == given("version")))
_PROPOSED = Statement(_of_key(version).where(version.c.state == State.PROPOSED.value).order_by(version.c.version))
_JOINT = Statement(
    sa.select(version, key.c.key)
    .join(key, key.c.id == version.c.key_id)
    .where(version.c.joint == given("joint"))
    .order_by(key.c.key)
)
_VOTES = Statement(_of_key(vote, vote.c.author, vote.c.approve).where(vote.c.version == given("version")))
_FORMER = Statement(
    _of_key(version, sa.func.max(version.c.version).label("version")).where(
        version.c.digest == given("digest"), version.c.state.in_([State.SUPERSEDED.value, State.RETRACTED.value])
    )
)
_QUESTION = Statement(_of_key(question).where(question.c.closed_revision.is_(None)))
_HEADS = Statement(_of_key(head_facet, head_facet.c.name, head_facet.c.since, head_facet.c.digest))
_PINNED = Statement("""
    WITH RECURSIVE named(key_id, name) AS (
      SELECT id, (SELECT min(p.name) FROM pin p WHERE p.key_id = key.id) FROM key WHERE key = :key
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
      SELECT 1 FROM pin p JOIN key c ON c.id = p.component_id AND c.current = p.component_version
      WHERE p.key_id = x.key_id AND p.name = x.name AND p.since = x.since)""")
"""A step of the index for each value, whatever number of components pins it."""
_BODY_AT = Statement(
    # An outer join: where nothing was accepted then, an earlier version is no answer.
    sa.select(version)
    .select_from(
        tenure.join(key, key.c.id == tenure.c.key_id).outerjoin(
            version, (version.c.key_id == tenure.c.key_id) & (version.c.version == tenure.c.version)
        )
    )
    .where(key.c.key == given("key"), tenure.c.revision <= given("revision"))
    .order_by(tenure.c.revision.desc())
    .limit(1)
)
_RESERVED = Statement(
    "SELECT k.key, v.text FROM key k JOIN version v ON v.key_id = k.id AND v.version = k.current "
    "WHERE k.key = 'choreography/team' "
    "OR (k.key >= 'role/' AND k.key < 'role0') OR (k.key >= 'member/' AND k.key < 'member0') "
    "OR (k.key >= 'source/' AND k.key < 'source0')"
)
_STATE = Statement("SELECT state FROM component_state WHERE component_id = :id")
_decided = key.alias("decision_key")
PINS = Statement(
    sa.select(_decided.c.key, pin.c.name, pin.c.side, pin.c.version, pin.c.since, pin.c.digest)
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
_VERDICT = Statement(
    sa.select(verdict.c.passed, verdict.c.inputs)
    .join(key, (key.c.id == verdict.c.component_id) & (key.c.current == verdict.c.version))
    .where(key.c.key == given("key"), verdict.c.check_name == given("check"))
    .order_by(verdict.c.revision.desc())
    .limit(1)
)
_POSITION = Statement(_of_key(position, position.c.state).where(position.c.path == given("path")))
_DEADLINE = Statement(_of_key(deadline, deadline.c.round, deadline.c.due).where(deadline.c.path == given("path")))
_NEEDED = Statement(
    "SELECT c.key FROM need n JOIN key d ON d.id = n.key_id JOIN key c ON c.id = n.component_id "
    "WHERE d.key = :key AND n.named = 1"
)
_KINDS = Statement(
    sa.select(
        sa.case(((change.c.kind == "accepted") & (commit_log.c.role == OPERATOR), RULED), else_=change.c.kind).label(
            "kind"
        )
    )
    .join(commit_log, commit_log.c.revision == change.c.revision)
    .where(change.c.revision == given("revision"))
    .order_by(change.c.ordinal)
)


class Rows(Protocol):
    """What answers one statement at a time: a database, a connection or a turn."""

    def all(self, statement: Statement, parameters: Parameters | None = None) -> list[Any]:
        """Run a statement and return its rows."""


class Reads(Rows, Protocol):
    """What sees one moment with all statements: a connection in a transaction, or a turn."""

    def one(self, statement: Statement, parameters: Parameters | None = None) -> Any:  # noqa: ANN401 - a row
        """Run a statement and return its first row, None where there is none."""


class HeadFacts:
    """The head, on a connection that sees one moment."""

    def __init__(self, connection: Reads, kept: Kept, *, in_turn: bool = False) -> None:
        self._on = connection
        self._in_turn = in_turn
        self._kept = kept
        head = connection.one(_HEAD)
        self.revision: int = head["revision"]
        self._installed: int = head["installed"]
        self._heads: dict[str, Mapping[str, FacetHead]] = {}
        self._rows: dict[str, Any] = {}  # of keys that were asked for: rules ask for the same again and again
        self._first: int = head["first"]

    def key(self, key: str) -> KeyRecord | None:
        """Return the record of a key that exists."""
        row = self._row(key)
        return None if row is None else key_record(row)

    def _row(self, key: str) -> Any:  # noqa: ANN401 - a row
        if key not in self._rows:
            row = self._on.one(_KEY, {"key": key})
            # To find a column by its name, the driver compares it with each; here there are many.
            self._rows[key] = None if row is None else dict(zip(_KEY_COLUMNS, row, strict=True))
        return self._rows[key]

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
        known = self._row(key)
        if known is not None and known["current"] == version:
            return version_record(key, {name: known[f"current_{name}"] for name in _COLUMNS})
        row = self._on.one(_VERSION, {"key": key, "version": version})
        return None if row is None else version_record(key, row)

    def proposed(self, key: str) -> tuple[VersionRecord, ...]:
        """Return the versions that are proposed and not settled, oldest first."""
        known = self._row(key)
        # Who is accepted rejects all that were proposed before, so later versions are all that may live.
        if known is None or known["last_version"] == known["current"]:
            return ()
        return tuple(version_record(key, row) for row in self._on.all(_PROPOSED, {"key": key}))

    def joint(self, joint: int) -> tuple[VersionRecord, ...]:
        """Return the versions of one joint proposal, by key."""
        return tuple(version_record(row["key"], row) for row in self._on.all(_JOINT, {"joint": joint}))

    def votes(self, key: str, version: int) -> Mapping[str, bool]:
        """Return author -> yes."""
        rows = self._on.all(_VOTES, {"key": key, "version": version})
        return {row["author"]: bool(row["approve"]) for row in rows}

    def former(self, key: str, digest: str) -> int | None:
        """Return a version that was accepted with this digest and is so no longer."""
        found: int | None = self._on.one(_FORMER, {"key": key, "digest": digest})["version"]
        return found

    def question(self, key: str) -> QuestionRecord | None:
        """Return the open question."""
        known = self._row(key)
        if known is None or not known["question_revision"]:
            return None
        row = self._on.one(_QUESTION, {"key": key})
        return None if row is None else question_record(key, row)

    def reserved(self) -> Reserved:
        """Return the values that `install` wrote; the same object while they are the same."""
        return _reserved_at(self._on, self._kept, self._installed, in_turn=self._in_turn)

    def head_facets(self, key: str) -> Mapping[str, FacetHead]:
        """Return facet name -> head, removed ones included."""
        if key not in self._heads:
            rows = self._on.all(_HEADS, {"key": key})
            self._heads[key] = {name: FacetHead(since, digest) for name, since, digest in rows}
        return self._heads[key]

    def pinned(self, key: str) -> tuple[tuple[str, int], ...]:
        """Return the (facet name, since) that current components pin, each once."""
        return tuple((row["name"], row["since"]) for row in self._on.all(_PINNED, {"key": key}))

    def body_at(self, key: str, revision: int) -> Body | None:
        """Return the version that was accepted at a revision."""
        known = self._row(key)
        if known is not None and known["current"] is not None and revision >= known["current_settled_revision"]:
            return body({name: known[f"current_{name}"] for name in _COLUMNS})
        row = self._on.one(_BODY_AT, {"key": key, "revision": revision})
        return None if row is None or row["version"] is None else body(row)

    def built(self, component: str) -> Built | None:
        """Return the component's newest version."""
        row = self._row(component)
        if row is None or row["kind"] != "component" or row["current"] is None:
            return None
        at = {"id": row["id"], "version": row["current"]}
        state = self._on.one(_STATE, {"id": row["id"]})["state"]
        return Built(row["current"], row["digest"], Freshness(state), pins(self._on, at), pattern_pins(self._on, at))

    def verdict(self, check: str, component: str) -> tuple[bool, str] | None:
        """Return (passed, digest of inputs) of the newest verdict on the newest version."""
        row = self._on.one(_VERDICT, {"key": component, "check": check})
        return None if row is None else (bool(row["passed"]), row["inputs"])

    def position(self, key: str, path: str) -> Mapping[str, JSON] | None:
        """Return a stored position of the choreography."""
        row = self._on.one(_POSITION, {"key": key, "path": path})
        found: Mapping[str, JSON] | None = None if row is None else json.loads(row["state"])
        return found

    def deadline(self, key: str, path: str) -> tuple[int, float] | None:
        """Return the round and the store time of the armed deadline."""
        row = self._on.one(_DEADLINE, {"key": key, "path": path})
        return None if row is None else (row["round"], row["due"])

    def needed(self, key: str) -> frozenset[str]:
        """Return the components whose accepted tasks name the decision."""
        return frozenset(row["key"] for row in self._on.all(_NEEDED, {"key": key}))

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
    return _reserved_at(on, kept, on.one(_HEAD)["installed"], in_turn=in_turn)


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
    return KeyRecord(
        row["key"],
        row["kind"],
        KeyState(row["state"]),
        row["last_version"],
        row["current"],
        row["digest"],
        row["generation"],
        row["mod_revision"],
    )


def body(row: Any) -> Body:  # noqa: ANN401 - a row
    """Return the contract's text and digests of a row of `version`."""
    return Body(row["language"], row["text"] or "", json.loads(row["facets"]), row["digest"])


def version_record(key: str, row: Any) -> VersionRecord:  # noqa: ANN401 - a row
    """Return a row of `version` as a record."""
    electorate = row["electorate"]
    return VersionRecord(
        key,
        row["version"],
        body(row),
        State(row["state"]),
        row["base"],
        row["author"],
        row["role"],
        row["rationale"],
        tuple(json.loads(row["evidence"])) if row["evidence"] != "[]" else (),
        None if electorate is None else tuple(json.loads(electorate)),
        row["quorum"],
        row["round"],
        row["joint"],
        row["reason"],
        row["revision"],
        row["text"] is None,
    )


def question_record(key: str, row: Any) -> QuestionRecord:  # noqa: ANN401 - a row
    """Return a row of `question` as a record."""
    return QuestionRecord(
        key, row["text"], tuple(json.loads(row["options"])), row["author"], row["role"], row["revision"]
    )


def pins(on: Reads, at: Mapping[str, int]) -> tuple[Pin, ...]:
    """Return the pins of a version of a component (`id`, `version`)."""
    return tuple(
        Pin(row["key"], row["name"], Side(row["side"]), row["version"], row["since"], row["digest"])
        for row in on.all(PINS, at)
    )


def pattern_pins(on: Reads, at: Mapping[str, int]) -> tuple[PatternPin, ...]:
    """Return the patterns that a version of a component (`id`, `version`) listed."""
    return tuple(PatternPin(row["pattern"], row["since"]) for row in on.all(PATTERN_PINS, at))
