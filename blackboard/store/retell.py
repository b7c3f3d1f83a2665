"""A history told again to the rules: whatever follows from it, to be held against what stands in the tables.

Effects, positions, deadlines, needs and the like are written once and are no part of a change's digest, so a chain
cannot tell whether they are still what was written. The commits of the feed, turned back into what their authors
wanted and planned anew, give them again: on an empty board, or on what a compaction kept of the one before the first
kept revision. Where the rules of this library do not give the very change that was recorded, an earlier release made
it: telling stops there, and nothing is claimed of what follows.
"""

import itertools
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blackboard.choreography.values import OPERATOR
from blackboard.contracts.bodies import body_of
from blackboard.contracts.language import Contract
from blackboard.errors import BlackboardError, Compacted
from blackboard.spec import keys
from blackboard.spec.canonical import digest, digest_bytes
from blackboard.spec.changes import (
    OBSERVED,
    Act,
    Ask,
    Decide,
    Install,
    Intent,
    Judge,
    Observe,
    Plan,
    Propose,
    Refusal,
    Retract,
    Tick,
    VerdictRow,
    Vote,
    Withdraw,
    Write,
)
from blackboard.spec.halt import HALTS
from blackboard.spec.history import EVIDENCE
from blackboard.spec.reads import Reads
from blackboard.spec.records import Body
from blackboard.store import beginning, schema, upgrade
from blackboard.store.apply import Application
from blackboard.store.chain import chain
from blackboard.store.facts import HeadFacts, pattern_pins, pins
from blackboard.store.facts import Reads as On
from blackboard.store.opened import Store
from blackboard.store.remains import COMPACTED, compacted_content
from blackboard.store.session import Turn
from blackboard.store.sqlite import Database
from blackboard.store.statements import Statement, insert_into
from blackboard.store.wake import update_agenda
from blackboard.store.writer import Writer

Planner = Callable[[HeadFacts, Intent], Plan | Refusal]
Row = Any

_LOG = Statement("SELECT * FROM commit_log WHERE revision <= :until ORDER BY revision")
_CHANGES = Statement("""
    SELECT c.*, k.key FROM change c LEFT JOIN key k ON k.id = c.key_id
    WHERE c.revision = :revision ORDER BY c.ordinal""")
_VERSION = Statement("SELECT * FROM version WHERE key_id = :key_id AND version = :version")
_BEGUN = Statement("""
    SELECT k.key, b.digest FROM version v JOIN key k ON k.id = v.key_id
    JOIN version b ON b.key_id = v.key_id AND b.version = v.base
    WHERE v.key_id = :key_id AND v.version = :version AND v.merged IS NULL""")
_WRITTEN = Statement("SELECT 1 FROM version WHERE key_id = :id AND version = :version AND merged IS NULL")
_VOTE = Statement("SELECT * FROM vote WHERE key_id = :key_id AND version = :version AND author = :author")
_QUESTION = Statement("SELECT * FROM question WHERE key_id = :key_id AND revision = :revision")
_FILES = Statement("""
    SELECT f.path, f.blob, b.content FROM component_file f JOIN blob b ON b.digest = f.blob
    WHERE f.key_id = :key_id AND f.version = :version""")
_COMPONENT = Statement("SELECT author, role FROM component WHERE key_id = :key_id AND version = :version")
_VERDICTS = Statement("SELECT * FROM verdict WHERE component_id = :key_id AND revision = :revision")
_INSTALLED = Statement("""
    SELECT k.key, v.* FROM key k JOIN version v ON v.key_id = k.id
    LEFT JOIN compacted_key b ON b.key_id = k.id
    LEFT JOIN (SELECT key_id, version, max(revision) FROM change WHERE kind IN ('accepted', 'retracted')
      AND revision <= :revision GROUP BY key_id) c ON c.key_id = k.id
    WHERE v.version = coalesce(c.version, b.current)
      AND NOT EXISTS (SELECT 1 FROM change r WHERE r.key_id = k.id AND r.kind = 'retracted'
      AND r.version = v.version AND r.revision <= :revision)""")
