"""The DDL of a component's files is held against the contract, with file and line."""

import sqlite3

import pytest

from blackboard.contracts.language import Contract
from blackboard.contracts.sql.conform import findings
from blackboard.contracts.sql.reading import read
from blackboard.contracts.sql.schema import facet_values

NOTE = (
    "CREATE TABLE note (\n  id INTEGER PRIMARY KEY,\n  title VARCHAR(10) NOT NULL,\n  stars INT CHECK (stars > 0)\n);\n"
)
TAG = "CREATE TABLE tag (id INT PRIMARY KEY, note INT NOT NULL REFERENCES note ON DELETE CASCADE);\n"
INDEX = "CREATE INDEX by_stars ON note (stars);\n"


def found(files: dict[str, str], contract: str = NOTE + TAG + INDEX) -> list[tuple[str, int, str]]:
    return [(one.file, one.line, one.what) for one in findings(Contract("sql", contract).body, files)]


@pytest.mark.parametrize(
    "files",
    [
        {"schema.sql": NOTE + TAG + INDEX},
        {"1.sql": NOTE, "2.sql": TAG + INDEX, "readme.md": "CREATE nothing"},
        {
            "1.sql": NOTE.replace(",\n  stars INT CHECK (stars > 0)", "").upper(),
            "2.sql": TAG.rstrip(";\n"),
            "3.sql": "ALTER TABLE note ADD COLUMN stars INTEGER CHECK (0 < stars);\n" + INDEX,
        },
        {
            "a.sql": NOTE + TAG + INDEX + "CREATE TABLE own (a INT); CREATE INDEX more ON note (title);",
            "b.sql": "INSERT INTO note (id, title) VALUES (1, 'a;b');\nSELECT title FROM note WHERE id = ?;",
        },
        {"a.sql": NOTE.replace("(\n  id", "(\n  own TEXT,\n  id") + TAG + INDEX},
        {"1.sql": "DROP TABLE IF EXISTS tag, note CASCADE;\n" + NOTE + TAG, "2.sql": INDEX + "DROP INDEX more;"},
        {"1.sql": TAG.replace("note", "other") + "DROP TABLE tag;" + NOTE + TAG + INDEX},
        {"1.sql": NOTE + TAG + INDEX + "CREATE UNIQUE INDEX one ON note (title); DROP INDEX one;"},
        {
            "1.sql": NOTE.replace("(\n  id", '(\n  "Own" TEXT,\n  id') + TAG + INDEX,
            "2.sql": 'CREATE UNIQUE INDEX one ON note ("Own"); DROP INDEX one;',
        },
    ],
    ids=[
        "one file",
        "two files",
        "a migration",
        "more of its own",
        "a column of its own",
        "dropped before",
        "made anew",
        "an index of its own that is dropped",
        "an index on a quoted name that is dropped",
    ],
)
def test_files_that_hold_it_are_not_complained_about(files):
    assert found(files) == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, [("", 0, "no .sql file: nothing holds what is declared")]),
        ({"a.py": NOTE}, [("", 0, "no .sql file: nothing holds what is declared")]),
        (
            {"a.sql": "-- empty", "b.sql": NOTE + INDEX},
            [("a.sql", 0, f"{name} is missing") for name in ("tag", "tag.id", "tag.note")],
        ),
        ({"a.sql": NOTE + TAG}, [("a.sql", 0, "index by_stars is missing")]),
        ({"a.sql": NOTE + TAG + INDEX, "b.sql": "drop index by_stars"}, [("a.sql", 0, "index by_stars is missing")]),
        (
            {"a.sql": NOTE + TAG + INDEX, "b.sql": "\nDROP TABLE IF EXISTS tag;"},
            [("a.sql", 0, f"{name} is missing") for name in ("tag", "tag.id", "tag.note")],
        ),
        (
            {"a.sql": TAG, "b.sql": NOTE.replace("title", "name") + INDEX},
            [("b.sql", 1, "note.title is missing"), ("b.sql", 3, "note.name: new, and every row needs it")],
        ),
        (
            {"a.sql": TAG, "b.sql": NOTE.replace("10", "12").replace(" NOT NULL", "").replace("> 0", "> 1") + INDEX},
            [
                ("b.sql", 1, "note: rows must fit CHECK (stars > 1); rows need not fit CHECK (stars > 0)"),
                ("b.sql", 3, "note.title: varchar(10) -> varchar(12)"),
            ],
        ),
        ({"a.sql": NOTE, "b.sql": "\nCREATE TABLE tag (id INT,\n  id INT)"}, [("b.sql", 3, "tag.id is declared")]),
        (
            {"a.sql": NOTE + TAG, "b.sql": "\n\nALTER TABLE note DROP COLUMN title"},
            [("a.sql", 0, "index by_stars is missing"), ("a.sql", 1, "note.title is missing")],
        ),
        ({"a.sql": NOTE, "b.sql": "\nALTER TABLE note DROP COLUMN no"}, [("b.sql", 2, "note has no column no")]),
        ({"a.sql": NOTE, "b.sql": "\nALTER TABLE note RENAME id TO title"}, [("b.sql", 2, "note.title is declared")]),
        ({"a.sql": NOTE + TAG, "b.sql": "\nALTER TABLE note RENAME TO tag"}, [("b.sql", 2, "tag is declared twice")]),
        ({"a.sql": NOTE, "b.sql": "\n\nALTER TABLE note ALTER stars SET NOT NULL"}, [("b.sql", 3, "ALTER TABLE is")]),
        ({"a.sql": NOTE + TAG, "b.sql": "\nCREATE TABLE ("}, [("b.sql", 2, "Expected table name")]),
        (
            {"a.sql": NOTE + TAG, "b.sql": INDEX + "CREATE UNIQUE INDEX o ON note (title)"},
            [("a.sql", 1, "note: no two")],
        ),
    ],
)
def test_what_is_not_as_declared_is_found_with_file_and_line(files, expected):
    complaints = found(files)
    assert [one[:2] for one in complaints] == [one[:2] for one in expected], complaints
    for (*_, said), (*_, what) in zip(complaints, expected, strict=True):
        assert said.startswith(what)


