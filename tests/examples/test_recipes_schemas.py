"""The experts build whatever was decided: schemas drawn at random, any answers, tables that come and go."""

import random
import threading
import time

import pytest
from recipes_runs import COMBINATIONS, drawing, exported, faults_of, team

from blackboard import Contract, Controller, Transaction
from blackboard.control.context import Context
from blackboard.testing import open_memory

TYPES = {
    "INTEGER": "7",
    "TEXT": "'none'",
    "REAL": "0.5",
    "BOOLEAN": "TRUE",
    "DATE": "'2026-02-03'",
    "TIMESTAMP": "CURRENT_TIMESTAMP",
    "VARCHAR(12)": "'short'",
    "NUMERIC(8, 2)": "1.25",
}
LAYERS = ("model", "storage", "service", "http", "cli", "tests")


def column(drawn, name):
    kind = drawn.choice(list(TYPES))
    rule, chance = "", drawn.random()
    if chance < 0.3:
        rule = f" DEFAULT {TYPES[kind]}"
    elif chance < 0.5 and kind == "INTEGER":
        rule = f" CHECK ({name} BETWEEN 1 AND 90)"
    elif chance < 0.5 and kind == "TEXT":
        rule = " UNIQUE"
    return f"{name} {kind}{drawn.choice(('', ' NOT NULL'))}{rule}"


def schema(drawn, most):
    """Return a schema: table -> its columns, and table -> those that it refers to."""
    names = [f"{drawn.choice(('plant', 'shelf', 'trip', 'song'))}_{number}" for number in range(drawn.randint(2, most))]
    columns, parents = {}, {}
    for at, name in enumerate(names):
        parents[name] = drawn.sample(names[:at], drawn.randint(0, min(at, most - 1)))
        columns[name] = [f"id {drawn.choice(('INTEGER', 'TEXT'))} PRIMARY KEY"]
        columns[name] += [column(drawn, f"c{number}") for number in range(drawn.randint(1, 4))]
        if drawn.random() < 0.3:
            columns[name].append(f"before_id {columns[name][0].split()[1]} REFERENCES {name} (id)")
    return columns, parents


def ddl(columns, parents):
    kinds = {name: lines[0].split()[1] for name, lines in columns.items()}
    tables = []
    for name, lines in columns.items():
        refers = [
            f"{other}_id {kinds[other]}{' NOT NULL' * (len(other + name) % 2)} REFERENCES {other} (id)"
            for other in parents[name]
        ]
        tables.append(f"CREATE TABLE {name} (\n  " + ",\n  ".join([*lines, *refers]) + "\n);\n")
    return "".join(tables)


def resting_on(name, parents):
    """Return the tables whose tests hold rows of a table: itself, and all that refer to it."""
    found = {name}
    while more := {one for one, others in parents.items() if found & set(others)} - found:
        found |= more
    return found


def decided_and_built(board, text):
    def decide(transaction):
        transaction.decision("db/schema")
        transaction.decide("db/schema", Contract("sql", text), rationale="other tables")

    board.run_transaction(decide, "ann", role="operator")
    outcome = Controller(board, team(amend="no")).run()
    assert outcome.kind == "converged", outcome.obligations
    return {one.key: one.version for one in board.snapshot().components() if one.files}


def test_a_random_schema_is_built_and_a_change_rebuilds_only_what_depends_on_it(tmp_path, seed, length):
    for one in range(length(1, 30)):
        print(f"seed {seed}, schema {one}")  # noqa: T201
        drawn = random.Random(f"{seed} {one}")
        columns, parents = schema(drawn, length(2, 3))
        with open_memory() as board:
            before = decided_and_built(board, ddl(columns, parents))
            assert set(before) == {"app/main", *(f"{layer}/{name}" for layer in LAYERS for name in columns)}
            assert faults_of(exported(board, tmp_path / f"{one}-before")) == []
            changed = drawn.choice(list(columns))
            columns[changed].append(column(drawn, "added"))
            after = decided_and_built(board, ddl(columns, parents))
            assert faults_of(exported(board, tmp_path / f"{one}-after")) == []
        rebuilt = {key for key, version in after.items() if version != before[key]}
        wanted = {f"{layer}/{changed}" for layer in LAYERS}
        assert rebuilt == wanted | {f"tests/{name}" for name in resting_on(changed, parents)}


