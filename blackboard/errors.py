"""All errors, as one tree.

`Refused` means that certainly nothing was written; `CommitUnknown` means that it is not known yet, and names the way to
find out. The text of an error names the event, its subject and the next step, in one line that went through `clean`;
the fields carry the same, as the board holds it.

    BlackboardError
    ├── Refused: Conflict, NotPermitted, IllegalTransition, Returning, Inconsistent, Reserved, LeaseLost, KeyReused,
    │            BudgetExhausted, Sealed
    ├── CommitUnknown
    ├── Invalid: InvalidKey, InvalidPath, InvalidContract, InvalidTeam, TooLarge
    ├── Compacted   Forked   TeamMismatch   RetryLater   GiveUp
    ├── StopRun: SandboxMissing
    └── StoreError: NotABoard, SchemaMismatch, Unavailable, ReadOnly, Full, Damaged
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from blackboard.clean import clean


@dataclass(frozen=True, slots=True)
class Premise:
    """One value that a refused transaction read and that changed since.

    `base`, `draft` and `current` are canonical JSON texts of the facet (of the set of facet names if `facet` is the
    empty string): at the base, in the transaction, and now. None means absent there. `side` is `uses` or `implements`,
    `effect` is `none`, `documentation`, `compatible` or `breaking`. If the effect is `documentation`, the three are the
    sentences that document the facet.
    """

    key: str
    facet: str | None
    side: str | None
    base: str | None
    draft: str | None
    current: str | None
    effect: str
    author: str | None
    revision: int | None
    rationale: str = ""

    def __str__(self) -> str:
        what = f"{self.key}#{self.facet}" if self.facet else self.key
        who = f" by {self.author}" if self.author else ""
        when = f" at {self.revision}" if self.revision is not None else ""
        why = f' "{self.rationale}"' if self.rationale else ""
        return clean(f"{what} changed{when}{who}{why}: {_short(self.base)} -> {_short(self.current)}")


_NAMED = 8
"""How many keys an error names at most."""


def _short(text: str | None, limit: int = 60) -> str:
    if text is None:
        return "absent"
    return text if len(text) <= limit else text[: limit - 1] + "…"


class BlackboardError(Exception):
    """The root of all errors of this package."""

    def __str__(self) -> str:
        # Why here: board texts come from models and strangers, and applications print and log errors themselves.
        return clean(super().__str__())


class Refused(BlackboardError):
    """The commit was refused; certainly nothing happened."""


class Conflict(Refused):
    """Something that the transaction read has changed since; read it again and change what depends on it.

    Attributes:
        premises: The changed values, one entry for each key and facet.
        action: `repair`: change the draft where it depends on a premise; `replan`: a premise was removed, so begin
            again without the draft.
    """

    def __init__(self, premises: Sequence[Premise], action: Literal["repair", "replan"]) -> None:
        self.premises = tuple(premises)
        self.action = action
        said = "; ".join(str(premise) for premise in self.premises)
        step = "read it again and mend the draft" if action == "repair" else "its premise is gone, plan anew"
        super().__init__(f"{said}; nothing was written: {step}")


class NotPermitted(Refused):
    """The choreography does not allow this act now, or not to this member.

    Attributes:
        attempted: The act, as a sentence.
        permitted_now: What this member may do now on the same key, as sentences.
        waits_for: The keys or acts that have to come first, as sentences.
    """

    def __init__(self, attempted: str, permitted_now: Sequence[str] = (), waits_for: Sequence[str] = ()) -> None:
        self.attempted = attempted
        self.permitted_now = tuple(permitted_now)
        self.waits_for = tuple(waits_for)
        now = f"; permitted now: {', '.join(permitted_now)}" if permitted_now else "; nothing is permitted here now"
        after = f"; it waits for {', '.join(waits_for)}" if waits_for else ""
        super().__init__(f"not permitted: {attempted}{now}{after}")


class IllegalTransition(Refused):
    """A version, question or position cannot make this move from the state that it is in."""

    def __init__(self, subject: str, state: str, event: str) -> None:
        self.subject, self.state, self.event = subject, state, event
        super().__init__(f"{subject} is {state}: {event} is not possible; read it again")


class Returning(Refused):
    """An earlier text of the key was proposed again without newer evidence."""

    def __init__(self, key: str, version: int, current: int | None) -> None:
        self.key, self.version, self.current = key, version, current
        super().__init__(
            f"{key} had this text as version {version} and gave it up; cite evidence newer than "
            f"version {current}, or let the operator decide"
        )


@dataclass(frozen=True, slots=True)
class Term:
    """A value that a constraint names, as it is after the writes: canonical JSON, None if there is none."""

    text: str
    key: str
    value: str | None
    version: int | None
    author: str | None

    def __str__(self) -> str:
        if self.version is None:
            return clean(f"{self.key} is not decided")
        return clean(f"{self.text} is {_short(self.value)} ({self.key} {self.version} by {self.author})")


class Inconsistent(Refused):
    """The state after the writes would make an accepted constraint false.

    Attributes:
        constraint: The key of the constraint.
        expression: Its text.
        terms: The values that it names, as they are after the writes, with their authors.
        why: Why the expression has no value; "" if its value is false.
        said: The expression, terms and why in one line.
    """

    def __init__(self, constraint: str, expression: str, terms: Sequence[Term], why: str = "") -> None:
        self.constraint, self.expression, self.terms, self.why = constraint, expression, tuple(terms), why
        named = ", ".join(dict.fromkeys(term.key for term in terms)) or constraint
        self.said = "; ".join([expression, *map(str, terms), *([why] if why else [])])
        super().__init__(f"{constraint} would be false: {self.said}; change {named} in one commit, or the constraint")


class Reserved(Refused):
    """Another author has a reservation on this key."""

    def __init__(self, key: str, holder: str, expires_in_seconds: float) -> None:
        self.key, self.holder, self.expires_in_seconds = key, holder, expires_in_seconds
        super().__init__(f"{key} is reserved by {holder} for {expires_in_seconds:.0f} s; wait, or ask the operator")


class LeaseLost(Refused):
    """The lease was revoked, or another worker claimed the activation; nothing can be written under it."""

    def __init__(self, target: str, token: int, newest: int | None) -> None:
        self.target, self.token, self.newest = target, token, newest
        by = f"; token {newest} is newer" if newest is not None and newest != token else ""
        super().__init__(f"the lease {token} on {target} is lost{by}; drop the work or claim it again")


class KeyReused(Refused):
    """The idempotency key belongs to another commit, or was declared void by `find_commit`."""

    def __init__(self, idempotency_key: str, author: str, *, declared_void: bool = False) -> None:
        self.idempotency_key, self.author, self.declared_void = idempotency_key, author, declared_void
        why = "was declared not committed" if declared_void else "was used for other content"
        super().__init__(f"idempotency key {idempotency_key!r} of {author} {why}; use a new key")


class BudgetExhausted(Refused):
    """The team's budget of this resource is spent."""

    def __init__(self, resource: str, limit: float, wanted: float) -> None:
        self.resource, self.limit, self.wanted = resource, limit, wanted
        super().__init__(f"the budget of {limit:g} {resource} has less than {wanted:g} left; raise it and run again")


