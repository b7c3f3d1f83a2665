"""Reads of a board at one revision.

A snapshot holds no database transaction, only its revision; its answers never change. A `Transaction` has the same
reads and records them.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from blackboard.contracts.bodies import contract_of
from blackboard.contracts.language import Contract
from blackboard.contracts.losing import Lost, lost_by
from blackboard.errors import InvalidPath
from blackboard.spec import arguments, convergence
from blackboard.spec.canonical import JSON
from blackboard.spec.convergence import Outcome
from blackboard.spec.files import check_path, check_tree
from blackboard.spec.keys import check_key, check_pattern, is_pattern, is_reserved
from blackboard.spec.records import VersionRecord
from blackboard.spec.staleness import Pin
from blackboard.store import exported, feed, gather, read
from blackboard.store.opened import Store
from blackboard.store.sqlite import Connection
from blackboard.store.statements import Rows


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote on a version."""

    author: str
    approve: bool
    reason: str
    revision: int


class Decision(NamedTuple):
    """The accepted version of a key.

    Attributes:
        state: The key's state: `accepted`, or `contested` if an amendment could not be settled.
        create_revision, mod_revision: The first and the last revision that changed the key.
    """

    key: str
    state: str
    version: int
    contract: Contract
    author: str
    role: str | None
    rationale: str
    create_revision: int
    mod_revision: int
    votes: tuple[Vote, ...]

    @property
    def value(self) -> JSON:
        """The parsed JSON of a contract in language `value`, None for other languages."""
        return json.loads(self.contract.text) if self.contract.language == "value" else None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a decision, with its state at the revision of the read.

    Attributes:
        contract: None if the text was compacted and only its digests are kept.
        bases: The versions that it was made from: none for a first version, the accepted one for an amendment; for a
            merged one also the proposal whose changes it includes.
        electorate: The members who may vote; None if there is no vote.
        quorum: The number of yes votes that accepts it.
        round: The round of its agreement, from 1.
        reason: Why it was rejected or retracted.
        lost: The facets on which another version defeated this one or a version proposed jointly with it: those that
            both changed differently, or, if there are none, all that the other version changed. If no other version
            was accepted, all facets that this one changed. Empty if it was not rejected, or a text was compacted.
    """

    key: str
    version: int
    state: str
    language: str
    contract: Contract | None
    bases: tuple[int, ...]
    author: str
    role: str | None
    rationale: str
    evidence: tuple[int, ...]
    electorate: tuple[str, ...] | None
    quorum: int | None
    round: int
    votes: tuple[Vote, ...]
    reason: str
    revision: int
    lost: tuple[Lost, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """An open question about a key."""

    key: str
    question: str
    options: tuple[JSON, ...]
    author: str
    role: str | None
    revision: int


@dataclass(frozen=True, slots=True)
class Component:
    """The newest version of a component.

    Attributes:
        state: `current`, `suspect`, `stale` or `orphaned`.
        files: path -> content.
        waits_for: Keys that its task names and that are not accepted yet.
    """

    key: str
    version: int
    state: str
    files: Mapping[str, bytes]
    pins: tuple[Pin, ...]
    waits_for: tuple[str, ...]
    author: str
    revision: int

    def text(self, path: str) -> str:
        """Return the content of a file as text."""
        return self.files[path].decode()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The newest result of a check on a component's newest version.

    Attributes:
        inputs: Digest of the inputs and of the check's definition.
    """

    check: str
    component: str
    version: int
    passed: bool
    log: str
    inputs: str
    author: str
    revision: int


