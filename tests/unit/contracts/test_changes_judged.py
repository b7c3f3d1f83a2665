"""The table of changes is right: judged by programs, without our own comparison.

Python by mypy, or by running where no type checker sees it; documents by `jsonschema`; DDL by SQLite.
"""

import sqlite3

import pytest
from changes import tables
from changes.every import APIS, EVERY, PYTHON, SCHEMAS, SQL
from changes.messages import Api
from changes.row import Answer, ApiRow, Ask, with_imports
from changes.sent import documents
from changes.typed import checked

CHECKED = [row for row in PYTHON if row.run is None]
RUN = [row for row in PYTHON if row.run is not None]
READ = [row for row in EVERY if not isinstance(row, ApiRow)]


def names(rows):
    return [row.name for row in rows]


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    """What mypy says: for each row the program for the old stub and the one for the new, each on both."""
    programs = [
        (program, stub)
        for row in CHECKED
        for program in (row.before, row.before if row.after is None else row.after)
        for stub in (row.old, row.new)
    ]
    said = iter(checked(tmp_path_factory.mktemp("changes"), programs))
    return list(zip(said, said, said, said, strict=True))


@pytest.mark.parametrize("number", range(len(CHECKED)), ids=names(CHECKED))
def test_a_type_checker_agrees_with_the_row(number, complaints):
    row = CHECKED[number]
    before_on_old, before_on_new, after_on_old, after_on_new = complaints[number]
    assert before_on_old == after_on_new == []
    assert bool(before_on_new) == row.breaks("uses"), before_on_new
    assert bool(after_on_old) == row.breaks("implements"), after_on_old


def fails(implementation, program):
    """Return whether a program fails with an implementation."""
    space = {}
    exec(with_imports(implementation), space)  # noqa: S102 - a program of the table
    try:
        exec(program, space)  # noqa: S102 - a program of the table
    except Exception:  # noqa: BLE001 - whatever it fails with
        return True
    return False


@pytest.mark.parametrize("row", RUN, ids=names(RUN))
def test_running_agrees_with_the_row(row):
    old, new = row.run
    after = row.after or row.before
    assert not fails(old, row.before)
    assert not fails(new, after)
    assert fails(new, row.before) == row.breaks("uses")
    assert fails(old, after) == row.breaks("implements")


def crossing(row, every):
    """Return documents that are sent under the old schema and not received under the new one, and the reverse."""
    old, new = documents(row.old), documents(row.new)
    lost = [document for document in every if old.sent(document) and not new.received(document)]
    gained = [document for document in every if new.sent(document) and not old.received(document)]
    return lost, gained


def broken(row, lost, gained):
    """Return which sides are broken by documents that are no longer received, or that never were."""
    sends = {"request": {"uses": lost, "implements": gained}, "response": {"uses": gained, "implements": lost}}
    by_side = sends.get(row.direction, dict.fromkeys(("uses", "implements"), lost or gained))
    return {side: bool(found) for side, found in by_side.items()}


@pytest.mark.parametrize("row", SCHEMAS, ids=names(SCHEMAS))
def test_documents_agree_with_the_row(row):
    old, new = documents(row.old), documents(row.new)
    assert all(old.sent(document) or new.sent(document) for document in row.documents)
    assert broken(row, *crossing(row, row.documents)) == {side: row.breaks(side) for side in ("uses", "implements")}


def test_no_document_of_the_table_breaks_what_is_called_compatible():
    every = [document for row in SCHEMAS if row.direction == "both" for document in row.documents]
    for row in SCHEMAS:
        if row.direction == "request":
            found = broken(row, *crossing(row, every))
            assert found == {side: row.breaks(side) for side in ("uses", "implements")}, row.name


@pytest.mark.parametrize("row", SQL, ids=names(SQL))
def test_a_database_agrees_with_the_row(row):
    reads = tables.outcomes(row.old, row.before)
    breaks = tables.outcomes(row.new, row.before) != reads
    if row.arrives is not None:
        # Refused by a rule of the old tables, not because they have no such column.
        assert tables.outcomes(row.old, [row.arrives]) == [sqlite3.IntegrityError]
        assert tables.outcomes(row.new, [row.arrives]) == [[]]
        breaks = True
    assert not any(
        isinstance(read, type) for read, said in zip(reads, row.before, strict=True) if "refused" not in said
    )
    assert breaks == row.breaks("uses")
    assert (breaks or tables.held(row.old) != tables.held(row.new)) == row.breaks("implements")


@pytest.mark.parametrize("row", APIS, ids=names(APIS))
def test_messages_agree_with_the_row(row):
    old, new = Api(row.old), Api(row.new)
    assert all(old.sent(message) or new.sent(message) for message in row.messages)
    lost = {type(message) for message in row.messages if old.sent(message) and not new.received(message)}
    gained = {type(message) for message in row.messages if new.sent(message) and not old.received(message)}
    assert (Ask in lost or Answer in gained) == row.breaks("uses")
    assert (Ask in gained or Answer in lost) == row.breaks("implements")


def test_no_two_rows_have_one_name():
    assert len(set(names(EVERY))) == len(EVERY)


@pytest.mark.parametrize("row", READ, ids=names(READ))
def test_both_texts_are_contracts(row):
    old, new = row.contracts()
    harmless = "none" in row.uses and "none" in row.implements
    assert old.text != new.text
    assert harmless or old.digest != new.digest
