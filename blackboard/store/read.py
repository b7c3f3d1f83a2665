"""A board as it was at any kept revision: rows by key and by pattern, each as of that revision."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from blackboard.spec import keys
from blackboard.spec.canonical import digest
from blackboard.spec.effects import Effect, Side
from blackboard.spec.lifecycle import State
from blackboard.spec.records import QuestionRecord, VersionRecord
from blackboard.spec.staleness import UNCHECKED, Checked, FacetHead, Freshness, PatternPin, Pin, of_component
from blackboard.store.facts import pattern_pins, pins, question_record, version_record
from blackboard.store.statements import Reads, Rows, Statement

Row = Any
Found = TypeVar("Found")
Name = TypeVar("Name")

_BOARD = Statement(
    "SELECT epoch, revision, digest, store_time, installed, first_revision, mode, mode_reason FROM board"
)
_LOG = Statement("SELECT * FROM commit_log WHERE revision = :revision")
_CHANGED = """coalesce((SELECT max(c.revision) FROM change c WHERE c.key_id = k.id AND c.revision <= :at),
        k.compacted_revision)"""
_KEY = Statement(f"""
    SELECT k.id, k.key, k.kind, k.create_revision, t.version, t.state, t.revision AS since,
      {_CHANGED} AS mod_revision
    FROM key k JOIN key_history t ON t.key_id = k.id
      AND t.revision = (SELECT max(revision) FROM key_history WHERE key_id = k.id AND revision <= :at)
    WHERE k.key = :key""")
_KEYS = Statement(f"""
    SELECT k.id, k.key, k.kind, k.create_revision, t.version, t.state, t.revision AS since,
      {_CHANGED} AS mod_revision
    FROM key k JOIN key_history t ON t.key_id = k.id
      AND t.revision = (SELECT max(revision) FROM key_history WHERE key_id = k.id AND revision <= :at)
    WHERE k.kind = :kind AND k.key >= :low AND k.key < :high ORDER BY k.key""")
_STOOD = "SELECT t.{} FROM key_history t WHERE t.key_id = k.id AND t.revision <= :at ORDER BY t.revision DESC LIMIT 1"
# Nearly all that is asked for still stands, and then the row of the key says it all.
_ACCEPTED = f"""
    SELECT k.id, k.key, k.create_revision, v.version,
      CASE WHEN k.mod_revision <= :at THEN k.state ELSE ({_STOOD.format("state")}) END AS state,
      v.language, v.text, v.facets, v.digest, v.author, v.role, v.rationale, v.electorate,
      CASE WHEN k.mod_revision <= :at THEN k.mod_revision ELSE {_CHANGED} END AS mod_revision,
      (SELECT first_revision FROM board) AS first
    FROM key k JOIN version v ON v.key_id = k.id
      AND v.version = CASE WHEN k.mod_revision <= :at THEN k.current_version ELSE ({_STOOD.format("version")}) END
    WHERE k.kind = 'decision' AND"""
_DECISION = Statement(f"{_ACCEPTED} k.key = :key")
_DECISIONS = Statement(f"{_ACCEPTED} k.key >= :low AND k.key < :high ORDER BY k.key")
_LAST_CHANGE = Statement(f"SELECT {_CHANGED} AS revision FROM key k WHERE k.key = :key")
_VERSION = Statement("SELECT * FROM version WHERE key_id = :id AND version = :version")
_VERSIONS = Statement("SELECT * FROM version WHERE key_id = :id AND revision <= :at ORDER BY version")
_JOINT = Statement(
    "SELECT k.key FROM version v JOIN key k ON k.id = v.key_id WHERE v.joint_revision = :joint ORDER BY k.key"
)
_VOTES = Statement(
    "SELECT author, approve, reason, revision FROM vote "
    "WHERE key_id = :id AND version = :version AND revision <= :at ORDER BY revision"
)
_QUESTIONS = Statement("""
    SELECT k.key, q.* FROM question q JOIN key k ON k.id = q.key_id
    WHERE q.revision <= :at AND coalesce(q.closed_revision, :at + 1) > :at AND k.key >= :low AND k.key < :high
    ORDER BY k.key""")
_COMPONENT = Statement("SELECT * FROM component_version WHERE key_id = :id AND version = :version")
_FILES = Statement("""
    SELECT f.path, b.content FROM component_file f JOIN blob b ON b.digest = f.blob
    WHERE f.key_id = :id AND f.version = :version ORDER BY f.path""")
_CODE = Statement("""
    SELECT 1 FROM component_file WHERE key_id = :id AND version = :version AND path LIKE '%.py' LIMIT 1""")
_VERDICTS = Statement("""
    SELECT check_name, version, passed, log, inputs, author, max(revision) AS revision FROM verdict
    WHERE component_id = :id AND version = :version AND revision <= :at GROUP BY check_name ORDER BY check_name""")
_TESTED = Statement("""
    SELECT revision, min(passed) AS passed FROM verdict
    WHERE component_id = :id AND version = :version AND settles_suspicion = 1 AND revision <= :at
    GROUP BY revision ORDER BY revision DESC LIMIT 1""")
_HISTORY = Statement("""
    SELECT t.revision, v.facets FROM key_history t JOIN key k ON k.id = t.key_id
    LEFT JOIN version v ON v.key_id = t.key_id AND v.version = t.version
    WHERE k.key = :key AND t.revision <= :at ORDER BY t.revision DESC""")
_HEADS = Statement("""
    SELECT h.name, h.since, h.digest FROM current_facet h JOIN key k ON k.id = h.key_id WHERE k.key = :key""")
_EFFECT = Statement("""
    SELECT e.uses, e.implements, e.reason FROM facet_effect e JOIN key k ON k.id = e.key_id
    WHERE k.key = :key AND e.name = :name AND e.new_since = :new_since AND e.old_since = :old_since""")


def board_row(on: Rows) -> Row:
    """Return the board's own row."""
    return on.all(_BOARD)[0]