_DEADLINE = Statement("""
    SELECT d.due FROM deadline d JOIN key k ON k.id = d.key_id WHERE k.key = :key AND d.path = :path""")
_COMPACTION = Statement("SELECT * FROM compaction WHERE revision = :revision")
_FOLDED = insert_into(schema.compaction)
_CHANGE = insert_into(schema.change)
_COMMIT = insert_into(schema.commit_log)
_ADVANCE = Statement("UPDATE board SET revision = :revision, digest = :digest")

INSTALLER = "install"
_KEY = Statement("SELECT id FROM key WHERE key = :key")
_CHANGED = Statement("UPDATE key SET mod_revision = :revision WHERE key = :key")
_HALT = Statement("UPDATE board SET halt = :halt, halt_reason = :reason")
_BOARD = Statement("SELECT first, halt, halt_reason, installed FROM board")

_CONSEQUENCES = frozenset({"required", "advanced", "rejected", "merged", "contested"})
_OF_RULES = _CONSEQUENCES | {
    *("asked", "voted", "withdrawn", "retracted", "written", "judged", "ticked", "proposed", "accepted"),
}
"""The kinds of changes that rules make; whatever else an operator did stands for itself."""

_WAYS = 16
"""How many readings of one commit are tried: a text accepted at once was decided or proposed, which is not recorded."""

DERIVED: Sequence[str] = tuple(
    table.name
    for table in schema.metadata.sorted_tables
    if table.name not in schema.CONTROL
    # What counts instances is counted where it lacks.
    and table.name not in ("board", "idempotency", "instance_count")
)
"""The tables that a history gives."""


@dataclass(slots=True)
class Retold:
    """A board in memory to which a history was told again.

    Attributes:
        revision: Of the last commit that could be told.
        stopped: Why it was not told to its end, "" where it was.
    """

    store: Store
    revision: int
    stopped: str = ""

    def close(self) -> None:
        """Forget it."""
        self.store.close()


def empty_store(database: Database, clock: Callable[[], float]) -> Store:
    """Return a new board without a history, on a file or in memory."""
    store = Store(database, Writer(database, clock), clock)
    upgrade.create(store)
    return store


def retell(on: On, planner: Planner, *, until: int, into: Database | None = None) -> Retold:
    """Tell the commits of a history, up to a revision, to the rules on an empty board.

    Of a compacted one, it begins with what was kept from before the first kept revision.

    Args:
        on: The history.
        planner: The rules.
        until: The last revision to tell.
        into: An empty file to tell it to; memory if None.
    """
    now = 0.0
    store = empty_store(into or Database(None, uuid.uuid4().hex), lambda: now)
    told = Retold(store, 0)
    first = beginning.first_revision(on)
    if first > 1:
        told.stopped = _begun(store, on, first)
        if told.stopped:
            return told
        told.revision = first - 1
    for row in on.all(_LOG, {"until": until}):
        now = float(row["at"])
        if row["revision"] != told.revision + 1:
            told.stopped = f"revision {told.revision + 1} is not kept"
            return told
        if why := _tell(store, on, planner, row):
            told.stopped = why
            return told
        told.revision = row["revision"]
    return told


def _begun(store: Store, on: On, first: int) -> str:
    try:
        return beginning.begin(store, on, first)
    except (BlackboardError, TypeError, ValueError, LookupError) as error:
        # As below: of what was kept, parts may be lost or be something else.
        return f"what was kept from before revision {first} cannot be read: {error}"


