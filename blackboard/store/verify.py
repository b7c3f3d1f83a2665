"""Whether a store's content agrees with its own history: digests, the chain, and the state that replay gives.

A chain alone cannot see that its end was lost; a head that somebody remembers can.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from blackboard.choreography import Choreography, moves
from blackboard.choreography.values import OPERATOR
from blackboard.contracts.language import Contract
from blackboard.errors import BlackboardError, Compacted, Damaged, Forked
from blackboard.spec.canonical import JSON, digest, digest_bytes
from blackboard.spec.changes import ComponentRow, Judge, Vote
from blackboard.spec.keys import TEAM, matches
from blackboard.spec.lifecycle import KeyState, State
from blackboard.spec.records import Body, Reserved
from blackboard.store.chain import chain
from blackboard.store.facts import body, pattern_pins, pins, question_record, reserved, version_record
from blackboard.store.feed import Cursor
from blackboard.store.instances import matching
from blackboard.store.opened import Store
from blackboard.store.read import board_row
from blackboard.store.remains import COMPACTED, compacted_content, state_digest
from blackboard.store.replay import ENDED, ReplayedKey, beginning
from blackboard.store.sqlite import Connection
from blackboard.store.statements import Statement
from blackboard.store.upgrade import staleness_rows

Row = Any

_INTEGRITY = Statement("PRAGMA integrity_check")
_LOG = Statement("SELECT * FROM commit_log WHERE revision <= :until ORDER BY revision")
_COMPACTION = Statement("SELECT * FROM compaction WHERE before = :first")
_COMPACTED = Statement("SELECT * FROM compaction WHERE revision = :revision")
_NOT_COMPACTED = Statement(
    "SELECT min(key) AS key FROM key WHERE create_revision >= :first "
    "AND coalesce(compacted_revision, compacted_generation, contested_reason) IS NOT NULL"
)
_NO_BLOB = Statement(
    "SELECT count(*) AS count FROM component_file f LEFT JOIN blob b ON b.digest = f.blob WHERE b.digest IS NULL"
)
_BLOBS = Statement("SELECT digest, content FROM blob")
_CHANGES = Statement("""
    SELECT c.*, k.key, k.kind AS key_kind FROM change c LEFT JOIN key k ON k.id = c.key_id
    WHERE c.revision = :revision ORDER BY c.ordinal""")
_VERSION = Statement("SELECT * FROM version WHERE key_id = :key_id AND version = :version")
_VOTE = Statement("SELECT * FROM vote WHERE key_id = :key_id AND version = :version AND author = :author")
_QUESTION = Statement("SELECT * FROM question WHERE key_id = :key_id AND revision = :revision")
_COMPONENT = Statement("SELECT * FROM component_version WHERE key_id = :key_id AND version = :version")
_FILES = Statement("""
    SELECT f.path, f.blob, b.content FROM component_file f JOIN blob b ON b.digest = f.blob
    WHERE f.key_id = :key_id AND f.version = :version""")
_VERDICT = Statement("SELECT * FROM verdict WHERE component_id = :key_id AND revision = :revision")
_KEYS = Statement("SELECT * FROM key ORDER BY key")
_VERSIONS = Statement("SELECT version, revision, state, settled_revision, reason FROM version WHERE key_id = :id")
_HEADS = Statement("SELECT name, since, digest FROM current_facet WHERE key_id = :id")
_TENURE = Statement("SELECT revision, version, state FROM key_history WHERE key_id = :id ORDER BY revision")
_CLOSED = Statement("""
    SELECT k.key, q.revision, q.closed_revision, min(c.revision) AS settled
    FROM question q JOIN key k ON k.id = q.key_id
    LEFT JOIN change c ON c.key_id = q.key_id AND c.revision > q.revision AND c.kind IN ('accepted', 'retracted')
    GROUP BY k.key, q.revision, q.closed_revision""")
_MEMBERS = Statement("""
    SELECT p.pattern, k.key, m.since FROM pattern_member m JOIN pattern p ON p.id = m.pattern_id
    JOIN key k ON k.id = m.key_id""")
_PATTERNS = Statement("SELECT pattern FROM pattern")
_BOARDS = Statement("SELECT id FROM board")
_INSTANCES = Statement("SELECT template, keys FROM instance_count")
_RULES = Statement("SELECT effect, side, validation, state, rank FROM staleness_rule")
_ANY_KIND = ("decision", "component")
_KINDS = {
    **dict.fromkeys(("asked", "proposed", "accepted", "retracted", "voted", *ENDED), ("decision",)),
    **dict.fromkeys(("written", "judged"), ("component",)),
}
_WRITTEN = {State.SUPERSEDED: str(State.ACCEPTED)}
"""What a version's row says for a state where it says something else: which one is current, the key's row tells."""
_REVISIONS = ("create_revision", "mod_revision", "member_revision")
_COUNTED = {
    "proposed": "version",
    "voted": "vote",
    "asked": "question",
    "written": "component_version",
    "judged": "verdict",
}
_COUNTS = Statement(
    " UNION ALL ".join(
        f"SELECT '{kind}' AS kind, (SELECT count(*) FROM {table} WHERE revision >= :first) AS rows, "
        f"(SELECT count(*) FROM change WHERE kind = '{kind}') AS changes"
        for kind, table in _COUNTED.items()
    )
    + " UNION ALL SELECT 'compacted', (SELECT count(*) FROM compaction), "
    "(SELECT count(*) FROM change WHERE kind = 'compacted')"
)


def verify(store: Store, *, known_head: Cursor | None = None) -> Cursor:
    """Check everything that is kept and return the head that was checked.

    Raises:
        Compacted: The known head is older than what is kept.
        Damaged: Something contradicts itself; says what, in the board's words.
        Forked: The known head is not in this history.
    """
    with store.database.reading() as on:
        check = Check(on, store.location)
        try:
            head = check.history(known_head)
            check.heads()
            check.rest(bounded=_bounded(reserved(on, store.kept)))
        except (TypeError, ValueError, LookupError) as error:
            raise Damaged(store.location, f"a row cannot be read ({error})") from error
    return head


class Check:
    """One walk through the history of a board."""

    def __init__(self, on: Connection, location: str) -> None:
        self._on = on
        self._location = location
        self._first = 1
        self.keys: dict[str, ReplayedKey] = {}

    def history(self, known: Cursor | None) -> Cursor:
        """Walk through every kept commit and return the head."""
        pages = [row[0] for row in self._on.all(_INTEGRITY)]
        if pages != ["ok"]:
            raise Damaged(self._location, pages[0])
        if [row["id"] for row in self._on.all(_BOARDS)] != [1]:
            raise Damaged(self._location, "its table of the board has to have one row, with number 1")
        board = board_row(self._on)
        if known is not None and known.epoch != board["epoch"]:
            raise Forked(f"the known head is of epoch {known.epoch}, the board is in {board['epoch']}")
        if known is not None and known.revision < board["first_revision"] - 1:
            raise Compacted(known.revision, board["first_revision"])
        head = self.walk(known)
        if (head.revision, head.digest) != (board["revision"], board["digest"]):
            raise Damaged(
                self._location, f"the board says revision {board['revision']}, its log ends at {head.revision}"
            )
        return head

    def walk(self, known: Cursor | None, until: int = 1 << 62) -> Cursor:
        """Walk through the kept commits up to a revision, and return the place after it.

        Args:
            known: A head that has to be met on the way.
        """
        board = board_row(self._on)
        self._first = board["first_revision"]
        revision, previous = self._first - 1, self._kept()
        met = known is None or known.revision == 0
        if known is not None and known.revision == revision and revision:
            met = known.digest == previous
        for row in self._on.all(_LOG, {"until": until}):
            revision += 1
            if row["revision"] != revision:
                raise Damaged(self._location, f"revision {revision} is missing")
            previous = self._commit(row, previous)
            if known is not None and known.revision == revision:
                met = known.digest == previous
        if not met:
            raise Forked(f"the known head {known.revision if known else 0} is not in this history")
        return Cursor(board["epoch"], revision, previous)

    def _kept(self) -> str:
        """Begin with what compaction kept of the spec, and return the digest of the chain up to there."""
        stray = self._on.one(_NOT_COMPACTED, {"first": self._first})["key"]
        if stray is not None:
            raise Damaged(self._location, f"{stray} says what was compacted, and nothing of it was")
        if self._first == 1:
            return ""
        row = self._on.one(_COMPACTION, {"first": self._first})
        if row is None:
            raise Damaged(self._location, f"what came before revision {self._first} is gone, and no commit tells of it")
        if state_digest(self._on, self._first) != row["state"]:
            raise Damaged(self._location, f"what was kept from before revision {self._first} was changed")
        for blob in self._on.all(_BLOBS):
            if digest_bytes(bytes(blob["content"])) != blob["digest"]:
                raise Damaged(
                    self._location, f"a file with the digest {blob['digest']} is not the one that was written"
                )
        if self._on.one(_NO_BLOB)["count"]:
            raise Damaged(self._location, "a file that a component holds is missing")
        self.keys = beginning(self._on, self._first)
        digest_before: str = row["digest"]
        return digest_before

    def _commit(self, row: Row, previous: str) -> str:
        content: list[list[JSON]] = []
        changes = self._on.all(_CHANGES, {"revision": row["revision"]})
        for change in changes:
            self._change(change)
            if change["key_id"] is not None:
                self._replay(change, ruling=row["role"] == OPERATOR)
            content.append(
                [
                    change["ordinal"],
                    change["kind"],
                    change["key"],
                    change["version"],
                    change["author"],
                    change["step"],
                    change["digest"],
                ]
            )
        record = {name: row[name] for name in ("revision", "author", "role", "at", "token", "choreography")}
        chained = chain(previous, record, content)
        if chained != row["digest"]:
            raise Damaged(self._location, f"revision {row['revision']} does not have the digest of its content")
        named = {change["key"]: change["key_id"] for change in changes if change["key_id"] is not None}
        for key, identifier in named.items():
            replayed = self.keys[key]
            replayed.committed(row["revision"], self._facets(identifier, replayed))
        return chained

    def _facets(self, identifier: int, key: ReplayedKey) -> dict[str, str] | None:
        if key.kind != "decision" or key.current is None:
            return None
        facets: dict[str, str] = json.loads(
            self._on.one(_VERSION, {"key_id": identifier, "version": key.current})["facets"]
        )
        return facets

    def _change(self, change: Row) -> None:
        try:
            found = digest(_content(self._on, change))
        except (BlackboardError, TypeError, ValueError, KeyError) as error:
            found = f"unreadable: {error}"
        if found != change["digest"]:
            what = f"{change['kind']} of {change['key'] or 'the board'} at revision {change['revision']}"
            raise Damaged(self._location, f"the content of {what} is not the one that was committed")

    def _replay(self, change: Row, *, ruling: bool) -> None:
        key = self.keys.setdefault(change["key"], ReplayedKey(change["key_kind"], change["revision"]))
        if key.kind not in _KINDS.get(change["kind"], _ANY_KIND):
            raise Damaged(self._location, f"{change['key']} is a {key.kind}, and was {change['kind']}")
        try:
            key.change(change["kind"], change["version"], change["revision"], reason=change["reason"], ruling=ruling)
        except KeyError:
            what = f"{change['kind']} of {change['key']} {change['version']} at revision {change['revision']}"
            raise Damaged(self._location, f"{what}: nobody ever proposed this version") from None

    def heads(self) -> None:
        """Hold what stands against what replay gives."""
        for row in self._on.all(_KEYS):
            key = self.keys.get(row["key"])
            if key is not None:
                self._head(row, key)
            elif row["state"] != "absent":
                raise Damaged(self._location, f"{row['key']} is {row['state']} and nobody ever changed it")

    def _head(self, row: Row, key: ReplayedKey) -> None:
        here = {"id": row["id"]}
        standing = {name: row[name] for name in ("state", "last_version", "generation", *_REVISIONS)}
        replayed = {name: getattr(key, name) for name in standing}
        self._same(row["key"], "state", standing, {**replayed, "state": str(key.state)})
        self._same(row["key"], "current version", row["current_version"], key.current)
        self._same(row["key"], "digest", row["digest"], self._digest(row, key))
        tenure = [(one["revision"], one["version"], one["state"]) for one in self._on.all(_TENURE, here)]
        self._same(row["key"], "past", tenure, key.tenure)
        if key.kind == "component":
            return
        versions = {
            one["version"]: (one["revision"], one["state"], one["settled_revision"], one["reason"])
            for one in self._on.all(_VERSIONS, here)
        }
        known = {
            number: (one.revision, _WRITTEN.get(one.state, str(one.state)), one.settled_revision, one.reason)
            for number, one in key.versions.items()
        }
        self._same(row["key"], "versions", versions, known)
        heads = {one["name"]: (one["since"], one["digest"]) for one in self._on.all(_HEADS, here)}
        self._same(row["key"], "facets", heads, key.heads)

    def _digest(self, row: Row, key: ReplayedKey) -> str | None:
        if key.current is None:
            return None
        statement = _COMPONENT if key.kind == "component" else _VERSION
        found: str = self._on.one(statement, {"key_id": row["id"], "version": key.current})["digest"]
        return found

    def _same(self, key: str, what: str, standing: object, replayed: object) -> None:
        if standing != replayed:
            raise Damaged(self._location, f"the {what} of {key} is not what its history gives")

    def rest(self, *, bounded: AbstractSet[str]) -> None:
        """Look for rows that no change tells of, questions that closed at another time, and what follows from all.

        Args:
            bounded: The templates of which the standing choreography has the keys counted.
        """
        for row in self._on.all(_COUNTS, {"first": self._first}):
            if row["rows"] != row["changes"]:
                raise Damaged(self._location, f"{row['rows']} rows were {row['kind']}, the feed says {row['changes']}")
        for row in self._on.all(_CLOSED):
            closed, settled = row["closed_revision"], row["settled"]
            if (closed is None and settled is not None) or (closed is not None and closed < row["revision"]):
                raise Damaged(self._location, f"the question on {row['key']} did not close when it was settled")
            if closed is not None and settled is not None and closed > settled:
                raise Damaged(self._location, f"the question on {row['key']} closed after it was settled")
        members = {(row["pattern"], row["key"]): row["since"] for row in self._on.all(_MEMBERS)}
        accepted = {name: key for name, key in self.keys.items() if key.kind == "decision" and key.current is not None}
        named = [(row["pattern"], name) for row in self._on.all(_PATTERNS) for name in accepted]
        known = {(pattern, name): accepted[name].member_revision for pattern, name in named if matches(pattern, name)}
        self._same("the patterns that components list", "members", members, known)
        existing = [name for name, key in self.keys.items() if key.state is not KeyState.ABSENT]
        counts = {row["template"]: row["keys"] for row in self._on.all(_INSTANCES)}
        counted = {template: matching(template, existing) for template in bounded & counts.keys()}
        self._same("templates", "instances", counts, counted)
        rules = {tuple(row) for row in self._on.all(_RULES)}
        if rules != {tuple(rule.values()) for rule in staleness_rows()}:
            raise Damaged(self._location, "its rules of staleness are not the library's")


def _bounded(installed: Reserved) -> set[str]:
    team: Any = installed.values.get(TEAM)
    return set(moves.counted(Choreography.from_json(team["choreography"]))) if team else set()


def _content(on: Connection, change: Row) -> JSON:
    read = CONTENT.get(change["kind"])
    if read is None:
        return {"reason": change["reason"]}
    if change["reason"] and change["kind"] != COMPACTED:
        raise ValueError("it has a reason, which its kind has not")
    return read(on, change)


def _version(on: Connection, change: Row) -> JSON:
    row = on.one(_VERSION, {"key_id": change["key_id"], "version": change["version"]})
    text: Body = body(row)
    contract = Contract(text.language, text.text)
    if dict(contract.digests) != dict(text.facets) or contract.digest != text.digest:
        raise ValueError("its facets are not those of its text")
    rests = pins(on, {"id": change["key_id"], "version": change["version"]})
    return version_record(change["key"], row)._replace(premises=rests).content()


def _accepted(on: Connection, change: Row) -> JSON:
    row = on.one(_VERSION, {"key_id": change["key_id"], "version": change["version"]})
    return {"digest": row["digest"]}


def _vote(on: Connection, change: Row) -> JSON:
    at = {"key_id": change["key_id"], "version": change["version"], "author": change["author"]}
    row = on.one(_VOTE, at)
    if row["revision"] != change["revision"] or row["approve"] not in (0, 1):
        raise ValueError("it was cast at another time, or is neither yes nor no")
    return Vote(change["key"], change["version"], bool(row["approve"]), row["reason"], row["author"]).content()


def _question(on: Connection, change: Row) -> JSON:
    row = on.one(_QUESTION, {"key_id": change["key_id"], "revision": change["revision"]})
    return question_record(change["key"], row).content()


def _component(on: Connection, change: Row) -> JSON:
    at = {"key_id": change["key_id"], "version": change["version"]}
    row = on.one(_COMPONENT, at)
    files = {one["path"]: (one["blob"], bytes(one["content"])) for one in on.all(_FILES, at)}
    for path, (name, content) in files.items():
        if digest_bytes(content) != name:
            raise ValueError(f"file {path} is not the one that was written")
    listed = pattern_pins(on, {"id": change["key_id"], "version": change["version"]})
    if {row["revision"], *(one.since for one in listed)} != {change["revision"]}:
        raise ValueError("it was written at another time")
    if row["digest"] != digest({path: name for path, (name, _) in files.items()}):
        raise ValueError("its digest is not that of its files")
    here = {"id": change["key_id"], "version": change["version"]}
    return ComponentRow(
        change["key"],
        change["version"],
        row["author"],
        row["role"],
        row["digest"],
        files,
        pins(on, here),
        listed,
    ).content()


def _verdict(on: Connection, change: Row) -> JSON:
    """Return the content of the verdict that the change tells of; one commit may hold several of a component."""
    found: Iterator[JSON] = (
        Judge(
            row["check_name"],
            change["key"],
            row["version"],
            bool(row["passed"]),
            row["log"],
            row["inputs"],
            row["author"],
        ).content()
        for row in on.all(_VERDICT, {"key_id": change["key_id"], "revision": change["revision"]})
        if row["version"] == change["version"] and row["passed"] in (0, 1)
    )
    content = next((one for one in found if digest(one) == change["digest"]), None)
    return content if content is not None else "no verdict has this digest"


def _compacted(on: Connection, change: Row) -> JSON:
    row = on.one(_COMPACTED, {"revision": change["revision"]})
    return compacted_content(change["reason"], row["before"], row["digest"], row["state"])


CONTENT: Mapping[str, Callable[[Connection, Row], JSON]] = {
    "proposed": _version,
    "accepted": _accepted,
    "voted": _vote,
    "asked": _question,
    "written": _component,
    "judged": _verdict,
    COMPACTED: _compacted,
}
"""Kind of change -> its content as it stands in the tables; of all others the reason is all that they say."""