class Reader:
    """The reads that snapshots and transactions share; they check keys and patterns."""

    def __init__(self, store: Store, revision: int) -> None:
        self._store = store
        self.revision = revision

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection that reads one state of the database, at or after this reader's revision.

        Raises:
            Compacted: This reader's revision is no longer kept.
        """
        with self._store.database.reading() as on:
            feed.check_kept(self.revision, read.board_row(on)["first_revision"])
            yield on

    def decision_of(self, key: str) -> Decision | None:
        """Return the accepted version of a key, None if there is none."""
        row = read.decision_row(self._store.database, check_key(key), self.revision)
        self._check_kept(row)
        return None if row is None else self._decision(row)

    def all_decisions(self, pattern: str) -> tuple[Decision, ...]:
        """Return the accepted versions under a pattern, by key."""
        check_pattern(pattern)
        with self.reading() as on:
            rows = read.decision_rows(on, pattern, self.revision)
        return tuple(self._decision(row) for row in rows)

    def _check_kept(self, row: read.Row) -> None:
        """Refuse a row that was read after its revision was compacted: its last column is the first kept revision."""
        first = read.board_row(self._store.database)["first_revision"] if row is None else row[-1]
        if self.revision < first:
            feed.check_kept(self.revision, first)

    def _decision(self, row: read.Row) -> Decision:
        # By index: a look-up by name costs one comparison for each column.
        (
            _,
            key,
            created,
            version,
            state,
            language,
            text,
            facets,
            digest,
            author,
            role,
            rationale,
            electorate,
            modified,
            _,
        ) = row
        contract = Contract.stored(language, text, known=(digest, facets))
        # A version without an electorate has no votes.
        votes = () if electorate is None else self._votes(self._store.database, row, version)
        return Decision(key, state, version, contract, author, role, rationale, created, modified, votes)

    def versions_of(self, key: str) -> tuple[tuple[Version, ...], int | None]:
        """Return all versions of a key, oldest first, and the revision of its last change."""
        check_key(key)
        with self.reading() as on:
            row = read.key_row(on, key, self.revision)
            changed = read.last_change(on, key, self.revision)
            if row is None or row["kind"] != "decision":
                return (), changed
            found = read.versions(on, row, self.revision)

            def proposed_with(joint: int) -> list[list[VersionRecord]]:
                rows = (read.key_row(on, other, self.revision) for other in read.keys_of(on, joint) if other != key)
                return [read.versions(on, other, self.revision) for other in rows]

            return tuple(self._version(on, row, one, lost_by(one, found, proposed_with)) for one in found), changed

    def _version(self, on: Connection, row: read.Row, record: VersionRecord, lost: tuple[Lost, ...]) -> Version:
        contract = None if record.compacted else contract_of(record.body)
        text = (record.key, record.version, str(record.state), record.body.language, contract, record.bases)
        origin = (record.author, record.role, record.rationale, record.evidence)
        votes = (record.electorate, record.quorum, record.round, self._votes(on, row, record.version))
        return Version(*text, *origin, *votes, record.reason, record.revision, lost)

    def _votes(self, on: Rows, row: read.Row, version: int) -> tuple[Vote, ...]:
        found = read.votes(on, row, version, self.revision)
        return tuple(Vote(one["author"], bool(one["approve"]), one["reason"], one["revision"]) for one in found)

    def component_of(self, key: str) -> Component | None:
        """Return the newest version of a component, None if there is none."""
        check_key(key)
        with self.reading() as on:
            row = read.key_row(on, key, self.revision)
            if row is None or row["kind"] != "component" or row["version"] is None:
                return None
            return self._component(on, row, read.Freshnesses(on, self.revision))

    def all_components(self, pattern: str) -> list[Component]:
        """Return the components under a pattern, by key."""
        check_pattern(pattern)
        with self.reading() as on:
            rows = read.key_rows(on, pattern, "component", self.revision)
            freshnesses = read.Freshnesses(on, self.revision)
            return [self._component(on, row, freshnesses) for row in rows if row["version"] is not None]

    def _component(self, on: Connection, row: read.Row, freshnesses: read.Freshnesses) -> Component:
        built = read.component(on, row)
        pins, listed = read.built_against(on, row)
        return Component(
            row["key"],
            row["version"],
            str(freshnesses.of(row, pins, listed)),
            read.files(on, row),
            pins,
            self._waits_for(on, row["key"]),
            built["author"],
            built["revision"],
        )

    def _waits_for(self, on: Connection, component: str) -> tuple[str, ...]:
        row = read.key_row(on, f"task/{component}", self.revision)
        if row is None or row["kind"] != "decision" or row["version"] is None:
            return ()
        task = read.version_of(on, row, row["version"]).body
        return tuple(dict.fromkeys(key for named in gather.named_by(task) for key in self._unaccepted(on, named)))

    def _unaccepted(self, on: Connection, named: str) -> Iterator[str]:
        if is_pattern(named):
            rows = read.key_rows(on, named, "decision", self.revision)
            yield from (row["key"] for row in rows if row["state"] in ("open", "contested"))
            return
        row = read.key_row(on, named, self.revision)
        if row is None or row["state"] != "accepted":
            yield named

    def questions_under(self, pattern: str, *, at: int | None = None) -> tuple[Question, ...]:
        """Return the questions under a pattern that are open, or were at an earlier revision, by key."""
        check_pattern(pattern)
        with self.reading() as on:
            found = read.questions(on, pattern, self.revision if at is None else at)
        return tuple(Question(one.key, one.text, one.options, one.author, one.role, one.revision) for one in found)

    def verdicts_on(self, component: str) -> tuple[tuple[Verdict, ...], int | None]:
        """Return the newest verdicts on a component's newest version and the revision of its last change."""
        check_key(component)
        with self.reading() as on:
            row = read.key_row(on, component, self.revision)
            changed = read.last_change(on, component, self.revision)
            if row is None or row["kind"] != "component" or row["version"] is None:
                return (), changed
            found = read.verdicts(on, row, self.revision)
        made = tuple(
            Verdict(
                one["check_name"],
                component,
                one["version"],
                bool(one["passed"]),
                one["log"],
                one["inputs"],
                one["author"],
                one["revision"],
            )
            for one in found
        )
        return made, changed