def _tell(store: Store, on: On, planner: Planner, row: Row) -> str:
    """Commit one revision again; return why it cannot be, "" where it was."""
    changes = on.all(_CHANGES, {"revision": row["revision"]})
    if changes and not any(change["kind"] in _OF_RULES for change in changes):
        return _repeat(store, on, row, changes)
    recorded = [(one["kind"], one["key"], one["version"], one["path"], one["digest"], one["reason"]) for one in changes]
    why = "no reading of it gives the changes that were recorded"
    try:
        premises = _premises(on, changes)
        for acts in itertools.islice(_readings(on, store, row, changes), _WAYS):
            named = Reads(_read(on, changes), premises, histories=dict.fromkeys({change["key"] for change in changes}))
            intent = Intent(row["author"], row["role"], acts, named, row["revision"] - 1, "", row["token"])
            found = _commit(store, planner, intent, recorded, row["digest"])
            if not found:
                return ""
            why = found
    except (BlackboardError, TypeError, ValueError, LookupError) as error:
        # In a history of which parts are lost, what stands behind a change may be gone or be something else.
        why = f"what it wrote cannot be read: {error}"
    return f"revision {row['revision']} is not what the rules of this library make of it ({why})"


def _read(on: On, changes: Iterable[Row]) -> dict[str, str | None]:
    """Return key -> digest of the version with which a new one began: what its author read."""
    return {
        row["key"]: row["digest"]
        for one in changes
        if one["kind"] == "proposed" and (row := on.one(_BEGUN, {name: one[name] for name in ("key_id", "version")}))
    }


def _commit(store: Store, planner: Planner, intent: Intent, recorded: Sequence[object], chained: str) -> str:
    def work(turn: Turn) -> None:
        planned = planner(_Past(turn, store.kept), intent)
        if isinstance(planned, Refusal):
            raise planned.error
        made = [(one.kind, one.key, one.version, one.path, one.digest, one.reason) for one in planned.changes]
        if made != recorded:
            raise _OtherwiseError("other changes")
        application = Application(turn, intent, planned)
        application.rows()
        if application.log() != chained:
            raise _OtherwiseError("another digest")
        # Without its token: the runs of that time are not told, so what an author did settles what it was woken for.
        update_agenda(turn, application.revision, planned, author=intent.author, token=None)

    try:
        store.writer.run(work, over_seal=True)
    except (_OtherwiseError, BlackboardError, KeyError) as error:
        return str(error)
    return ""


class _Past(HeadFacts):
    """The head as it was when a commit was made: what was cited then counted, though it was compacted since."""

    def kinds(self, revision: int) -> tuple[str, ...]:
        try:
            return super().kinds(revision)
        except Compacted:
            return tuple(EVIDENCE)


class _OtherwiseError(Exception):
    """The rules give something else; the turn is taken back."""


def _repeat(store: Store, on: On, row: Row, changes: Sequence[Row]) -> str:
    """Write an act of an operator's again: no rule stands behind it."""
    record = {name: row[name] for name in ("revision", "author", "role", "at", "token", "choreography")}
    content = [
        [one["ordinal"], one["kind"], one["key"], one["version"], one["author"], one["path"], one["digest"]]
        for one in changes
    ]

    def work(turn: Turn) -> None:
        if chain(turn.digest, record, content) != row["digest"]:
            raise _OtherwiseError(f"revision {row['revision']} has another digest")
        for one in changes:
            known = turn.one(_KEY, {"key": one["key"]})
            written = {column.name: one[column.name] for column in schema.change.columns}
            turn.run(_CHANGE, {**written, "key_id": None if known is None else known["id"]})
            turn.run(_CHANGED, {"key": one["key"], "revision": row["revision"]})
            if one["kind"] == COMPACTED:
                _compacted(turn, on, one)
            if one["key"] is None and one["kind"] in HALTS:
                turn.run(_HALT, {"halt": HALTS[one["kind"]], "reason": one["reason"]})
        turn.run(_COMMIT, {**record, "digest": row["digest"]})
        turn.run(_ADVANCE, {"revision": row["revision"], "digest": row["digest"]})
        turn.keep_time()

    try:
        store.writer.run(work, over_seal=True)
    except _OtherwiseError as error:
        return str(error)
    return ""


