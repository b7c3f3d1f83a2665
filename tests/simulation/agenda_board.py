"""A board as the agenda sees it: keys, sources, and what woke whom."""

import json
import uuid

from blackboard.control.simulation import FakeClock
from blackboard.spec.activation import Activation, Ending
from blackboard.store import agenda, budgets, claims, upgrade
from blackboard.store.agenda import End
from blackboard.store.claims import Claimants, Claimed
from blackboard.store.opened import Store
from blackboard.store.sqlite import Database
from blackboard.store.statements import Statement
from blackboard.store.writer import Writer


class Board:
    """A board's control tables with just as much spec as an agenda needs."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        database = Database(None, f"agenda-{uuid.uuid4().hex}")
        self.store = Store(database, Writer(database, self.clock), self.clock)
        self._keep = database.connect()
        for statement in (*upgrade.data_definitions(), upgrade.VERSION_TABLE):
            self._keep.raw.execute(statement)
        self._keep.raw.execute("INSERT INTO board VALUES (1, 'epoch', 7, '', 0, 0, 1, NULL, '', NULL)")

    def do(self, text: str, /, **parameters: object) -> None:
        with self.store.writer.turn() as turn:
            turn.run(Statement(text), parameters)

    def ask(self, text: str, /, **parameters: object) -> list[tuple]:
        with self.store.database.reading() as connection:
            return [tuple(row) for row in connection.all(Statement(text), parameters)]

    def key(self, key: str, kind: str = "decision", state: str = "accepted", current: int | None = 1) -> int:
        self.do(
            "INSERT INTO key (key, kind, state, last_version, current_version, generation, create_revision, "
            "member_revision, question_revision, mod_revision) "
            "VALUES (:key, :kind, :state, 1, :current, 0, 1, 1, 0, 1)",
            key=key,
            kind=kind,
            state=state,
            current=current,
        )
        return self.id(key)

    def id(self, key: str) -> int:
        return self.ask("SELECT id FROM key WHERE key = :key", key=key)[0][0]

    def decided(self, key: str, value: object) -> None:
        identifier = self.key(key)
        self.do(
            "INSERT INTO version VALUES (:id, 1, 'value', :text, '{}', '', 'accepted', NULL, 'ann', NULL, '', '[]', "
            "NULL, NULL, 1, NULL, '', 1, NULL, NULL)",
            id=identifier,
            text=json.dumps(value),
        )

    def source(self, name: str, *, role: str = "coder", check: str = "", runs: int = 1, retries: int = 2) -> None:
        record = {"role": role, "on": [], "external": False, "check": check}
        self.decided(f"source/{name}", {**record, "max_concurrency": runs, "retries": retries})

    def woken(self, source: str, target: str, kind: str = "required", *, rating: float = 0) -> None:
        self.do(
            "INSERT INTO activation (source, target_id, kind, state, rating, run_again, attempts, revision, "
            "pending_since, not_before, error, reason) VALUES (:source, :target, :kind, 'pending', :rating, 0, 0, 7, "
            ":since, 0, NULL, '')",
            source=source,
            target=self.id(target),
            kind=kind,
            rating=rating,
            since=self.clock(),
        )

    def written(self, component: str, *, uses: tuple[str, ...] = (), implements: tuple[str, ...] = ()) -> None:
        identifier = self.key(component, "component", "written")
        for side, keys in (("uses", uses), ("implements", implements)):
            for key in keys:
                self.do(
                    "INSERT INTO pin VALUES (:component, 1, :key, 'f', :side, 1, 1, 'd', NULL)",
                    component=identifier,
                    key=self.id(key),
                    side=side,
                )
                self.do("INSERT OR IGNORE INTO current_facet VALUES (:key, 'f', 1, 'd')", key=self.id(key))

    def needed(self, component: str, *keys: str) -> None:
        for key in keys:
            self.do(
                "INSERT INTO requirement VALUES (:component, :key, 1)", component=self.id(component), key=self.id(key)
            )

    def claim(self, *names: str, limit: int = 10, **more: object) -> tuple[Claimed, ...]:
        return claims.claim(self.store, Claimants(names, **more), limit=limit, lease_seconds=5)

    def states(self) -> dict[tuple[str, str], str]:
        rows = self.ask("SELECT a.source, k.key, a.state FROM activation a JOIN key k ON k.id = a.target_id")
        return {(source, key): state for source, key, state in rows}

    def end(self, one: Claimed, ending: Ending, **more: object) -> bool:
        return one.token in agenda.end(self.store, [End(one.token, ending, **more)])

    def claimable(self, name: str) -> bool:
        return claims._any_ready(self.store, [name])

    def open(self) -> tuple[Activation, ...]:
        with self.store.database.reading() as connection:
            return agenda.open_activations(connection)

    def account(self, resource: str) -> budgets.Account:
        with self.store.database.reading() as connection:
            return budgets.accounts(connection)[resource]


def targets(claimed: tuple[Claimed, ...]) -> list[tuple[str, str]]:
    return [(one.source, one.target) for one in claimed]
