"""What constraints leave of the open questions, and what they refuse, as the command line says it."""

import json

import pytest

from blackboard import Blackboard, Contract
from blackboard.cli.exits import Exit
from blackboard.cli.main import main

NOTES = "class Note:\n    id: {}\n    title: str\n"
SCHEMA = "CREATE TABLE note (id {} PRIMARY KEY, title text NOT NULL);\n"
IDS = 'facet("api/notes", "Note.id") == facet("db/schema", "note.id")'


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BB_BOARD", raising=False)
    Blackboard.open(tmp_path / "board.db", create=True).close()
    return tmp_path


def run(capsys, *arguments, status=Exit.YES):
    found = main(
        [*arguments, "--board", "board.db", "--as", "ann:operator"]
        if arguments[0] != "status"
        else [*arguments, "--board", "board.db"]
    )
    said = capsys.readouterr()
    assert found == status, said
    return said.out + said.err


def file(place, name, text):
    (place / name).write_text(text)
    return name


@pytest.fixture
def agreed(place, capsys):
    file(place, "notes.pyi", NOTES.format("int"))
    file(place, "schema.sql", SCHEMA.format("integer"))
    file(place, "ids.constraint", IDS + "\n")
    run(capsys, "decide", "api/notes", "notes.pyi", "db/schema", "schema.sql", "constraint/ids", "ids.constraint")
    return place


@pytest.mark.parametrize(
    ("key", "name", "text", "other"),
    [
        ("db/schema", "text.sql", SCHEMA.format("text"), "api/notes notes.pyi"),
        ("api/notes", "str.pyi", NOTES.format("str"), "db/schema schema.sql"),
    ],
)
def test_a_dry_run_says_what_refuses_it_and_what_amends_both(agreed, capsys, key, name, text, other):
    with Blackboard.open(agreed / "board.db") as board, board.transaction("bob") as transaction:
        transaction.decision(key)
        transaction.write("store", {"store.py": "x"})
    said = run(capsys, "decide", key, file(agreed, name, text), "--dry-run", status=Exit.NO)
    assert f"would amend {key} 1 -> 2" in said
    assert "stale: store" in said
    assert f"  refused by constraint/ids: {IDS}; " in said
    assert said.rstrip().endswith(f"bb decide {key} {name} {other}")


def test_one_at_a_time_is_refused_in_either_order_and_both_in_one_commit_pass(agreed, capsys):
    texts = {"db/schema": file(agreed, "text.sql", SCHEMA.format("text"))}
    texts["api/notes"] = file(agreed, "str.pyi", NOTES.format("str"))
    for key, name in texts.items():
        assert "constraint/ids would be false" in run(capsys, "decide", key, name, status=Exit.NO)
    both = [part for pair in texts.items() for part in pair]
    assert "committed as revision 2" in run(capsys, "decide", *both)


@pytest.fixture
def asked(place):
    with Blackboard.open(place / "board.db") as board, board.transaction("ann") as transaction:
        transaction.ask("ids", "what are ids?", options=["int", "uuid"])
        transaction.ask("store", "where?", options=[{"kind": "sql", "ids": ["int"]}, {"kind": "file", "ids": ["uuid"]}])
        transaction.ask("page", "how many?", options=[10, 20, 50])
        transaction.decide("limit", Contract.value({"least": 20}))
        transaction.decide("constraint/ids", Contract.constraint("ids in store.ids"))
        transaction.decide("constraint/page", Contract.constraint("page >= limit.least"))
    return place


def decide(place, key, contract):
    with Blackboard.open(place / "board.db") as board, board.transaction("ann") as transaction:
        transaction.decide(key, contract)


def test_the_status_says_what_is_implied_and_excluded(asked, capsys):
    assert "excluded     page cannot be 10" in run(capsys, "status", status=Exit.NO)
    decide(asked, "ids", Contract.value("uuid"))
    said = run(capsys, "status", status=Exit.NO)
    assert 'implied      store: of its options only {"ids": ["uuid"], "kind": "file"} is left' in said
    found = json.loads(run(capsys, "status", "--json", status=Exit.NO))["possible"]
    assert found["kind"] == "satisfiable"
    assert found["implied"] == {"store": {"kind": "file", "ids": ["uuid"]}}
    assert found["excluded"]["page"] == [10]


def test_the_status_says_what_is_impossible_with_all_that_clashes(asked, capsys):
    decide(asked, "constraint/sql", Contract.constraint('store.kind == "sql" and ids == "uuid"'))
    said = run(capsys, "status", status=Exit.NO)
    assert "impossible" in said
    for member in ("constraint/ids: ids in store.ids", 'constraint/sql: store.kind == "sql" and ids == "uuid"'):
        assert member in said
    found = json.loads(run(capsys, "status", "--json", status=Exit.NO))["possible"]
    assert (found["kind"], [one["key"] for one in found["clash"]]) == (
        "unsatisfiable",
        ["constraint/ids", "constraint/sql", "store"],
    )


def test_the_status_of_a_board_without_constraints_says_nothing_of_them(place, capsys):
    decide(place, "page", Contract.value(1))
    said = run(capsys, "status", status=Exit.NO)
    assert not any(word in said for word in ("implied", "excluded", "impossible", "possible"))