WITH_ALL = """
CREATE TABLE person ("Id" INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> 'age' AND length(name) > 1), age INT,
    years INT GENERATED ALWAYS AS (age + 1), UNIQUE (name, age), CHECK (age > 1));
CREATE TABLE pet (id INT PRIMARY KEY, owner INT REFERENCES person ("Id") ON DELETE CASCADE, of TEXT, at INT, extra INT,
    FOREIGN KEY (of, at) REFERENCES person (name, age));
CREATE INDEX by_age ON person (age DESC, lower(name)) WHERE age > 3;
CREATE UNIQUE INDEX by_owner ON pet (owner);
CREATE VIEW names AS SELECT name FROM person JOIN pet ON owner = person."Id" WHERE name <> 'person';
"""


@pytest.mark.parametrize(
    "altered",
    [
        "ALTER TABLE person RENAME TO people; ALTER TABLE pet RENAME TO animal",
        'DROP VIEW names; ALTER TABLE pet RENAME COLUMN at TO since; ALTER TABLE pet RENAME owner TO "Owner"',
        "DROP VIEW names; ALTER TABLE person RENAME COLUMN age TO old; ALTER TABLE person RENAME name TO age",
        'DROP VIEW names; ALTER TABLE person RENAME COLUMN "Id" TO "a b"; ALTER TABLE person RENAME TO "P"',
        "ALTER TABLE pet DROP COLUMN extra; ALTER TABLE pet ADD extra TEXT; ALTER TABLE pet DROP extra",
        "CREATE TABLE own (id INT); DROP VIEW names; DROP TABLE pet; ALTER TABLE own RENAME TO pet",
    ],
)
def test_what_is_altered_is_what_a_database_has_afterwards(altered):
    database = sqlite3.connect(":memory:")
    database.executescript(WITH_ALL + altered)
    there = database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    assert sorted(facet_values(read(WITH_ALL + altered, only=False)), key=str) == sorted(
        facet_values(read(";\n".join(sql for (sql,) in there))), key=str
    )


def test_a_dropped_column_takes_along_what_is_declared_of_it():
    text = WITH_ALL + "DROP VIEW names; ALTER TABLE IF EXISTS no DROP COLUMN no;"
    held = read(f"{text} ALTER TABLE person DROP COLUMN IF EXISTS no, DROP COLUMN age CASCADE", only=False)
    assert dict(facet_values(held))["person"] == {
        "primary_key": ["Id"],
        "checks": ["LENGTH(name) > 1", "name <> 'age'"],
    }
    assert held.indexes.keys() == {"by_owner"}
    assert [key.table for key in held.tables["pet"].rules.foreign_keys] == ["person"]