def log_row(on: Reads, revision: int) -> Row:
    """Return the log's entry of a revision, None where there is none."""
    return on.one(_LOG, {"revision": revision})


def decision_row(on: Rows, key: str, at: int) -> Row:
    """Return what is accepted of a key as of a revision, in one statement; None where nothing is."""
    rows = on.all(_DECISION, {"key": key, "at": at})
    return rows[0] if rows else None


def decision_rows(on: Rows, pattern: str, at: int) -> list[Row]:
    """Return what is accepted under a pattern as of a revision, by key, in one statement."""
    rows = on.all(_DECISIONS, {**keys.key_range(pattern), "at": at})
    return [row for row in rows if keys.matches(pattern, row["key"])]


def key_row(on: Reads, key: str, at: int) -> Row:
    """Return a key (id, key, kind, version, state, since, create_revision, mod_revision) as of a revision, or None."""
    return on.one(_KEY, {"key": key, "at": at})


def last_change(on: Reads, key: str, at: int) -> int | None:
    """Return the revision of a key's last change of any kind, also of one that is only named so far."""
    row = on.one(_LAST_CHANGE, {"key": key, "at": at})
    found: int | None = None if row is None else row["revision"]
    return found


def key_rows(on: Reads, pattern: str, kind: str, at: int) -> list[Row]:
    """Return the keys of a kind under a pattern as of a revision, by key."""
    rows = on.all(_KEYS, {**keys.key_range(pattern), "kind": kind, "at": at})
    return [row for row in rows if keys.matches(pattern, row["key"])]


def version_of(on: Reads, row: Row, version: int) -> VersionRecord:
    """Return one version of a key."""
    return version_record(row["key"], on.one(_VERSION, {"id": row["id"], "version": version})).with_current(
        row["version"]
    )


