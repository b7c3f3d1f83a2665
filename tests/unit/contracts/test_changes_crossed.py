"""Every text of the table against every other: where the comparison says compatible, no program of the table breaks.

A table shows what its author thought of. Two texts of two rows make a change that nobody thought of, and the programs
of all rows are there to try it. Drawn by lot in the short form, all of them in the long one.
"""

import random
import re
import sqlite3
from json import dumps

import pytest
from changes import tables
from changes.every import PYTHON, SCHEMAS, SQL
from changes.row import with_imports
from changes.sent import documents
from changes.typed import checked

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


def test_no_document_of_the_table_breaks_where_schemas_are_called_compatible(drawn):
    rows = [row for row in SCHEMAS if row.direction == "request"]
    every = [document for row in rows for document in row.documents]
    schemas = {dumps(schema): schema for row in rows for schema in (row.old, row.new)}
    contracts = {text: Contract.json_schema(schema, direction="request") for text, schema in schemas.items()}
    sent, received = {}, {}
    for text, schema in schemas.items():
        known = documents(schema)
        sent[text] = {at for at, document in enumerate(every) if known.sent(document)}
        received[text] = {at for at, document in enumerate(every) if known.received(document)}
    # Who asks sends, who implements receives.
    for old, new in drawn(pairs(list(schemas)), 800):
        for side, crossing in (("uses", sent[old] - received[new]), ("implements", sent[new] - received[old])):
            if crossing:
                shown = [every[at] for at in sorted(crossing)[:3]]
                assert not held_compatible(contracts[old], contracts[new], side), (side, old, new, shown)


def test_no_program_of_the_table_breaks_where_stubs_are_called_compatible(drawn, tmp_path):
    rows = [row for row in PYTHON if row.run is None]
    stubs = texts(rows)
    names = {stub: declared(stub) for stub in stubs}
    programs = dict.fromkeys((row.before, row.old) for row in rows)
    programs |= dict.fromkeys((row.after or row.before, row.new) for row in rows)
    tried = drawn(
        [
            (program, own, other)
            for program, own in programs
            for other in stubs
            if other != own and names[other] == names[own]
        ],
        1500,
    )
    complaints = checked(tmp_path, [(program, other) for program, _, other in tried])
    contracts = {stub: Contract.python(with_imports(stub)) for stub in stubs}
    for (program, own, other), said in zip(tried, complaints, strict=True):
        # A program that has to say of which type something is does not fail: it is only not told.
        if any("var-annotated" not in complaint for complaint in said):
            shown = (program, own, other, said)
            assert not held_compatible(contracts[own], contracts[other], "uses"), shown
            assert not held_compatible(contracts[other], contracts[own], "implements"), shown


def declared(stub):
    """Return the names that a stub declares at its top."""
    return frozenset(re.findall(r"^(?:async def|def|class)? ?(\w+)", stub, re.MULTILINE))