def _compacted(turn: Turn, on: On, change: Row) -> None:
    """Write what the log below a revision came to, if it is what the commit says."""
    found = on.one(_COMPACTION, {"revision": change["revision"]})
    said = None if found is None else (change["reason"], found["before"], found["digest"], found["state"])
    if found is None or said is None or digest(compacted_content(*said)) != change["digest"]:
        raise _OtherwiseError(f"what revision {change['revision']} says of what it compacted is lost")
    turn.run(_FOLDED, dict(found))


# --- from changes back to acts ---------------------------------------------------------------------------------------


def _readings(on: On, told: Store, row: Row, changes: Sequence[Row]) -> Iterator[tuple[Act, ...]]:
    """Yield what the author may have wanted, likeliest first."""
    if row["author"] == INSTALLER and row["role"] == OPERATOR and any(keys.is_reserved(one["key"]) for one in changes):
        yield (_install(on, row["revision"], changes),)
        return
    ways = [found for change in changes if (found := _acts(on, told, change, changes))]
    joint = [way[0].act for way in ways if isinstance(way[0], _Joint)]
    if joint:
        # What stands first of it stands for all of it.
        bodies = tuple(one for act in joint for one in act.bodies)
        whole = Propose(bodies, joint[0].rationale, joint[0].evidence)
        first = next(place for place, way in enumerate(ways) if isinstance(way[0], _Joint))
        rest = [way for way in ways[first + 1 :] if not isinstance(way[0], _Joint)]
        ways = [*ways[:first], [whole], *rest]
    for chosen in itertools.product(*ways):
        yield tuple(act for act in chosen if act is not None)


@dataclass(frozen=True, slots=True)
class _Joint:
    """A part of the commit's one joint proposal."""

    act: Propose


def _acts(on: On, told: Store, change: Row, changes: Sequence[Row]) -> list[Any]:
    """Return the acts that may stand behind a change, None for none; nothing where it is only a consequence."""
    kind, key = change["kind"], change["key"]
    if kind in _CONSEQUENCES:
        return []
    read: Mapping[str, Callable[[On, Row], list[Any]]] = {
        "asked": _asked,
        "voted": _voted,
        "withdrawn": lambda _, one: [Withdraw(key, one["version"])],
        "retracted": lambda _, one: [Retract(key, one["reason"])],
        "written": _written,
        "judged": _judged,
        "ticked": lambda _, one: _ticked(told, one),
        "proposed": lambda on, one: _proposed(on, one, changes),
        "accepted": lambda on, one: _accepted(on, one, changes),
    }
    found = read.get(kind)
    return [] if found is None else found(on, change)


def _premises(on: On, changes: Iterable[Row]) -> dict[tuple[str, str], str | None]:
    """Return what versions that the author wrote rest on, as reads: (key, facet name) -> digest."""
    added = ({"id": one["key_id"], "version": one["version"]} for one in changes if one["kind"] == "proposed")
    found = (pin for one in added if on.one(_WRITTEN, one) for pin in pins(on, one))
    return {(pin.key, pin.name): pin.digest or None for pin in found}


def _body(row: Row) -> Body:
    """Return the body of a version from its text alone: its digests may not be what they were."""
    return body_of(Contract(row["language"], row["text"]))


def _asked(on: On, change: Row) -> list[Any]:
    row = on.one(_QUESTION, {"key_id": change["key_id"], "revision": change["revision"]})
    return [Ask(change["key"], row["text"], tuple(json.loads(row["options"])))]


def _voted(on: On, change: Row) -> list[Any]:
    at = {"key_id": change["key_id"], "version": change["version"], "author": change["author"]}
    row = on.one(_VOTE, at)
    return [Vote(change["key"], change["version"], bool(row["approve"]), row["reason"])]


