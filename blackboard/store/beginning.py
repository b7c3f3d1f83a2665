"""A board as it stood before its first kept revision: where the telling of a compacted history begins.

Of most tables a compaction keeps rows that nothing writes over. Of the others, positions and deadlines, needs and the
agenda, and what is noted of a key beside its history, it keeps the rows as the history gave them, as JSON under
their table's name: `standing` returns them, and `begin` puts both back.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from blackboard.spec.canonical import digest_bytes
from blackboard.store import schema
from blackboard.store.facts import Reads
from blackboard.store.opened import Store
from blackboard.store.remains import state_digest
from blackboard.store.replay import REASON_BEFORE, VERSIONS_BEFORE
from blackboard.store.session import Turn
from blackboard.store.statements import Statement, insert_into

Row = Any

_FIRST = Statement("""
    SELECT max(coalesce((SELECT max(before) FROM compaction), 1), coalesce((SELECT max(first) FROM board), 1)) AS first
    """)
COMPACTION = Statement("SELECT * FROM compaction WHERE before = :first")
_KEPT = Statement("SELECT name, row FROM compacted_row ORDER BY name, row")

_NAMED = {"key": "SELECT id FROM key WHERE key", "pattern": "SELECT id FROM pattern WHERE pattern"}
_UNFOREIGN = {("activation", "target_id"): "key"}
"""(table, column) that names a key without the engine looking for it."""

_STANDING = ("pattern", "pattern_member", "need", "need_pattern", "wakes", "position", "deadline", "activation")
"""Tables of which later commits write rows over, in the order in which they are put back."""

_OF_KEYS = Statement("SELECT key, kind, create_revision, question_revision FROM key ORDER BY key")
_OF_BOARD = Statement("SELECT installed, halt, halt_reason FROM board")

_IDS = Statement("SELECT id, key FROM key")
_PUT_KEY = Statement("""
    INSERT INTO key (id, key, kind, state, last_version, current, digest, generation, create_revision, member_revision,
      question_revision, mod_revision)
    VALUES (:id, :key, :kind, 'absent', 0, NULL, NULL, 0, :create_revision, 0, :question_revision, 0)""")
_FILL_KEYS = Statement("""
    UPDATE key SET state = b.state, last_version = b.last_version, current = b.current, generation = b.generation,
      member_revision = b.member_revision, mod_revision = b.mod_revision,
      digest = CASE key.kind
        WHEN 'component' THEN (SELECT digest FROM component c WHERE c.key_id = key.id AND c.version = b.current)
        ELSE (SELECT digest FROM version v WHERE v.key_id = key.id AND v.version = b.current) END
    FROM compacted_key b WHERE b.key_id = key.id""")
_HEADS = Statement("""
    INSERT INTO head_facet (key_id, name, since, digest)
    SELECT b.key_id, f.key, json_extract(f.value, '$[0]'), json_extract(f.value, '$[1]')
    FROM compacted_key b, json_each(b.facets) f""")
_BOARD = Statement("""
    UPDATE board SET revision = :revision, digest = :digest, first = :first, installed = :installed, halt = :halt,
      halt_reason = :halt_reason, clock = :now""")
_BLOBS = Statement("SELECT digest, content FROM blob")
_NO_BLOB = Statement("""
    SELECT k.key FROM component_file f JOIN key k ON k.id = f.key_id LEFT JOIN blob b ON b.digest = f.blob
    WHERE b.digest IS NULL LIMIT 1""")

_OLD = "(SELECT 1 FROM component c WHERE c.key_id = {key} AND c.version = {version} AND c.revision < :before)"
_OLDER = _OLD.replace("component c", "version c")
_COPIED: Mapping[str, Statement] = {
    name: Statement(text)
    for name, text in {
        "version": f"""
            SELECT v.key_id, v.version, v.language, v.text, v.facets, v.digest,
              replace(v.stood, 'superseded', 'accepted') AS state, v.base, v.author, v.role, v.rationale, v.evidence,
              v.electorate, v.quorum, v.round, v.joint, {REASON_BEFORE} AS reason, v.revision,
              v.settled AS settled_revision, v.merged FROM ({VERSIONS_BEFORE}) v""",
        "tenure": "SELECT * FROM tenure WHERE revision < :before",
        "facet_effect": "SELECT * FROM facet_effect WHERE new_since < :before",
        "vote": "SELECT * FROM vote WHERE revision < :before",
        "question": """
            SELECT key_id, revision, text, options, author, role,
              CASE WHEN closed_revision < :before THEN closed_revision END AS closed_revision
            FROM question WHERE revision < :before""",
        "component": "SELECT * FROM component WHERE revision < :before",
        "blob": f"""
            SELECT * FROM blob WHERE digest IN (
              SELECT f.blob FROM component_file f WHERE EXISTS {_OLD.format(key="f.key_id", version="f.version")})""",
        "component_file": f"""
            SELECT * FROM component_file f WHERE EXISTS {_OLD.format(key="f.key_id", version="f.version")}""",
        "pin": f"""
            SELECT * FROM pin p WHERE EXISTS {_OLD.format(key="p.component_id", version="p.component_version")}
              OR EXISTS {_OLDER.format(key="p.component_id", version="p.component_version")}""",
        "verdict": "SELECT * FROM verdict WHERE revision < :before",
        "compacted_key": "SELECT * FROM compacted_key",
        "compacted_row": "SELECT * FROM compacted_row",
    }.items()
}
"""Table -> its rows as they stood before a revision; keys have the numbers that they had."""

_PATTERN_PINS = Statement(f"""
    SELECT p.component_id, p.component_version, n.pattern, p.since FROM pattern_pin p
    JOIN pattern n ON n.id = p.pattern_id
    WHERE EXISTS {_OLD.format(key="p.component_id", version="p.component_version")}""")
_PUT_PATTERN_PIN = Statement("""
    INSERT INTO pattern_pin (component_id, component_version, pattern_id, since)
    SELECT :component_id, :component_version, id, :since FROM pattern WHERE pattern = :pattern""")


def first_revision(on: Reads) -> int:
    """Return the first revision that is kept; where the board's row is lost, as its compactions say."""
    return int(on.all(_FIRST)[0]["first"])