class Sealed(Refused):
    """An operator sealed the board: nothing is written until an operator lifts the seal.

    Attributes:
        by: The operator's name.
        reason: The operator's reason.
    """

    def __init__(self, location: str, by: str, reason: str) -> None:
        self.location, self.by, self.reason = location, by, reason
        why = f": {reason}" if reason else ""
        super().__init__(f"{location} was sealed by {by}{why}; only read it, or lift it with `bb board seal --off`")


class CommitUnknown(BlackboardError):
    """The store failed at COMMIT; `find_commit(idempotency_key, author=…)` says whether the commit was made.

    Attributes:
        idempotency_key: The commit's; empty if it has none, such as an upgrade.
        act: The act whose result is unknown, as a noun.
    """

    def __init__(self, idempotency_key: str, cause: str, *, act: str = "the commit", step: str = "") -> None:
        self.idempotency_key, self.cause, self.act = idempotency_key, cause, act
        if not step and idempotency_key:
            step = f"`bb log` shows whether it did, and find_commit({idempotency_key!r}) settles it"
        step = step or "look at the board before you ask for it again"
        super().__init__(f"unknown whether {act} happened ({cause}); {step}")


class Invalid(BlackboardError):
    """An argument is not valid; nothing was done."""


class InvalidKey(Invalid):
    """A key, pattern or name is not well formed."""

    def __init__(self, text: str, why: str) -> None:
        self.text, self.why = text, why
        super().__init__(f"invalid key {_visible(text)}: {why}")


class InvalidPath(Invalid):
    """The path of a file cannot be used: it is malformed, or it is not safe in the folder that it is meant for.

    Attributes:
        step: What to do about it.
    """

    def __init__(self, path: str, why: str, step: str = "give the file another name") -> None:
        self.path, self.why, self.step = path, why, step
        super().__init__(f"invalid path {_visible(path)}: {why}; {step}")


class InvalidContract(Invalid):
    """A text cannot be read in its contract language.

    Attributes:
        line, column: 1-based position, 0 for the whole text.
    """

    def __init__(self, language: str, why: str, *, line: int = 0, column: int = 0) -> None:
        self.language, self.why, self.line, self.column = language, why, line, column
        where = f" at line {line}, column {column}" if line else ""
        super().__init__(f"invalid {language}{where}: {why}")