def _proposed(on: On, change: Row, changes: Sequence[Row]) -> list[Any]:
    row = on.one(_VERSION, {"key_id": change["key_id"], "version": change["version"]})
    if row["merged"] is not None:
        return []
    key, text = change["key"], _body(row)
    proposal = Propose(((key, text),), row["rationale"], tuple(json.loads(row["evidence"])))
    if row["joint"] is not None:
        return [_Joint(proposal)]
    settled = {(kind, key, change["version"]) for kind in ("accepted", "merged")}
    decided = any((one["kind"], one["key"], one["version"]) in settled for one in changes)
    bounded = any((one["kind"], one["key"]) == ("contested", key) for one in changes)
    if row["electorate"] is not None or proposal.evidence or not (decided or bounded):
        return [proposal]
    return [Decide(key, text, row["rationale"]), proposal]


def _accepted(on: On, change: Row, changes: Sequence[Row]) -> list[Any]:
    """Return the acts behind an acceptance of what was not proposed in the same commit; a vote accepts by itself."""
    key, version = change["key"], change["version"]
    if any((one["kind"], one["key"], one["version"]) == ("proposed", key, version) for one in changes):
        return []
    row = on.one(_VERSION, {"key_id": change["key_id"], "version": version})
    upheld = [Decide(key, _body(row)), Propose(((key, _body(row)),))]
    return [None, *upheld] if any(one["kind"] == "voted" for one in changes) else upheld


def _written(on: On, change: Row) -> list[Any]:
    at = {"key_id": change["key_id"], "version": change["version"]}
    here = {"id": change["key_id"], "version": change["version"]}
    files = {one["path"]: (one["blob"], bytes(one["content"])) for one in on.all(_FILES, at)}
    for path, (name, content) in files.items():
        if digest_bytes(content) != name:
            raise ValueError(f"file {path} of {change['key']} is not the one that was written")
    said = (change["key"], files, pins(on, here), pattern_pins(on, here))
    return [Observe(*said, *on.one(_COMPONENT, at)) if change["path"] == OBSERVED else Write(*said)]


def _judged(on: On, change: Row) -> list[Any]:
    found = []
    for row in on.all(_VERDICTS, {"key_id": change["key_id"], "revision": change["revision"]}):
        given = (row["check_name"], change["key"], row["version"], bool(row["passed"]), row["log"], row["inputs"])
        if digest(VerdictRow(*given, row["author"]).content()) == change["digest"]:
            found.append(Judge(*given))
    return found


def _ticked(told: Store, change: Row) -> list[Any]:
    with told.database.reading() as on:
        armed = on.one(_DEADLINE, {"key": change["key"], "path": change["path"]})
    return [] if armed is None else [Tick(change["key"], change["path"], change["version"], armed["due"])]


def _install(on: On, revision: int, changes: Iterable[Row]) -> Install:
    """Return the installation of the team whose keys stand after a revision."""
    named = {one["key"] for one in changes if one["kind"] == "proposed"}
    bodies: dict[str, Body] = {}
    for row in on.all(_INSTALLED, {"revision": revision}):
        if keys.is_reserved(row["key"]) or row["key"] in named:
            bodies[row["key"]] = _body(row)
    return Install(bodies)


# --- what stands against what follows --------------------------------------------------------------------------------


def differences(on: On, told: On) -> Iterator[str]:
    """Yield each row that stands and does not follow from the history, and each that follows and is missing."""
    for name, statement in {"board": _BOARD, **{name: beginning.by_name(name) for name in DERIVED}}.items():
        stands, follows = _rows(on, statement), _rows(told, statement)
        for row in sorted(stands - follows, key=repr):
            yield f"{name} has a row that its history does not give: {_shown(row)}"
        for row in sorted(follows - stands, key=repr):
            yield f"{name} lacks a row that its history gives: {_shown(row)}"


def _rows(on: On, statement: Statement) -> set[tuple[Any, ...]]:
    # The type stands beside the value: 1 and 1.0 are equal here, and not the same in a file.
    return {tuple((type(value).__name__, value) for value in row) for row in on.all(statement)}


def _shown(row: Sequence[Any]) -> str:
    text = ", ".join(ascii(value) for _, value in row)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


_SHOWN = 160
