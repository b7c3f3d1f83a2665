"""A transaction: reads from one snapshot, records its read set, collects acts, and is validated at commit.

It may last for hours, because it holds no database transaction. Its methods record the read set, which is never
declared; the pins of the components that it writes are made from it.
"""

import asyncio
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from blackboard.choreography.values import OPERATOR
from blackboard.contracts.bodies import body_of
from blackboard.contracts.language import Contract, all_facets
from blackboard.contracts.rules import accepting
from blackboard.errors import Conflict, IllegalTransition, Invalid, InvalidContract, TooLarge
from blackboard.plan import plan
from blackboard.snapshot import Component, Decision, Question, Reader, Verdict, Version
from blackboard.spec import arguments
from blackboard.spec.canonical import JSON, NotCanonical, canonical_json, digest_bytes
from blackboard.spec.changes import (
    Act,
    Ask,
    Committed,
    Decide,
    Intent,
    Judge,
    Propose,
    Retract,
    Vote,
    Withdraw,
    Write,
    amended_by,
)
from blackboard.spec.effects import Side
from blackboard.spec.files import check_path, check_tree
from blackboard.spec.inputs import BuiltComponent, closure, inputs_digest, whole_digest
from blackboard.spec.keys import (
    check_idempotency_key,
    check_key,
    check_name,
    check_pattern,
    is_pattern,
    matches,
    matches_any,
)
from blackboard.spec.reads import Reads
from blackboard.spec.records import Body
from blackboard.spec.staleness import FacetHead, PatternPin, Pin
from blackboard.store import gather, read
from blackboard.store.commit import commit
from blackboard.store.opened import Store
from blackboard.store.preview import Impact, impact
from blackboard.store.uses import observing

Content = str | bytes | None


@dataclass(frozen=True, slots=True)
class _Draft:
    """A component that the commit will write."""

    files: Mapping[str, bytes]
    implements: tuple[str, ...]
    uses: tuple[str, ...]


def _pins(
    decision: Decision, side: Side, heads: Mapping[str, FacetHead], names: Iterable[str], *, whole: bool
) -> Iterable[Pin]:
    """Yield the pins of some facets of a decision, or of all of them."""
    digests = decision.contract.digests
    values = {name: digests.get(name, "") for name in names}
    if whole:
        values |= all_facets(digests)
    for name, value in values.items():
        head = heads.get(name)
        yield Pin(decision.key, name, side, decision.version, 0 if head is None else head.since, value)


