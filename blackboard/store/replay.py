"""Every key and version as the feed alone gives them: replayed change by change, to be held against the tables.

Of a board whose older log was compacted, the replay begins with the keys as the tables say that they were before the
first kept revision; a digest of that is in the commit that compacted.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from blackboard.spec.canonical import digest
from blackboard.spec.lifecycle import KeyState, State
from blackboard.store.statements import Reads, Statement

ENDED = {"rejected": State.REJECTED, "withdrawn": State.WITHDRAWN, "merged": State.MERGED}


@dataclass(slots=True)
class ReplayedVersion:
    """A version of a decision."""

    revision: int
    state: State = State.PROPOSED
    settled_revision: int | None = None
    reason: str = ""


@dataclass(slots=True)
class ReplayedKey:
    """A key, what it was, and since when its facets have their values.

    Attributes:
        contested: Why it was contested last, None where it never was.
        tenure: (revision, current version, state), one for each commit that moved one of the two.
        heads: Facet name -> (since, digest), digest None where it was removed.
    """

    kind: str
    create_revision: int
    mod_revision: int = 0
    member_revision: int = 0
    state: KeyState = KeyState.ABSENT
    last_version: int = 0
    current: int | None = None
    generation: int = 0
    contested: str | None = None
    versions: dict[int, ReplayedVersion] = field(default_factory=dict)
    tenure: list[tuple[int, int | None, str]] = field(default_factory=list)
    heads: dict[str, tuple[int, str | None]] = field(default_factory=dict)

    def change(self, kind: str, version: int | None, revision: int, *, reason: str, ruling: bool) -> None:
        """Take the next change of the key.

        Args:
            ruling: Whether an operator's commit made it.

        Raises:
            KeyError: It speaks of a version that nobody proposed.
        """
        self.mod_revision = revision
        match kind, version:
            case "asked", _:
                self._open()
            case "proposed", int():
                self.last_version = version
                self.versions[version] = ReplayedVersion(revision)
                self._open()
            case "accepted", int():
                self._accept(version, revision, ruling=ruling)
            case "rejected" | "withdrawn" | "merged", int():
                lost = self.versions[version]
                lost.state, lost.settled_revision, lost.reason = ENDED[kind], revision, reason
            case "retracted", int():
                gone = self.versions[version]
                gone.state, gone.reason = State.RETRACTED, reason
                self.state, self.current = KeyState.RETRACTED, None
            case "contested", _:
                self.contested = reason
                if self.kind == "decision":
                    self.state = KeyState.CONTESTED
            case "written", int():
                self.state, self.current, self.last_version = KeyState.WRITTEN, version, version

    def _open(self) -> None:
        if self.state in (KeyState.ABSENT, KeyState.RETRACTED):
            self.state = KeyState.OPEN

    def _accept(self, version: int, revision: int, *, ruling: bool) -> None:
        upheld = version == self.current
        if not upheld:
            if self.current is not None:
                replaced = self.versions[self.current]
                replaced.state, replaced.reason = State.SUPERSEDED, ""
            self.versions[version].state = State.ACCEPTED
            self.versions[version].settled_revision = revision
        self.generation = 1 if ruling else self.generation + (0 if upheld else 1)
        self.state, self.current = KeyState.ACCEPTED, version

    def committed(self, revision: int, facets: Mapping[str, str] | None) -> None:
        """Take the end of a commit that changed the key.

        Args:
            facets: Of the version of a decision that is accepted now, None where none is.
        """
        last = self.tenure[-1][1:] if self.tenure else None
        if (last is not None and last[0] is not None) is (self.current is None):
            self.member_revision = revision
        if self.state is not KeyState.ABSENT and last != (self.current, str(self.state)):
            self.tenure.append((revision, self.current, str(self.state)))
        values: dict[str, str | None] = {} if facets is None else {**facets, "": digest(sorted(facets))}
        for name in {*self.heads, *values}:
            if self.heads.get(name, (0, None))[1] != values.get(name):
                self.heads[name] = (revision, values.get(name))


VERSIONS_BEFORE = """
    SELECT v.*, CASE WHEN v.settled_revision < :before THEN v.settled_revision END AS settled,
      CASE WHEN v.settled_revision IS NULL OR v.settled_revision >= :before THEN 'proposed'
        WHEN v.version = (SELECT h.version FROM key_history h WHERE h.key_id = v.key_id AND h.revision < :before
          ORDER BY h.revision DESC LIMIT 1) THEN 'accepted'
        WHEN v.state = 'accepted' THEN 'superseded' ELSE v.state END AS stood
    FROM version v WHERE v.revision < :before"""
"""Versions with the state in which they stood before a revision, and when they had been settled."""

REASON_BEFORE = "CASE WHEN v.stood = v.state THEN v.reason ELSE '' END"

_KEYS = Statement("""
    SELECT k.id, k.key, k.kind, k.create_revision, k.member_revision, k.compacted_revision,
      k.compacted_generation, k.contested_reason,
      coalesce(max(v.version), max(c.version), 0) AS last_version, coalesce(min(c.revision), 0) AS written
    FROM key k LEFT JOIN version v ON v.key_id = k.id AND v.revision < :before
    LEFT JOIN component_version c ON c.key_id = k.id AND c.revision < :before
    WHERE k.create_revision < :before GROUP BY k.id ORDER BY k.key""")
_TENURE = Statement("""
    SELECT h.key_id, h.revision, h.version, h.state, v.facets FROM key_history h
    LEFT JOIN version v ON v.key_id = h.key_id AND v.version = h.version
    WHERE h.revision < :before ORDER BY h.key_id, h.revision""")
_VERSIONS = Statement(f"""
    SELECT key_id, version, revision, settled, stood, {REASON_BEFORE} AS reason FROM ({VERSIONS_BEFORE}) v
    ORDER BY key_id, version""")


def beginning(on: Reads, before: int) -> dict[str, ReplayedKey]:
    """Return key -> what the changes before the first kept revision made of it."""
    found = on.all(_KEYS, {"before": before})
    by_id = {row["id"]: _beginning(row) for row in found}
    members = {row["id"]: row["member_revision"] for row in found}
    for row in on.all(_TENURE, {"before": before}):
        key = by_id[row["key_id"]]
        if not key.tenure and row["version"] is None and members[row["key_id"]] == row["revision"]:
            # What it was before it left is gone.
            key.member_revision = row["revision"]
        key.state, key.current = KeyState(row["state"]), row["version"]
        key.committed(row["revision"], None if row["facets"] is None else json.loads(row["facets"]))
    for row in found:
        if row["kind"] == "component":
            by_id[row["id"]].member_revision = row["written"]
    for row in on.all(_VERSIONS, {"before": before}):
        by_id[row["key_id"]].versions[row["version"]] = ReplayedVersion(
            row["revision"], State(row["stood"]), row["settled"], row["reason"]
        )
    return {row["key"]: by_id[row["id"]] for row in found}


def _beginning(row: Any) -> ReplayedKey:  # noqa: ANN401 - a row
    return ReplayedKey(
        row["kind"],
        row["create_revision"],
        mod_revision=row["compacted_revision"] or 0,
        last_version=row["last_version"],
        generation=row["compacted_generation"] or 0,
        contested=row["contested_reason"],
    )
