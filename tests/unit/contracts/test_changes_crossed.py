"""Every text of the table against every other: where the comparison says compatible, no program of the table breaks.

A table shows what its author thought of. Two texts of two rows make a change that nobody thought of, and the programs
of all rows are there to try it. Drawn by lot in the short form, all of them in the long one.
"""

import random
import sqlite3

import pytest
from changes import tables
from changes.every import SQL

from blackboard.contracts.language import Contract


@pytest.fixture
def drawn(length):
    """Draw so many in the short form, always the same; all of them in the long form."""
    return lambda all_of_them, few: random.Random(4).sample(all_of_them, length(few, len(all_of_them)))


def texts(rows):
    """Return the texts of rows, each once."""
    return list(dict.fromkeys(text for row in rows for text in (row.old, row.new)))


def pairs(found):
    return [(old, new) for old in found for new in found if old is not new]


def held_compatible(old, new, side):
    return str(old.compare(new).effect(side)) != "breaking"


def test_no_statement_of_the_table_breaks_where_tables_are_called_compatible(drawn):
    programs = sorted({row.before for row in SQL if not any("refused" in said for said in row.before)})
    rows = sorted({row.arrives for row in SQL if row.arrives is not None})
    ddls = texts(SQL)
    ran = {ddl: [tables.outcomes(ddl, program) for program in programs] for ddl in ddls}
    arrived = {ddl: [tables.outcomes(ddl, [row])[0] for row in rows] for ddl in ddls}
    held = {ddl: tables.held(ddl) for ddl in ddls}
    contracts = {ddl: Contract("sql", ddl) for ddl in ddls}
    for old, new in drawn(pairs(ddls), 3000):
        lost = [
            program
            for program, before, after in zip(programs, ran[old], ran[new], strict=True)
            if before != after and not any(isinstance(read, type) for read in before)
        ]
        gained = [
            row
            for row, before, after in zip(rows, arrived[old], arrived[new], strict=True)
            if before is sqlite3.IntegrityError and after == []
        ]
        if lost or gained:
            assert not held_compatible(contracts[old], contracts[new], "uses"), (old, new, lost, gained)
        if held[old] != held[new]:
            assert not held_compatible(contracts[old], contracts[new], "implements"), (old, new)
