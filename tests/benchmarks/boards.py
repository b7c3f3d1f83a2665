"""Big boards, made in a minute: the rows that a commit after the other would have written, inserted in bulk.

That they are those rows is tested: a small one equals, table by table, one that was committed, and `verify` finds its
chain whole (test_benchmarks.py).
"""

import sqlite3
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from blackboard import Blackboard, Contract
from blackboard.contracts.language import all_facets
from blackboard.spec.canonical import digest, json_made
from blackboard.spec.changes import Decide, Intent
from blackboard.spec.lifecycle import State
from blackboard.spec.reads import Reads
from blackboard.spec.records import Body, VersionRecord
from blackboard.store.chain import chain
from blackboard.store.content import content_digest
from blackboard.testing import FakeClock

AUTHOR, ROLE = "ann", "operator"
WAVES = 10
"""How many versions each key has: every key is decided once, then each again, and so on."""
AREA = 50
_CHUNK = 10_000
_AT = FakeClock()()

Rows = dict[str, list[dict[str, Any]]]


def key(number: int) -> str:
    """Return the name of one of the keys; `AREA` of them share a folder."""
    return f"area-{number // AREA:05}/part-{number:06}"


def contract(wave: int) -> Contract:
    """Return what every key is decided to be in a wave."""
    return Contract.value({"id": "int", "title": "str", "limit": wave})


def name(number: int, wave: int) -> str:
    """Return the idempotency key of a commit."""
    return f"{wave}-{number}"


def committed(path: Path, *, keys: int, waves: int) -> None:
    """Make a board by one commit after the other."""
    with Blackboard.open(path, create=True, clock=FakeClock()) as board:
        for wave in range(waves):
            for number in range(keys):
                commit_as = name(number, wave)
                with board.transaction(AUTHOR, role=ROLE, idempotency_key=commit_as) as ann:
                    ann.decision(key(number))
                    ann.decide(key(number), contract(wave))


def inserted(path: Path, *, keys: int, waves: int = WAVES) -> None:
    """Make the same board by inserting its rows."""
    Blackboard.open(path, create=True, clock=FakeClock()).close()
    on = sqlite3.connect(path, isolation_level=None)
    on.execute("PRAGMA synchronous = OFF")
    on.execute("PRAGMA cache_size = -200000")
    on.execute("BEGIN")
    on.execute("PRAGMA defer_foreign_keys = ON")
    bulk = _Bulk(keys, waves)
    commits = bulk.commits()
    while chunk := list(islice(commits, _CHUNK)):
        for table in chunk[0]:
            _insert(on, table, [row for rows in chunk for row in rows[table]])
    for table, rows in bulk.heads().items():
        _insert(on, table, rows)
    on.execute("UPDATE board SET revision = ?, digest = ?, store_time = ?", (bulk.revision, bulk.digest, _AT))
    on.execute("COMMIT")
    on.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    on.close()


def _insert(on: sqlite3.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        columns = ", ".join(rows[0])
        values = ", ".join(f":{column}" for column in rows[0])
        on.executemany(f"INSERT INTO {table} ({columns}) VALUES ({values})", rows)


class _Bulk:
    """The rows of a board that is made in waves; key `number` has id `number + 1`."""

    def __init__(self, keys: int, waves: int) -> None:
        self._keys = keys
        self._waves = waves
        self.revision = 0
        self.digest = ""

    def commits(self) -> Iterator[Rows]:
        """Yield the rows of each commit that stay as they are."""
        for wave in range(self._waves):
            made = contract(wave)
            body = Body(made.language, made.text, dict(made.digests), made.digest)
            version = self._version(wave, body)
            for number in range(self._keys):
                yield self._commit(wave, number, body, version)

    def _revision(self, wave: int, number: int) -> int:
        return wave * self._keys + number + 1

    def _version(self, wave: int, body: Body) -> Mapping[str, Any]:
        """Return what the row of a version and the digests of its changes have in common for all keys of a wave."""
        base = wave or None
        content = VersionRecord("", wave + 1, body, State.PROPOSED, base, AUTHOR, ROLE).content()
        return {
            "proposed": digest(content),
            "accepted": digest({"digest": body.digest}),
            "row": {
                "version": wave + 1,
                "language": body.language,
                "text": body.text,
                "facets": json_made(dict(body.facets)),
                "digest": body.digest,
                "state": str(State.ACCEPTED),
                "base": base,
                "author": AUTHOR,
                "role": ROLE,
                "rationale": "",
                "evidence": "[]",
                "electorate": None,
                "quorum": None,
                "round": 1,
                "joint_revision": None,
                "reason": "",
            },
        }

    def _commit(self, wave: int, number: int, body: Body, version: Mapping[str, Any]) -> Rows:
        here = key(number)
        head, self.revision = self.revision, self.revision + 1
        identifier, at = number + 1, {"revision": self.revision}
        kinds = ("proposed", "accepted")
        changes = [[ordinal, kind, here, wave + 1, AUTHOR, "", version[kind]] for ordinal, kind in enumerate(kinds)]
        log = {**at, "author": AUTHOR, "role": ROLE, "at": _AT, "token": None, "choreography": None}
        self.digest = chain(self.digest, log, changes)
        intent = Intent(AUTHOR, ROLE, (Decide(here, body, ""),), Reads(), head, name(number, wave))
        return {
            "version": [{"key_id": identifier, **version["row"], **at, "settled_revision": self.revision}],
            "key_history": [{"key_id": identifier, **at, "version": wave + 1, "state": "accepted"}],
            "facet_effect": self._effect(wave, number),
            "change": [
                {
                    **at,
                    "ordinal": ordinal,
                    "kind": kind,
                    "key_id": identifier,
                    "version": wave + 1,
                    "author": AUTHOR,
                    "step": "",
                    "reason": "",
                    "digest": version[kind],
                }
                for ordinal, kind in enumerate(kinds)
            ],
            "commit_log": [{**log, "digest": self.digest}],
            "idempotency": [
                {
                    "author": AUTHOR,
                    "idempotency_key": intent.idempotency_key,
                    "content": content_digest(intent),
                    **at,
                    "accepted": json_made([[here, wave + 1]]),
                    "head_before": head,
                }
            ],
        }

    def _effect(self, wave: int, number: int) -> list[dict[str, Any]]:
        if not wave:
            return []
        since = {"new_since": self._revision(wave, number), "old_since": self._revision(wave - 1, number)}
        meaning = {"uses": "breaking", "implements": "breaking", "reason": f"{wave - 1} -> {wave}"}
        return [{"key_id": number + 1, "name": "limit", **since, **meaning}]

    def heads(self) -> Rows:
        """Return the rows that every commit moves, as they are at the end."""
        made = contract(self._waves - 1)
        keys, facets = [], []
        for number in range(self._keys):
            first, last = self._revision(0, number), self._revision(self._waves - 1, number)
            keys.append(
                {
                    "id": number + 1,
                    "key": key(number),
                    "kind": "decision",
                    "state": "accepted",
                    "last_version": self._waves,
                    "current_version": self._waves,
                    "digest": made.digest,
                    "generation": 1,
                    "create_revision": first,
                    "member_revision": first,
                    "question_revision": 0,
                    "mod_revision": last,
                }
            )
            values = all_facets(made.digests)
            facets += [
                {"key_id": number + 1, "name": facet, "since": last if facet == "limit" else first, "digest": value}
                for facet, value in sorted(values.items())
            ]
        return {"key": keys, "current_facet": facets}