class Snapshot(Reader):
    """A board at one revision."""

    def decision(self, key: str, *, side: str = "uses", facets: tuple[str, ...] | None = None) -> Decision | None:
        """Return the accepted version of a key, None if there is none.

        Args:
            side: Used by transactions only.
            facets: Used by transactions only.
        """
        arguments.side(side)
        del facets
        return self.decision_of(key)

    def decisions(self, pattern: str = "**") -> tuple[Decision, ...]:
        """Return the accepted versions under a pattern, by key."""
        return self.all_decisions(pattern)

    def versions(self, key: str) -> tuple[Version, ...]:
        """Return all versions of a key, oldest first."""
        return self.versions_of(key)[0]

    def component(self, key: str) -> Component | None:
        """Return the newest version of a component, None if there is none."""
        return self.component_of(key)

    def components(self, pattern: str = "**") -> tuple[Component, ...]:
        """Return the components under a pattern, by key."""
        return tuple(self.all_components(pattern))

    def questions(self, pattern: str = "**") -> tuple[Question, ...]:
        """Return the open questions under a pattern, by key."""
        return self.questions_under(pattern)

    def verdicts(self, component: str) -> tuple[Verdict, ...]:
        """Return the newest verdict of each check on a component's newest version."""
        return self.verdicts_on(component)[0]

    def convergence(self) -> Outcome:
        """Return whether the board has converged at this revision, and if not, its obligations."""
        with self.reading() as on:
            return convergence.outcome(gather.spec_state(on, self.revision))

    def export(self, directory: str | Path, *, allow: Collection[str] = ()) -> tuple[Path, ...]:
        """Write every component's files below a directory, and the decisions to `.spec/decisions.json` in it.

        Files of an earlier export (`.spec/files.json` lists them) are replaced, or removed where no component has them
        any more. Nothing else that is in the directory is touched, and no file is written that a tool would run or obey
        without being asked, or whose name begins with a dot.

        Args:
            directory: Made if it is absent.
            allow: Paths of files that are written all the same, or in the place of another file; a name alone allows
                files that tools would run, in every folder that is not itself one of tools.

        Returns:
            The paths of the written files.

        Raises:
            InvalidPath: A file is not allowed, a link or something else is in its place, or two components hold files
                of one name, of names that differ in case only, or a file and a folder of one name. Nothing was written.
            ReadOnly: The directory cannot be written, or a file would be the board's.
        """
        owners: dict[str, str] = {}
        content: dict[str, bytes] = {}
        for component in self.components():
            for path, data in component.files.items():
                check_path(path)
                if path in owners:
                    raise InvalidPath(path, f"components {owners[path]} and {component.key} both hold this file")
                owners[path], content[path] = component.key, data
        content[".spec/decisions.json"] = decisions_json(self.decisions()).encode()
        check_tree(content)
        allowed = arguments.texts(allow, "allow", empty=False)
        return exported.export(Path(directory), content, owned=self._store.database.owns, allowed=allowed)


def decisions_json(decisions: tuple[Decision, ...]) -> str:
    """Return decisions as a JSON text: key -> version, language, value (of language `value`, else null) and text."""
    described = {
        one.key: {
            "version": one.version,
            "language": one.contract.language,
            "value": one.value,
            "text": one.contract.text,
        }
        for one in decisions
        if not is_reserved(one.key)
    }
    return json.dumps(described, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
