"""What stands on a damaged board of which no commit can be told, decided and written anew on an empty one.

It is the last resort of `recover`: each text and file that has the digest which two tables name is taken by itself, as
an operator's act under the rules of this library. Who proposed and voted, what was judged, and what is not settled is
lost, and said to be.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from blackboard.choreography.values import OPERATOR
from blackboard.contracts.bodies import body_of
from blackboard.contracts.language import Contract
from blackboard.errors import BlackboardError
from blackboard.spec import keys
from blackboard.spec.canonical import digest, digest_bytes
from blackboard.spec.changes import Act, Decide, Install, Intent, Refusal, Write
from blackboard.spec.reads import Reads
from blackboard.spec.records import Body
from blackboard.store.apply import Application
from blackboard.store.facts import HeadFacts, pattern_pins, pins
from blackboard.store.facts import Reads as On
from blackboard.store.opened import Store
from blackboard.store.retell import INSTALLER, Planner
from blackboard.store.session import Turn
from blackboard.store.statements import Statement
from blackboard.store.wake import update_agenda

Row = Any

_STANDING = Statement("SELECT id, key, kind, current, digest FROM key WHERE current IS NOT NULL ORDER BY key")
_VERSION = Statement("SELECT * FROM version WHERE key_id = :id AND version = :version")
_COMPONENT = Statement("SELECT digest FROM component WHERE key_id = :id AND version = :version")
_FILES = Statement("""
    SELECT f.path, f.blob, b.content FROM component_file f LEFT JOIN blob b ON b.digest = f.blob
    WHERE f.key_id = :id AND f.version = :version""")
_KNOWN = Statement("SELECT id FROM key WHERE key = :key")
_OPEN = Statement("""
    SELECT k.key, 'proposal ' || v.version AS what FROM version v JOIN key k ON k.id = v.key_id
    WHERE v.state = 'proposed'
    UNION ALL SELECT k.key, 'question' FROM question q JOIN key k ON k.id = q.key_id WHERE q.closed_revision IS NULL
    ORDER BY 1, 2""")


def decide_anew(on: On, store: Store, planner: Planner, *, author: str, now: float) -> Iterator[str]:
    """Bring what stands onto an empty board; yield what of it cannot be, as sentences.

    Args:
        on: What could be read of the damaged board.
        store: The empty board.
        planner: The rules.
        author: The operator who does it.
        now: Seconds since the Unix epoch.
    """
    bodies: dict[str, tuple[Body, str]] = {}
    components = []
    for row in on.all(_STANDING):
        if row["kind"] == "component":
            components.append(row)
            continue
        try:
            bodies[row["key"]] = _decision(on, row)
        except (BlackboardError, TypeError, ValueError, LookupError) as error:
            yield f"{row['key']} version {row['current']}: {error}"
    team = {key: body for key, (body, _) in bodies.items() if keys.is_reserved(key)}
    if team and (why := _commit(store, planner, now, INSTALLER, Install(team))):
        yield f"the team: {why}"
    for key, (body, rationale) in bodies.items():
        if key not in team and (why := _commit(store, planner, now, author, Decide(key, body, rationale))):
            yield f"{key}: {why}"
    for row in components:
        try:
            act = _component(on, row)
        except (BlackboardError, TypeError, ValueError, LookupError) as error:
            yield f"{row['key']} version {row['current']}: {error}"
            continue
        gone = {pin.key for pin in act.pins if not _is_there(store, pin.key)}
        yield from (f"{row['key']} was built against {key}, which is lost" for key in sorted(gone))
        act = replace(act, pins=tuple(pin for pin in act.pins if pin.key not in gone))
        if why := _commit(store, planner, now, author, act):
            yield f"{row['key']}: {why}"
    yield from (f"{row['what']} on {row['key']}" for row in on.all(_OPEN))


def _decision(on: On, row: Row) -> tuple[Body, str]:
    """Return the text of what stands, and why it was decided."""
    found = on.one(_VERSION, {"id": row["id"], "version": row["current"]})
    if found is None or found["text"] is None:
        raise ValueError("its text is lost")
    contract = Contract(found["language"], found["text"])
    if not contract.digest == found["digest"] == row["digest"]:
        raise ValueError("its text is not the one that was agreed")
    return body_of(contract), str(found["rationale"])


def _component(on: On, row: Row) -> Write:
    """Return the act that writes what stands of a component."""
    at = {"id": row["id"], "version": row["current"]}
    files: dict[str, tuple[str, bytes]] = {}
    for one in on.all(_FILES, at):
        if one["content"] is None or digest_bytes(bytes(one["content"])) != one["blob"]:
            raise ValueError(f"its file {one['path']} is lost, or not the one that was written")
        files[str(one["path"])] = (one["blob"], bytes(one["content"]))
    known = on.one(_COMPONENT, at)
    named: Mapping[str, str] = {path: name for path, (name, _) in files.items()}
    if known is None or not digest(dict(named)) == known["digest"] == row["digest"]:
        raise ValueError("its files are not those that were written")
    # A value that does not stand any more began at no revision of the new board, so what was built on it is stale.
    built = tuple(replace(pin, since=0) for pin in pins(on, at))
    return Write(row["key"], files, built, pattern_pins(on, at))


def _is_there(store: Store, key: str) -> bool:
    with store.database.reading() as now:
        return now.one(_KNOWN, {"key": key}) is not None


def _commit(store: Store, planner: Planner, now: float, author: str, act: Act) -> str:
    """Commit one act of an operator's; return why it is refused, "" where it is not."""

    def work(turn: Turn) -> None:
        turn.now = max(turn.now, now)
        intent = Intent(author, OPERATOR, (act,), Reads(), turn.revision, "")
        planned = planner(HeadFacts(turn, store.kept, in_turn=True), intent)
        if isinstance(planned, Refusal):
            raise planned.error
        if planned.changes:
            application = Application(turn, intent, planned)
            application.rows()
            application.log()
            update_agenda(turn, application.revision, planned, author=author, token=None)

    try:
        store.writer.run(work)
    except (BlackboardError, LookupError) as error:
        return str(error)
    return ""