PLANT = "CREATE TABLE plant (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
SHELF = "CREATE TABLE shelf (id INTEGER PRIMARY KEY, room TEXT);\n"


@pytest.fixture
def board():
    with open_memory() as board:
        yield board


def test_a_table_may_be_removed_while_its_tests_are_checked(board, monkeypatch, tmp_path):
    before = decided_and_built(board, PLANT + SHELF)
    in_sandbox, retracted = Context.run_command, Transaction.retract
    checked, waited = threading.Event(), threading.Event()

    def run_command(self, *arguments, **options):
        """Let the check of the removed table's tests begin before their task is retracted, and end after it."""
        if self.target == "tests/shelf" and not checked.is_set():
            checked.set()
            end = time.monotonic() + 30
            while time.monotonic() < end and board.snapshot().decision("task/tests/shelf") is not None:
                time.sleep(0.01)
            waited.set()
        return in_sandbox(self, *arguments, **options)

    def retract(self, key, **options):
        if key == "task/tests/shelf":
            checked.wait(30)
        return retracted(self, key, **options)

    monkeypatch.setattr(Context, "run_command", run_command)
    monkeypatch.setattr(Transaction, "retract", retract)
    after = decided_and_built(board, PLANT)
    assert waited.is_set()
    assert set(before) - set(after) == {f"{layer}/shelf" for layer in LAYERS}
    assert faults_of(exported(board, tmp_path / "after")) == []


def test_whatever_the_operator_answered_before_is_what_is_built(tmp_path, seed, length):
    for one, values in enumerate(drawing(seed).sample(COMBINATIONS, length(1, 32))):
        print(values)  # noqa: T201
        with open_memory() as board:
            with board.transaction("ann", role="operator") as transaction:
                for key, value in values.items():
                    transaction.decide(key, Contract.value(value))
            outcome = Controller(board, team()).run()
            assert outcome.kind == "converged", outcome.obligations
            assert {key: board.snapshot().decision(key).value for key in values} == values
            assert faults_of(exported(board, tmp_path / str(one))) == []


ODD = {
    "a primary key of two columns": (
        "CREATE TABLE tag (a INTEGER, b TEXT, PRIMARY KEY (a, b));",
        "tag has no primary key of one column",
    ),
    "a word of SQL": (
        'CREATE TABLE "order" (id INTEGER PRIMARY KEY, name TEXT);',
        "order cannot be made without quotation marks",
    ),
    "a reference to no primary key": (
        (
            "CREATE TABLE land (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);"
            "CREATE TABLE city (id INTEGER PRIMARY KEY, land TEXT NOT NULL REFERENCES land (code));"
        ),
        "city.land refers to land.code",
    ),
    "a first row that needs another": (
        "CREATE TABLE node (id TEXT PRIMARY KEY, parent TEXT NOT NULL REFERENCES node (id));",
        "no first row could be added",
    ),
    "two files of one name": (
        "CREATE TABLE test (id INTEGER PRIMARY KEY); CREATE TABLE model (id INTEGER PRIMARY KEY);",
        "two tables would have the file test_model.py",
    ),
    "a check that no plain value meets": (
        "CREATE TABLE event (id INTEGER PRIMARY KEY, email TEXT NOT NULL CHECK (email GLOB '[a-z]*@[a-z]*'));",
        "no row was found that the checks of event allow",
    ),
    "a generated column": (
        "CREATE TABLE item (id INTEGER PRIMARY KEY, price REAL, twice REAL GENERATED ALWAYS AS (price * 2) STORED);",
        "item.twice is a generated column",
    ),
    "a unique index": (
        "CREATE TABLE book (id INTEGER PRIMARY KEY, isbn TEXT); CREATE UNIQUE INDEX one ON book (isbn);",
        "index one is unique",
    ),
}


@pytest.mark.parametrize(("text", "said"), ODD.values(), ids=ODD)
def test_a_schema_that_cannot_be_built_on_is_said_at_once_with_what_to_change(board, text, said):
    with board.transaction("ann", role="operator") as transaction:
        transaction.decide("db/schema", Contract("sql", text))
    outcome = Controller(board, team(amend="no")).run()
    assert outcome.kind == "stalled"
    gave_up = [one.reason for one in outcome.obligations if one.reason.startswith("paula gave up after 1 attempt: ")]
    assert any(said in reason for reason in gave_up), outcome.obligations
    assert board.snapshot().components() == ()
