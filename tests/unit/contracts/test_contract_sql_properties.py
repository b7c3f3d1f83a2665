"""Random schemas and changes of them: users of the old one try what they may, on databases of both.

A change breaks users where a statement that worked fails or reads something else, and where the new tables come to
hold what the old ones could not. Statements are drawn from the tables alone, not from what the comparison says.
"""

import sqlite3
from collections import Counter
from random import Random

from random_tables import Tables, changed, ddl, drawn, scripts
from sql_databases import differs, kept

from blackboard.contracts.language import Contract
from blackboard.spec.effects import UNDECIDED

NAMES = ""


class Lived:
    """A database that forgets what was tried."""

    def __init__(self, text: str, tables: Tables) -> None:
        self.connection = kept(text)
        self.tables = tables

    def tried(self, statement: str) -> str | None:
        """Do it, and return what is read then; None where it fails."""
        try:
            return repr(sorted(map(repr, self.connection.execute(statement).fetchall())))
        except sqlite3.Error:
            return None

    def holds(self, rows: dict[str, list[dict]]) -> bool:
        """Say whether it could hold some rows, written by hand."""
        self.connection.execute("ROLLBACK")
        self.connection.execute("BEGIN")
        self.connection.execute("PRAGMA defer_foreign_keys = ON")
        try:
            for name, found in rows.items():
                made = {one.name for one in self.tables[name].columns if one.made}
                for row in found:
                    names = [column for column in row if column not in made]
                    marks = ", ".join("?" * len(names))
                    text = f"INSERT INTO {name} ({', '.join(names)}) VALUES ({marks})"
                    self.connection.execute(text, [row[column] for column in names])
            orphans = self.connection.execute("PRAGMA foreign_key_check").fetchall()
            read = self.rows(self.tables)
        except sqlite3.Error:
            return False
        return not orphans and all(alike(read[name], found) for name, found in rows.items())

    def rows(self, tables: Tables) -> dict[str, list[dict]]:
        """Return what the columns of some tables hold."""
        found = {}
        for name, table in tables.items():
            columns = ["id", *(one.name for one in table.columns)]
            read = self.connection.execute(f"SELECT {', '.join(columns)} FROM {name}").fetchall()
            found[name] = [dict(zip(columns, row, strict=True)) for row in read]
        return found


def alike(one: list[dict], other: list[dict]) -> bool:
    return sorted(map(repr, one)) == sorted(map(repr, other))


def breaks(old: Lived, new: Lived, draw: Random, count: int) -> str | None:
    """Return what broke, or None: users of the old tables try theirs on both, those of the new ones on the new."""
    for tables, other in ((old.tables, new.tables), (new.tables, old.tables)):
        for script in scripts(draw, tables, other, count):
            for lived in (old, new):
                lived.connection.execute("BEGIN")
            try:
                if (found := parted(old, new, script, both=tables is old.tables)) is not None:
                    return found
            finally:
                for lived in (old, new):
                    lived.connection.execute("ROLLBACK")
    return None


def parted(old: Lived, new: Lived, script: list[str], *, both: bool) -> str | None:
    reads = [
        f"SELECT {', '.join(['id', *(one.name for one in table.columns)])} FROM {name}"
        for name, table in old.tables.items()
    ]
    for statement in [*script, *reads] if both else script:
        before, after = old.tried(statement) if both else None, new.tried(statement)
        if before is not None and before != after:
            return f"{script} {statement}: {before} -> {after}"
        if both and before is None and after is not None:
            break
    else:
        if both:
            return None
    try:
        arrived = new.rows(old.tables)
    except sqlite3.Error:
        return f"{script}: the columns are not there"
    return None if old.holds(arrived) else f"{script}: reads {arrived}"


def test_what_is_called_compatible_breaks_nobody(length, seed):
    pairs, tries = length(120, 20_000), 8
    draw, counts, wrong = Random(seed), Counter(), []
    for _ in range(pairs):
        tables = drawn(draw)
        later = tables
        for _ in range(draw.choice([1, 1, 1, 2, 3])):
            later = changed(draw, later)
        old, new = ddl(tables, draw), ddl(later, draw)
        found = Contract("sql", old).compare(Contract("sql", new))
        assert bool(found.effects) == (tables != later), (old, new, found.effects)
        assert found.effect("implements") == ("breaking" if found.effects else "none")
        shown = set()
        for facet, change in found.effects.items():
            decided = change.proof != UNDECIDED
            counts["facets"] += facet != NAMES
            counts["facets exercised"] += facet != NAMES and decided
            if decided and not differs(old, new, change.proof):
                wrong.append((old, new, facet, change))
            shown |= {str(change.uses)} if decided else set()
        broke = breaks(Lived(old, tables), Lived(new, later), draw, tries) if old != new else None
        uses = str(found.effect("uses"))
        if broke is not None and uses != "breaking":
            wrong.append((old, new, found.effects, broke))
        counts[uses] += 1
        counts["breaking, by users that were drawn"] += broke is not None
        counts["breaking, and nothing broke"] += uses == "breaking" and broke is None and uses not in shown
    print(dict(counts))  # noqa: T201 - shown where it fails, and with -s
    assert not wrong, (len(wrong), *wrong[:3])
    assert min(counts[effect] for effect in ("none", "compatible", "breaking")) > pairs / 25
    assert counts["facets exercised"] >= 0.97 * counts["facets"]
    assert counts["breaking, and nothing broke"] <= 0.15 * counts["breaking"]
    assert counts["breaking, by users that were drawn"] >= 0.7 * counts["breaking"]