class Transaction(Reader):
    """The reads and acts of one author, committed whole or not at all.

    Use it as a context manager, plain or async: leaving the block commits; an exception discards it.

    Attributes:
        previous: The conflict that refused the previous attempt, None for the first.
        committed: The result, None before the commit.
    """

    def __init__(
        self,
        store: Store,
        revision: int,
        author: str,
        *,
        role: str | None = None,
        idempotency_key: str | None = None,
        token: int | None = None,
        target: str | None = None,
        previous: Conflict | None = None,
    ) -> None:
        super().__init__(store, revision)
        self.author = check_name(author)
        self.role = role if role is None else check_name(role)
        self.previous = previous
        self.committed: Committed | None = None
        self._idempotency_key = (
            store.name_commit() if idempotency_key is None else check_idempotency_key(idempotency_key)
        )
        self._token, self._target, self._may_be_replayed = token, target, idempotency_key is not None
        self._open = True
        self._acts: list[Act] = []
        self._drafts: dict[str, _Draft] = {}
        self._reads = Reads()
        # Decisions that were read as a whole, and those of which some facets were read.
        self._whole: dict[tuple[str, Side], Decision] = {}
        self._named: dict[tuple[str, Side], tuple[Decision, frozenset[str]]] = {}
        self._listed: set[str] = set()
        self._built: tuple[Mapping[str, BuiltComponent], Mapping[str, tuple[str, ...]]] | None = None

    # --- reads ---

    def decision(self, key: str, *, side: str = "uses", facets: Sequence[str] | None = None) -> Decision | None:
        """Read the accepted version of a key, None if there is none.

        Args:
            side: The side on which the components that this transaction writes depend on the decision.
            facets: The facets to read; those that they name are read too (for a function of a stub, the classes and
                aliases in its signature). None reads all of them and the set of their names.
        """
        checked_side = arguments.side(side)
        names = None if facets is None else arguments.texts(facets, "facets", empty=False)
        found = self.decision_of(key)
        self._note_decision(key, found, checked_side, names)
        return found

    def decisions(self, pattern: str = "**") -> tuple[Decision, ...]:
        """Read the accepted versions under a pattern, by key; a further one at the commit is a conflict."""
        found = self.all_decisions(pattern)
        self._reads.patterns.add(("decision", pattern))
        self._listed.add(pattern)
        for decision in found:
            self._note_decision(decision.key, decision, Side.USES, None)
        return found

    def versions(self, key: str) -> tuple[Version, ...]:
        """Read all versions of a key with their votes, oldest first; any change of the key is a conflict."""
        found, revision = self.versions_of(key)
        self._reads.histories[key] = revision
        return found

    def component(self, key: str) -> Component | None:
        """Read the newest version of a component, None if there is none; this makes no pin."""
        found = self.component_of(key)
        self._reads.components[key] = None if found is None else found.version
        return found

    def components(self, pattern: str = "**") -> tuple[Component, ...]:
        """Read the components under a pattern, by key; a further one is a conflict. This makes no pin."""
        found = self.all_components(pattern)
        self._reads.patterns.add(("component", pattern))
        self._reads.components.update({one.key: one.version for one in found})
        return tuple(found)

    def providers(self, component: str, keys: Collection[str]) -> tuple[Component, ...]:
        """Return the other components that implement decisions; this is neither validated nor pinned.

        Args:
            component: The component that uses the decisions.
            keys: The decisions, by key or pattern.
        """
        with self.reading() as on:
            built = gather.components(on, self.revision)
        named = (key for key, one in built.items() if key != component and matches_any(keys, one.implemented))
        return tuple(one for one in map(self.component_of, named) if one is not None)

    def questions(self, pattern: str = "**") -> tuple[Question, ...]:
        """Read the open questions under a pattern, by key; a further one at the commit is a conflict."""
        found = self.questions_under(pattern)
        self._reads.patterns.add(("question", pattern))
        return found

    def verdicts(self, component: str) -> tuple[Verdict, ...]:
        """Read the newest verdict of each check on a component's newest version."""
        found, revision = self.verdicts_on(component)
        self._reads.histories[component] = revision
        return found

    def reads_touched_by(self, changed: Collection[str]) -> bool:
        """Say whether changes of these keys may conflict with the read set."""
        return self._reads.touched_by(changed)

    @property
    def is_open(self) -> bool:
        """Whether the transaction was neither committed nor discarded."""
        return self._open

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The pins of a component that this transaction would write now, by key and facet."""
        amended = amended_by(self._acts)
        named = {**{pinned: (one, frozenset[str]()) for pinned, one in self._whole.items()}, **self._named}
        kept = {pinned: one for pinned, one in named.items() if pinned[0] not in amended}
        if not kept:
            return ()
        with self.reading() as on:
            heads = {key: read.facet_heads(on, key, self.revision) for key in {key for key, _ in kept}}
        pins = [
            pin
            for (key, side), (decision, names) in kept.items()
            for pin in _pins(decision, side, heads[key], names, whole=(key, side) in self._whole)
        ]
        return tuple(sorted(pins, key=lambda pin: (pin.key, pin.name, pin.side)))

    # --- writes ---

    def ask(self, key: str, question: str, *, options: Sequence[JSON] = ()) -> None:
        """Put a question about a key; it closes when the key is accepted or retracted."""
        options = arguments.sequence(options, "the options")
        canonical = _canonical(list(options), "the options")
        if len(canonical) > arguments.MAX_TEXT_BYTES:
            raise TooLarge("the options", len(canonical), arguments.MAX_TEXT_BYTES)
        spelled: list[JSON] = json.loads(canonical)
        self._act(Ask(check_key(key), arguments.text(question, "the question"), tuple(spelled)))

    def propose(self, key: str, contract: Contract, *, rationale: str = "", evidence: Sequence[int] = ()) -> None:
        """Propose a version; without an electorate it is accepted at once.

        Args:
            evidence: Revisions of commits that support it; they permit an earlier text to return.
        """
        self.propose_jointly({key: contract}, rationale=rationale, evidence=evidence)

    def propose_jointly(
        self, contracts: Mapping[str, Contract], *, rationale: str = "", evidence: Sequence[int] = ()
    ) -> None:
        """Propose versions of several keys that are accepted in one commit or not at all."""
        wanted = arguments.mapping(contracts, "what is proposed")
        bodies = tuple((check_key(key), _body(contract)) for key, contract in wanted.items())
        evidence = arguments.sequence(evidence, "evidence")
        cited = tuple(arguments.integer(one, "a cited revision", least=1) for one in evidence)
        if late := [one for one in cited if one > self.revision]:
            raise Invalid(f"evidence cites revision {late[0]}, and {self.revision} is read; read that first")
        self._act(Propose(bodies, arguments.text(rationale, "the rationale"), cited))

    def withdraw(self, key: str, *, version: int) -> None:
        """Withdraw a proposal of this author."""
        self._act(Withdraw(check_key(key), arguments.integer(version, "version")))

    def vote(self, key: str, *, version: int, approve: bool, reason: str = "") -> None:
        """Vote on a proposed version, once."""
        number, approve = arguments.integer(version, "version"), arguments.boolean(approve, "approve")
        self._act(Vote(check_key(key), number, approve, arguments.text(reason, "the reason")))

    def decide(self, key: str, contract: Contract, *, rationale: str = "", accept: Iterable[str] = ()) -> None:
        """Accept a version without a vote.

        A key accepted 16 times without an operator's ruling becomes contested instead: `Committed.accepted` lacks it.

        `accept` names rules (docs/rules.md) whose breaks an operator accepts: components become suspect, not stale.
        """
        why, rules, body = arguments.text(rationale, "the rationale"), tuple(dict.fromkeys(accept)), _body(contract)
        current = self.decision_of(key) if rules else None
        broken = frozenset[str]() if current is None else current.contract.compare(contract).rules
        why = accepting(why, rules, self.author, broken, permitted=self.role == OPERATOR)
        self._act(Decide(check_key(key), body, why))

    def retract(self, key: str, *, reason: str) -> None:
        """Retract an accepted decision; components that were built against it become orphaned."""
        self._act(Retract(check_key(key), arguments.text(reason, "the reason")))

    def write(
        self,
        component: str,
        files: Mapping[str, Content],
        *,
        implements: Iterable[str] | None = None,
        uses: Iterable[str] | None = None,
    ) -> None:
        """Write a component, with pins to everything that this transaction reads.

        Args:
            files: path -> content, None to delete; other files stay. A component that exists has to be read before
                (else `Invalid`); the target of a lease counts as read.
            implements: Keys and patterns that it implements, whichever side they were read with; this reads them.
            uses: The same for those that it uses.
        """
        check_key(component)
        known = component in (self._target, *self._reads.components)
        # If a commit with this idempotency key exists, it is the answer, whichever files were written since.
        is_blind = not (known or component in self._drafts or self._may_be_replayed)
        if is_blind and self.component_of(component) is not None:
            raise Invalid(f"{component} exists and was not read: call transaction.component({component!r}) first")
        current = self.component(component) if known else None
        arguments.mapping(files, "files")
        kept = dict(self._drafts[component].files if component in self._drafts else current.files if current else {})
        for path, content in files.items():
            if content is None:
                kept.pop(path, None)
            else:
                kept[check_path(path)] = arguments.file_content(path, content)
        check_tree(kept)
        sides = {
            Side.IMPLEMENTS: arguments.sequence(() if implements is None else implements, "implements"),
            Side.USES: arguments.sequence(() if uses is None else uses, "uses"),
        }
        for side, named in sides.items():
            self._read_named(side, named)
        self._check_open("a write")
        self._drafts[component] = _Draft(kept, sides[Side.IMPLEMENTS], sides[Side.USES])

    def verdict(self, check: str, component: str, *, passed: bool, log: str = "") -> None:
        """Record the result of a check for exactly its inputs at this revision; this reads them."""
        check_name(check)
        check_key(component)
        arguments.boolean(passed, "passed")
        with self.reading() as on:
            known = gather.check_of(on, check, self.revision)
            if self._built is None:
                self._built = gather.components(on, self.revision), gather.probes(on, self.revision)
        components, probes = self._built
        rests = tuple(components) if known.whole else closure(component, components)
        for key in rests or (component,):
            self._reads.components[key] = components[key].version if key in components else None
        version = components[component].version if component in components else 0
        if known.whole:
            inputs = whole_digest(components, probes, known.definition)
        else:
            inputs = inputs_digest(component, components, known.definition)
        judged = None if known.whole else components.get(component)
        for pin, value in zip(judged.pins, judged.values, strict=True) if judged is not None else ():
            if value or self.decision_of(pin.key) is not None:
                self._reads.facets[pin.key, pin.name] = value or None
            else:
                self._reads.decisions[pin.key] = None
        self._act(Judge(check, component, version, passed, arguments.text(log, "the log"), inputs))

    # --- ends ---

    def preview(self) -> Impact:
        """Return the impact that a commit would have now; this writes nothing."""
        return impact(self._store, self._intent(), observing(plan))

    def commit(self) -> Committed:
        """Validate the read set and write the write set, whole or not at all.

        Raises:
            Refused: Certainly nothing was written.
            CommitUnknown: The store failed at COMMIT; call `find_commit`.
        """
        self._check_open("a commit")
        self._open = False
        self.committed = commit(self._store, self._intent(), replan=observing(plan))
        return self.committed

    def discard(self) -> None:
        """End the transaction without a commit."""
        self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.discard()
        elif self._open:
            self.commit()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.discard()
        elif self._open:
            await asyncio.to_thread(self.commit)

    # --- the intent ---

    def _intent(self) -> Intent:
        acts = [*self._acts, *(self._write_of(component, draft) for component, draft in self._drafts.items())]
        if len(acts) > 1:
            acts.sort(key=lambda act: isinstance(act, Judge))
        return Intent(
            self.author, self.role, tuple(acts), self._reads, self.revision, self._idempotency_key, self._token
        )

    def _write_of(self, component: str, draft: _Draft) -> Write:
        files = {path: (digest_bytes(content), content) for path, content in sorted(draft.files.items())}
        sided = (pin._replace(side=_side_of(pin, draft)) for pin in self.pins)
        pins = {(pin.key, pin.name, pin.side): pin for pin in sided}
        listed = tuple(PatternPin(pattern, self.revision) for pattern in sorted(self._listed))
        return Write(component, files, tuple(pin for _, pin in sorted(pins.items())), listed)

    def _read_named(self, side: Side, named: Iterable[str]) -> None:
        # Reading a key's history, or reading for a verdict, makes no pin.
        read = {key for key, _ in (*self._whole, *self._named)}
        for name in named:
            if not is_pattern(check_pattern(name)) and name not in read:
                self.decision(name, side=side)

    def _note_decision(self, key: str, found: Decision | None, side: Side, facets: Collection[str] | None) -> None:
        if found is None:
            self._reads.decisions[key] = None
            return
        if facets is None:
            self._reads.decisions[key] = found.contract.digest
            self._whole[key, side] = found
            return
        facets = found.contract.meant_by(facets)
        _, names = self._named.get((key, side), (found, frozenset()))
        self._named[key, side] = found, names | facets
        if self._reads.decisions.get(key) is None:
            digests = found.contract.digests
            self._reads.facets.update({(key, name): digests.get(name) for name in facets})

    def _act(self, act: Act) -> None:
        self._check_open("another act")
        self._acts.append(act)

    def _check_open(self, event: str) -> None:
        if not self._open:
            raise IllegalTransition("the transaction", "ended", event)


def _side_of(pin: Pin, draft: _Draft) -> Side:
    if any(matches(name, pin.key) for name in draft.implements):
        return Side.IMPLEMENTS
    if any(matches(name, pin.key) for name in draft.uses):
        return Side.USES
    return pin.side


def _body(contract: Contract) -> Body:
    arguments.of_type(Contract, contract, "the contract")
    return body_of(contract)


def _canonical(value: JSON, what: str) -> str:
    try:
        return canonical_json(value)
    except NotCanonical as error:
        raise InvalidContract("value", f"{what}: {error.why}") from None