def standing(on: Reads) -> list[dict[str, str]]:
    """Return the rows that later commits would write over, as rows of `compacted_row`."""
    found = [_kept("board", list(row)) for row in on.all(_OF_BOARD)]
    found += [_kept("key", list(row)) for row in on.all(_OF_KEYS)]
    for name in _STANDING:
        found += [_kept(name, list(row)) for row in on.all(by_name(name))]
    return found


def _kept(name: str, row: Sequence[Any]) -> dict[str, str]:
    return {"name": name, "row": json.dumps(row, ensure_ascii=False)}


def by_name(name: str) -> Statement:
    """Return the statement that reads a table with names in the place of numbers that mean nothing outside it."""
    columns = []
    for column, named in _columns(name):
        if named is None:
            columns.append(f"t.{column}")
        else:
            columns.append(f"(SELECT n.{named} FROM {named} n WHERE n.id = t.{column})")
    return Statement(f"SELECT {', '.join(columns)} FROM {name} t")


def _columns(name: str) -> Iterator[tuple[str, str | None]]:
    """Yield each column of a table and what it names, `key` or `pattern`; None: nothing."""
    for column in schema.metadata.tables[name].columns:
        targets = {key.target_fullname for key in column.foreign_keys}
        named = next((one for one in _NAMED if f"{one}.id" in targets), _UNFOREIGN.get((name, column.name)))
        if named is not None or column.name != "id":
            yield column.name, named


def _put(name: str) -> Statement:
    """Return the statement that writes a row which `by_name` read."""
    columns = list(_columns(name))
    values = [
        f":v{place}" if named is None else f"({_NAMED[named]} = :v{place})" for place, (_, named) in enumerate(columns)
    ]
    return Statement(f"INSERT INTO {name} ({', '.join(one for one, _ in columns)}) VALUES ({', '.join(values)})")


def begin(store: Store, on: Reads, first: int) -> str:
    """Put an empty board into the state before the first kept revision; return why that cannot be, "" where it was.

    Args:
        store: The empty board.
        on: What was kept.
        first: The first kept revision.
    """
    row = on.one(COMPACTION, {"first": first})
    if row is None:
        return f"what came before revision {first} is gone, and no commit tells of it"
    kept: dict[str, list[list[Any]]] = {}
    for one in on.all(_KEPT):
        kept.setdefault(one["name"], []).append(json.loads(one["row"]))
    if len(kept.get("board", ())) != 1:
        return f"what followed from the history before revision {first} was not kept"

    def work(turn: Turn) -> None:
        _put_keys(turn, on, kept)
        for name, statement in _COPIED.items():
            turn.run_many(insert_into(schema.metadata.tables[name]), [dict(r) for r in on.all(statement, at)])
        turn.run(_FILL_KEYS)
        turn.run(_HEADS)
        for name in _STANDING:
            turn.run_many(_put(name), [{f"v{n}": value for n, value in enumerate(r)} for r in kept.get(name, ())])
        turn.run_many(_PUT_PATTERN_PIN, [dict(r) for r in on.all(_PATTERN_PINS, at)])
        installed, halt, reason = kept["board"][0]
        here = {"revision": first - 1, "digest": row["digest"], "first": first}
        turn.advance(_BOARD, {**here, "installed": installed, "halt": halt, "halt_reason": reason}, None)
        if why := _wrong(turn, first, row["state"]):
            raise _NotWholeError(why)

    at = {"before": first}
    try:
        store.writer.run(work, over_seal=True)
    except _NotWholeError as error:
        return str(error)
    return ""


class _NotWholeError(Exception):
    """The beginning is not what was kept; the turn is taken back."""


def _put_keys(turn: Turn, on: Reads, kept: Mapping[str, list[list[Any]]]) -> None:
    numbers = {row["key"]: row["id"] for row in on.all(_IDS)}
    names = ("key", "kind", "create_revision", "question_revision")
    rows = [dict(zip(names, one, strict=True)) for one in kept.get("key", ())]
    turn.run_many(_PUT_KEY, [{**one, "id": numbers[one["key"]]} for one in rows])


def _wrong(turn: Turn, first: int, state: str) -> str:
    """Return what of the beginning is not what the commit that compacted says, "" where all is."""
    if state_digest(turn.connection, first) != state:
        return f"what was kept from before revision {first} was changed, or a part of it is lost"
    for blob in turn.all(_BLOBS):
        if digest_bytes(bytes(blob["content"])) != blob["digest"]:
            return f"a file with the digest {blob['digest']} is not the one that was written"
    lacking = turn.one(_NO_BLOB)
    return "" if lacking is None else f"a file of {lacking['key']} is lost"