def versions(on: Reads, row: Row, at: int) -> list[VersionRecord]:
    """Return all versions of a key as of a revision, oldest first, each in the state that it then had."""
    found = []
    for one in on.all(_VERSIONS, {"id": row["id"], "at": at}):
        record = version_record(row["key"], one).with_current(row["version"])
        settled = one["settled_revision"]
        state = State.PROPOSED if settled is None or settled > at else record.state
        if row["version"] == record.version:
            state = State.ACCEPTED
        # Why it lost or was retracted is no news from the future.
        reason = record.reason if state is record.state else ""
        found.append(record._replace(state=state, reason=reason, settled=settled))
    return found


def keys_of(on: Reads, joint: int) -> list[str]:
    """Return the keys of one joint proposal."""
    return [row["key"] for row in on.all(_JOINT, {"joint": joint})]


def votes(on: Rows, row: Row, version: int, at: int) -> list[Row]:
    """Return the votes on a version as of a revision, in the order in which they were cast."""
    return on.all(_VOTES, {"id": row["id"], "version": version, "at": at})


def questions(on: Reads, pattern: str, at: int) -> list[QuestionRecord]:
    """Return the questions open at a revision, by key."""
    rows = on.all(_QUESTIONS, {**keys.key_range(pattern), "at": at})
    return [question_record(row["key"], row) for row in rows if keys.matches(pattern, row["key"])]


def component(on: Reads, row: Row) -> Row:
    """Return the row of a component's version."""
    return on.one(_COMPONENT, {"id": row["id"], "version": row["version"]})


def files(on: Reads, row: Row) -> dict[str, bytes]:
    """Return path -> content of a component's version."""
    found = on.all(_FILES, {"id": row["id"], "version": row["version"]})
    return {one["path"]: bytes(one["content"]) for one in found}


def has_code(on: Reads, row: Row) -> bool:
    """Say whether one of the files of a component's version is a Python file."""
    return bool(on.all(_CODE, {"id": row["id"], "version": row["version"]}))


def built_against(on: Reads, row: Row) -> tuple[tuple[Pin, ...], tuple[PatternPin, ...]]:
    """Return the pins and pattern pins of a component's version."""
    here = {"id": row["id"], "version": row["version"]}
    return pins(on, here), pattern_pins(on, here)


def verdicts(on: Reads, row: Row, at: int) -> list[Row]:
    """Return the newest verdict of each check on a component's version, as of a revision."""
    return on.all(_VERDICTS, {"id": row["id"], "version": row["version"], "at": at})


def facet_heads(on: Reads, key: str, at: int) -> dict[str, FacetHead]:
    """Return facet name -> value as of a revision and since when it has it; "" is the set of names."""
    now = on.all(_HEADS, {"key": key})
    if all(row["since"] <= at for row in now):
        return {row["name"]: FacetHead(row["since"], row["digest"]) for row in now if row["digest"] is not None}
    heads: dict[str, FacetHead] = {}
    going: set[str] | None = None
    for row in on.all(_HISTORY, {"key": key, "at": at}):
        facets: dict[str, str] = {} if row["facets"] is None else json.loads(row["facets"])
        if row["facets"] is not None:
            facets[""] = digest(sorted(facets))
        if going is None:
            heads = {name: FacetHead(row["revision"], value) for name, value in facets.items()}
            going = set(heads)
            continue
        going = {name for name in going if facets.get(name) == heads[name].digest}
        for name in going:
            heads[name] = FacetHead(row["revision"], heads[name].digest)
        if not going:
            break
    return heads


def _removed(on: Reads, key: str, name: str, at: int) -> FacetHead | None:
    """Return since when a decision lacks a facet that it had, None where it never had it."""
    since = 0
    for row in on.all(_HISTORY, {"key": key, "at": at}):
        if row["facets"] is not None and name in json.loads(row["facets"]):
            return FacetHead(since, None)
        since = row["revision"]
    return None