class InvalidTeam(Invalid):
    """A team or choreography is not well formed.

    Attributes:
        repair: The change that makes it valid.
    """

    def __init__(self, what: str, repair: str) -> None:
        self.what, self.repair = what, repair
        super().__init__(f"{what}; {repair}")


class TooLarge(Invalid):
    """A text or list is larger than the board's limit."""

    def __init__(self, field: str, size: int, limit: int, *, unit: str = "bytes") -> None:
        self.field, self.size, self.limit, self.unit = field, size, limit, unit
        super().__init__(f"{field} has {size} {unit}; the limit is {limit}: split it or keep it in a file")


class Compacted(BlackboardError):
    """The requested revision is below the first kept one."""

    def __init__(self, asked: int, first: int) -> None:
        self.asked, self.first = asked, first
        super().__init__(
            f"revision {asked} was compacted; the first kept one is {first}: read the board again from there"
        )


class Forked(BlackboardError):
    """The cursor or known head is from another board, or from another history of this board."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; read the board again from revision 0")


class TeamMismatch(BlackboardError):
    """Another team is installed and has a live lease.

    Attributes:
        differences: The keys that installing the other team would change.
    """

    def __init__(
        self,
        differences: Sequence[str],
        what: str = "another team is at work here",
        step: str = "wait for its leases to end",
    ) -> None:
        self.differences = tuple(differences)
        more = f" and {len(self.differences) - _NAMED} more" if len(self.differences) > _NAMED else ""
        super().__init__(f"{what} ({', '.join(self.differences[:_NAMED])}{more}); {step}")


class RetryLater(BlackboardError):
    """Raised by a source: make its activation pending again, and claim it no earlier than after this many seconds.

    This is no failed attempt. The total wait of an activation is bounded.
    """

    def __init__(self, reason: str, *, seconds: float) -> None:
        self.reason, self.seconds = reason, seconds
        super().__init__(f"{reason}; the work is taken up again in {seconds:.0f} s")


class GiveUp(BlackboardError):
    """Raised by a source: trying this activation again cannot succeed, so it is dead until an operator retries it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class StopRun(BlackboardError):
    """Raised by a source: nothing in this run can succeed, so it ends now."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{reason}; then run again")


class SandboxMissing(StopRun):
    """The tool that keeps commands in cannot start one here; the command did not run.

    Attributes:
        kind: The tool: `bwrap` or `unshare`.
        why: What the system says of it.
    """

    def __init__(self, kind: str, why: str, package: str) -> None:
        self.kind, self.why, self.package = kind, why, package
        super().__init__(
            f"no command runs in the sandbox {kind}: {why}; install or permit it (`apt install {package}`), or do "
            "without it: the next run takes the strictest of bwrap, unshare and plain that works on this system"
        )


class StoreError(BlackboardError):
    """The store cannot be used as it is."""


class NotABoard(StoreError):
    """The file exists and is no board."""

    def __init__(self, location: str, why: str) -> None:
        self.location, self.why = location, why
        super().__init__(f"{location} is not a board: {why}; name another path, nothing was changed")


class SchemaMismatch(StoreError):
    """The board's schema is older or newer than this library's."""

    def __init__(self, location: str, found: str, needed: str, *, newer: bool) -> None:
        self.location, self.found, self.needed, self.newer = location, found, needed, newer
        step = "use a newer sharedspec" if newer else "run `bb board upgrade`"
        super().__init__(f"{location} has schema {found}, this library needs {needed}: {step}")


class Unavailable(StoreError):
    """The store cannot be reached, is missing, or stays busy."""

    def __init__(self, location: str, why: str, step: str = "try again") -> None:
        self.location, self.why = location, why
        super().__init__(f"{location} is unavailable: {why}; {step}")


class ReadOnly(StoreError):
    """The store's file or folder cannot be written."""

    def __init__(self, location: str, why: str) -> None:
        self.location, self.why = location, why
        super().__init__(f"{location} cannot be written: {why}; change its permissions or copy the board elsewhere")


class Full(StoreError):
    """The disk has no space left; nothing was written."""

    def __init__(self, location: str) -> None:
        self.location = location
        super().__init__(f"no space left for {location}; free some and commit again, nothing was written")


class Damaged(StoreError):
    """The store's content contradicts itself.

    Attributes:
        where: The first damaged place that was found.
    """

    def __init__(self, location: str, where: str) -> None:
        self.location, self.where = location, where
        super().__init__(
            f"{location} is damaged: {where}; restore the newest backup, or save what can be read by "
            f"`sqlite3 {location} .recover`; `bb board doctor` says what else is wrong"
        )


def _visible(text: str) -> str:
    return ascii(_short(text))
