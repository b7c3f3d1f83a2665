"""A plan in the making: the view, and the rows, changes and events that the acts add."""

from typing import Any

from blackboard.choreography import moves
from blackboard.errors import Conflict, Premise
from blackboard.plan.view import View
from blackboard.spec.canonical import JSON, digest_made
from blackboard.spec.changes import (
    ChangeRow,
    CloseRow,
    DeadlineRow,
    Intent,
    KeyRow,
    PositionRow,
    Row,
    SettleRow,
    VersionRow,
)
from blackboard.spec.lifecycle import Event as Happening
from blackboard.spec.lifecycle import KeyState, State, move
from blackboard.spec.records import Body, KeyRecord, VersionRecord
from blackboard.spec.triggers import Event, TriggerKind


class Draft:
    """What the acts of one intent add up to.

    Attributes:
        bases: key -> its record before this plan touched it.
        checked: Components that are built already and whose task was accepted: it may name checks.
        reshaped: Keys whose current facets change or go.
        merged: Keys of which an earlier version was read, and of which what both changed is kept.
    """

    def __init__(self, view: View, intent: Intent) -> None:
        self.view, self.intent = view, intent
        self.role: str | None = None
        self.registry, self.put = view.registry(), view.put
        self.rows: list[Row] = []
        self.changes: list[ChangeRow] = []
        self.events: list[Event] = []
        self.accepted: list[tuple[str, int]] = []
        self.reshaped: list[str] = []
        self.bases: dict[str, KeyRecord | None] = {}
        self.settled: list[tuple[str, tuple[str, ...]]] = []
        self.wakes: list[tuple[str, str, str]] = []
        self.written: list[str] = []
        self.checked: list[str] = []
        self.merged: set[str] = set()
        self.path = ""

    def touch(self, key: str, kind: str) -> KeyRecord:
        """Return a key's record, made if the key is new; it is written out at the end of the plan."""
        record = self.view.key(key)
        if key not in self.bases:
            self.bases[key] = record
        return record or self.view.put(KeyRecord(key, kind))

    def note(self, kind: str, key: str, version: int | None, content: JSON, *, reason: str = "") -> None:
        """Add an entry to the feed; `content` is that of its row (canonical), None where all it says is the reason."""
        said = {"reason": reason} if content is None else content
        self.changes.append(ChangeRow(kind, key, version, self.path, digest_made(said), reason))

    def happen(self, kind: TriggerKind, key: str, check: str = "") -> None:
        """Note an event for triggers, once."""
        event = Event(kind, key, check)
        if event not in self.events:
            self.events.append(event)

    def permit(self, verb: str, key: str, check: str = "") -> str:
        """Return the path of the step that allows an act.

        Raises:
            NotPermitted: None does.
        """
        choreography = self.registry.choreography
        self.path = ""
        if choreography is not None:
            act = moves.Act(verb, key, check)
            self.path = moves.guard(choreography, self.view, act, role=self.role, author=self.intent.author)
        return self.path

    def add(self, record: KeyRecord, body: Body, **said: Any) -> VersionRecord:  # noqa: ANN401 - VersionRow's
        """Add a proposed version; `said` are the fields of its row that are not the same for all."""
        version = record.last_version + 1
        common = {"base": record.current, "author": self.intent.author, "role": self.role}
        row = VersionRow(record.key, version, body, State.PROPOSED, **{**common, **said})
        self.rows.append(row)
        self.put(record, last_version=version)
        added = VersionRecord(
            row.key,
            version,
            body,
            row.state,
            row.base,
            row.author,
            row.role,
            row.rationale,
            row.evidence,
            row.electorate,
            row.quorum,
            row.round,
            revision=self.view.facts.revision + 1,
            merged=row.merged,
        )
        self.view.rests[record.key, version] = row.premises
        self.view.versions[record.key, version] = added
        self.note("proposed", record.key, version, row.content())
        return added

    def settle(self, record: VersionRecord, happening: Happening, reason: str) -> VersionRecord:
        """Move a version on and write it down."""
        state = move(record.state, happening, subject=f"{record.key} version {record.version}")
        moved = record._replace(state=state, reason=reason)
        self.view.versions[record.key, record.version] = moved
        self.rows.append(SettleRow(record.key, record.version, state, reason))
        return moved

    def replace(self, key: str, version: int) -> None:
        """Move the version on that was accepted until now; that another one stands is told by the row of its key."""
        added = self.view.versions.get((key, version))
        if added is not None:
            state = move(added.state, Happening.REPLACED, subject=f"{key} version {version}")
            self.view.versions[key, version] = added._replace(state=state)

    def require_read(self, record: KeyRecord) -> None:
        """Refuse to write over what was never read, or only in part: what came between would be lost.

        Raises:
            Conflict: The key has a value and the transaction did not read the whole of it.
        """
        before = self.bases.get(record.key)
        if before is None or before.current is None or self.intent.reads.whole(record.key, record.kind):
            return
        raise Conflict(
            [
                Premise(
                    record.key,
                    None,
                    None,
                    None,
                    None,
                    f"version {before.current}",
                    "breaking",
                    None,
                    before.mod_revision,
                    "it was not read, or only some facets of it, before it was written over",
                )
            ],
            "replan",
        )

    def follow(self, event: moves.Event) -> None:
        """Let the choreography draw its consequences of an event."""
        if self.registry.choreography is None:
            return
        for consequence in moves.follow(self.registry.choreography, self.view, event):
            self._apply(consequence)

    def _apply(self, consequence: moves.Consequence) -> None:
        match consequence:
            case moves.SetPosition(key, path, state):
                self.touch(key, "decision")
                self.view.positions[key, path] = state
                self.rows.append(PositionRow(key, path, state))
            case moves.Arm(key, path, number, seconds):
                self.touch(key, "decision")
                self.rows.append(DeadlineRow(key, path, number, seconds))
            case moves.Disarm(key, path):
                self.rows.append(DeadlineRow(key, path, 0, None))
            case moves.Reopen(key, _):
                self.happen(TriggerKind.ASKED, key)
            case moves.RejectLive(key, reason):
                self.reject_live(key, reason)
                if self.view.has_accepted(key):
                    # Nobody answered in time, so what stands goes on standing.
                    self.close(key)
            case moves.Contest(key, reason) | moves.Stop(key, reason):
                self.contest(key, reason)

    def contest(self, key: str, reason: str) -> None:
        """Note that the rule of a key can no longer settle it."""
        record = self.touch(key, "decision")
        self.happen(TriggerKind.CONTESTED, key)
        if record.kind == "decision":
            self.put(record, state=KeyState.CONTESTED)
        self.note("contested", key, record.current, None, reason=reason)

    def turn(self, record: VersionRecord, happening: Happening, reason: str) -> State:
        """Move a proposal on, note it, and return its state; what was proposed jointly with it stays as it is."""
        state = self.settle(record, happening, reason).state
        self.note(str(state), record.key, record.version, None, reason=reason)
        return state

    def end(self, record: VersionRecord, happening: Happening, reason: str) -> None:
        """End a proposal, and with it what was proposed jointly with it."""
        state = self.turn(record, happening, reason)
        for other in self.view.joint(record):
            if other.key != record.key and other.state is State.PROPOSED:
                self.touch(other.key, "decision")
                self.end(other, Happening.LOST, f"{record.key} {record.version}, proposed with it, was {state}")
                self.lost(other.key)

    def lost(self, key: str) -> None:
        """Let the choreography go on where a key has lost its last live proposal."""
        record = self.touch(key, "decision")
        if not self.view.proposed(key):
            self.settled.append((key, ("proposed",)))
            self.follow(moves.Lost(key, amendment=record.current is not None))

    def reject_live(self, key: str, reason: str, *, but: int | None = None) -> None:
        """Reject every live proposal of a key, except one."""
        for record in self.view.proposed(key):
            if record.version != but:
                self.end(record, Happening.LOST, reason)

    def close(self, key: str) -> None:
        """Close the question about a key, if one is open."""
        if self.view.question(key) is not None:
            self.view.questions[key] = None
            self.rows.append(CloseRow(key))

    def key_rows(self) -> list[KeyRow]:
        """Return the rows of all keys that were touched."""
        return [
            KeyRow(
                record.key,
                record.kind,
                record.state,
                record.last_version,
                record.current,
                record.digest,
                record.generation,
                record.id,
                moved=before is None or (before.state, before.current) != (record.state, record.current),
                # What went and came back within the commit neither joined nor left.
                member=(before is not None and before.current is not None) is (record.current is None),
                appeared=(before is None or before.state is KeyState.ABSENT) and record.state is not KeyState.ABSENT,
            )
            for key, before in self.bases.items()
            if (record := self.view.key(key)) is not None
        ]
