"""A plan in the making: the view, and the rows, changes and events that the acts add."""

from typing import Any

from blackboard.choreography import moves
from blackboard.errors import Conflict, Premise
from blackboard.plan.view import View
from blackboard.spec.canonical import JSON, digest_made
from blackboard.spec.changes import ChangeRow, CloseRow, DeadlineRow, Intent, PositionRow, Row, SettleRow
from blackboard.spec.lifecycle import Event as VersionEvent
from blackboard.spec.lifecycle import KeyState, State, move
from blackboard.spec.records import Body, KeyRecord, VersionRecord
from blackboard.spec.triggers import Event, TriggerKind


class Draft:
    """What the acts of one intent add up to.

    Attributes:
        before: Key -> its record before this plan changed it, None for a new key.
        checked: Components that exist and whose task was accepted: the task may name checks.
        reshaped: Keys whose current facets change or go.
        merged: Keys of which an earlier version was read, and whose new text keeps both changes.
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
        self.before: dict[str, KeyRecord | None] = {}
        self.settled: list[tuple[str, tuple[str, ...]]] = []
        self.wakes: list[tuple[str, str, str]] = []
        self.written: list[str] = []
        self.checked: list[str] = []
        self.merged: set[str] = set()
        self.path = ""

    def touch(self, key: str, kind: str = "decision") -> KeyRecord:
        """Return the record of a key, made if the key is new; the plan writes it."""
        record = self.view.key(key)
        self.before.setdefault(key, record)
        return record or self.put(KeyRecord(key, kind))

    def note(self, kind: str, key: str, version: int | None, content: JSON, *, reason: str = "") -> None:
        """Add a change to the feed; `content` is what its digest is over, None where that is the reason."""
        hashed = {"reason": reason} if content is None else content
        self.changes.append(ChangeRow(kind, key, version, self.path, digest_made(hashed), reason))

    def happen(self, kind: TriggerKind, key: str, check: str = "") -> None:
        """Add an event for triggers, once."""
        event = Event(kind, key, check)
        if event not in self.events:
            self.events.append(event)

    def permit(self, verb: str, key: str, check: str = "") -> None:
        """Find the step that allows an act; its path goes into the changes that follow.

        Raises:
            NotPermitted: None does.
        """
        act = moves.Act(verb, key, check)
        choreography = self.registry.choreography
        self.path = moves.guard(choreography, self.view, act, role=self.role, author=self.intent.author)

    def add(self, record: KeyRecord, body: Body, **fields: Any) -> VersionRecord:  # noqa: ANN401 - of VersionRecord
        """Add a proposed version."""
        version = record.last_version + 1
        common = {"base": record.current, "author": self.intent.author, "role": self.role, "premises": ()}
        revision = self.view.facts.revision + 1
        added = VersionRecord(record.key, version, body, State.PROPOSED, **{**common, **fields}, revision=revision)
        self.put(record, last_version=version)
        self.rows.append(added)
        self.view.versions[record.key, version] = added
        self.note("proposed", record.key, version, added.content())
        return added

    def settle(self, record: VersionRecord, event: VersionEvent, reason: str) -> VersionRecord:
        """Move a version to its next state and write that."""
        state = move(record.state, event, subject=f"{record.key} version {record.version}")
        moved = record._replace(state=state, reason=reason)
        self.view.versions[record.key, record.version] = moved
        self.rows.append(SettleRow(record.key, record.version, state, reason))
        return moved

    def require_read(self, record: KeyRecord) -> None:
        """Refuse to write over what was never read, or only in part: what came between would be lost.

        Raises:
            Conflict: The key has a value and the transaction did not read the whole of it.
        """
        before = self.before.get(record.key)
        if before is None or before.current is None or self.intent.reads.whole(record.key, record.kind):
            return
        why = "it was not read, or only some facets of it, before it was written over"
        current = f"version {before.current}"
        premise = Premise(record.key, None, None, None, None, current, "breaking", None, before.mod_revision, why)
        raise Conflict([premise], "replan")

    def follow(self, event: moves.Event) -> None:
        """Do what the choreography says that follows from an event."""
        for consequence in moves.follow(self.registry.choreography, self.view, event):
            self._apply(consequence)

    def _apply(self, consequence: moves.Consequence) -> None:
        match consequence:
            case moves.SetPosition(key, path, state):
                self.touch(key)
                self.view.positions[key, path] = state
                self.rows.append(PositionRow(key, path, state))
            case moves.Arm(key, path, number, seconds):
                self.touch(key)
                self.rows.append(DeadlineRow(key, path, number, seconds))
            case moves.Disarm(key, path):
                self.rows.append(DeadlineRow(key, path, 0, None))
            case moves.Reopen(key, _):
                self.happen(TriggerKind.ASKED, key)
            case moves.RejectLive(key, reason):
                self.reject_live(key, reason)
                if self.view.has_accepted(key):
                    # Nobody answered in time, so the accepted version is the answer.
                    self.close(key)
            case moves.Contest(key, reason) | moves.Stop(key, reason):
                self.contest(key, reason)

    def contest(self, key: str, reason: str) -> None:
        """Note that the rule of a key can no longer settle it."""
        record = self.touch(key)
        self.happen(TriggerKind.CONTESTED, key)
        if record.kind == "decision":
            self.put(record, state=KeyState.CONTESTED)
        self.note("contested", key, record.current, None, reason=reason)

    def settle_and_note(self, record: VersionRecord, event: VersionEvent, reason: str) -> State:
        """Move a proposal to its next state, add the change, and return the state."""
        state = self.settle(record, event, reason).state
        self.note(str(state), record.key, record.version, None, reason=reason)
        return state

    def end(self, record: VersionRecord, event: VersionEvent, reason: str) -> None:
        """End a proposal, and all that was proposed jointly with it."""
        state = self.settle_and_note(record, event, reason)
        for other in self.view.joint(record):
            if other.key != record.key and other.state is State.PROPOSED:
                self.touch(other.key)
                self.end(other, VersionEvent.LOST, f"{record.key} {record.version}, proposed with it, was {state}")
                self.lost(other.key)

    def lost(self, key: str) -> None:
        """Do what follows where a key has lost its last live proposal."""
        record = self.touch(key)
        if not self.view.proposed(key):
            self.settled.append((key, ("proposed",)))
            self.follow(moves.Lost(key, amendment=record.current is not None))

    def reject_live(self, key: str, reason: str) -> None:
        """Reject every live proposal of a key."""
        for record in self.view.proposed(key):
            self.end(record, VersionEvent.LOST, reason)

    def close(self, key: str) -> None:
        """Close the question about a key, if one is open."""
        if self.view.question(key) is not None:
            self.view.questions[key] = None
            self.rows.append(CloseRow(key))

    def key_rows(self) -> list[KeyRecord]:
        """Return the records of all keys that this plan changes."""
        rows = []
        for key, before in self.before.items():
            record = self.view.written.get(key) or before
            if record is not None:
                rows.append(_compared(record, before))
        return rows


def _compared(record: KeyRecord, before: KeyRecord | None) -> KeyRecord:
    """Return a key's record with how it differs from the one before."""
    known = before or KeyRecord(record.key, record.kind)
    return record._replace(
        moved=before is None or (known.state, known.current) != (record.state, record.current),
        # What joined and left within the commit did neither.
        member=(known.current is None) is not (record.current is None),
        appeared=known.state is KeyState.ABSENT and record.state is not KeyState.ABSENT,
    )