class Freshnesses:
    """How components stood at one revision; decisions that several of them pin are looked up once."""

    def __init__(self, on: Reads, at: int) -> None:
        self._on = on
        self._at = at
        self._heads: dict[str, Mapping[str, FacetHead]] = {}
        self._rows: dict[str, Row] = {}
        self._newest: dict[str, int] = {}
        self._gone: dict[tuple[str, str], FacetHead | None] = {}

    def of(self, row: Row, pinned: tuple[Pin, ...], listed: tuple[PatternPin, ...]) -> Freshness:
        """Return how the version of a component (`id`, `version`) with these pins stood."""
        return of_component(
            pinned,
            listed,
            checked=self.checked(row),
            head=self._facet,
            effect=self._effect,
            retracted=self._retracted,
            newest_member=self._newest_member,
        )

    def values(self, pinned: Iterable[Pin]) -> tuple[str, ...]:
        """Return the digest that each pinned facet had, "" where there was none."""
        heads = (self._head(pin.key).get(pin.name) for pin in pinned)
        return tuple("" if head is None else head.digest or "" for head in heads)

    def checked(self, row: Row) -> Checked:
        """Return what the checks of the version of a component (`id`, `version`) said last while it was suspect."""
        found = self._on.one(_TESTED, {"id": row["id"], "version": row["version"], "at": self._at})
        return UNCHECKED if found is None else Checked(found["revision"], bool(found["passed"]))

    def _facet(self, key: str, name: str) -> FacetHead | None:
        found = self._head(key).get(name)
        return found or _kept(self._gone, (key, name), lambda: _removed(self._on, key, name, self._at))

    def _head(self, key: str) -> Mapping[str, FacetHead]:
        return _kept(self._heads, key, lambda: facet_heads(self._on, key, self._at))

    def _row(self, key: str) -> Row:
        return _kept(self._rows, key, lambda: key_row(self._on, key, self._at))

    def _retracted(self, key: str) -> bool:
        row = self._row(key)
        # What is pinned was accepted once; it stays retracted while somebody only asks about it anew.
        return row is not None and row["version"] is None

    def _effect(self, pin: Pin, now: FacetHead) -> Effect | None:
        at = {"key": pin.key, "name": pin.name, "new_since": now.since, "old_since": pin.since}
        row = self._on.one(_EFFECT, at)
        return None if row is None else Effect(row["uses"] if pin.side is Side.USES else row["implements"])

    def _newest_member(self, pattern: str) -> int:
        return _kept(self._newest, pattern, lambda: self._joined(pattern))

    def _joined(self, pattern: str) -> int:
        members = [row for row in key_rows(self._on, pattern, "decision", self._at) if row["version"] is not None]
        return max((_joined_at(self._on, row["key"], self._at) for row in members), default=0)


_JOINED_AT = Statement("""
    SELECT min(t.revision) AS revision FROM key_history t JOIN key k ON k.id = t.key_id
    WHERE k.key = :key AND t.revision <= :at AND t.version IS NOT NULL AND t.revision > coalesce(
      (SELECT max(g.revision) FROM key_history g WHERE g.key_id = k.id AND g.revision <= :at AND g.version IS NULL),
        0)""")


def _joined_at(on: Reads, key: str, at: int) -> int:
    return int(on.one(_JOINED_AT, {"key": key, "at": at})["revision"])


def effect_of(on: Reads, pin: Pin, now: FacetHead) -> tuple[str, str, str] | None:
    """Return (effect on uses, effect on implements, reason) of what became of a pinned value, None if unrecorded."""
    row = on.one(_EFFECT, {"key": pin.key, "name": pin.name, "new_since": now.since, "old_since": pin.since})
    return None if row is None else (row["uses"], row["implements"], row["reason"])


def _kept(table: dict[Name, Found], name: Name, make: Callable[[], Found]) -> Found:
    if name not in table:
        table[name] = make()
    return table[name]
