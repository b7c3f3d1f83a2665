"""Random tables, changes of them, and statements of their users; nothing here knows the comparison that is tested."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

VALUES = {
    "INTEGER": [0, 1, 2, 5, 6, -1, 40_000],
    "SMALLINT": [0, 1, 2, 5, 6, 30_000],
    "BIGINT": [1, 2, 6, 40_000, 3_000_000_000],
    "DECIMAL(4, 1)": [1, 2, 6, 12.5, 900],
    "DECIMAL(6, 1)": [1, 2, 6, 12.5, 90_000],
    "BOOLEAN": [True, False],
    "TEXT": ["a", "b", "", "cccccc", "d" * 12],
    "VARCHAR(3)": ["a", "b", "ccc"],
    "VARCHAR(8)": ["a", "b", "cccccc"],
}
TYPES = list(VALUES)
NUMBERS = TYPES[:5]
ACTIONS = ["", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON UPDATE CASCADE"]


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    null: bool = True
    default: object = None
    check: str = ""
    unique: bool = False
    ref: tuple[str, str] | None = None
    made: str = ""

    def ddl(self, draw: Random) -> str:
        parts = ["NOT NULL"] * (not self.null) + [f"DEFAULT {literal(self.default)}"] * (self.default is not None)
        parts += [f"CHECK ({self.check.format(self.name)})"] * bool(self.check) + ["UNIQUE"] * self.unique
        parts += [f"REFERENCES {self.ref[0]} (id){self.ref[1]}"] if self.ref else []
        draw.shuffle(parts)
        made = f" GENERATED ALWAYS AS ({self.made}) STORED" if self.made else ""
        return f"{spelled(self.name, draw)} {self.type}{made} {' '.join(parts)}"


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    unique: frozenset[tuple[str, str]] = frozenset()
    checks: frozenset[str] = frozenset()
    indexes: frozenset[tuple[str, str]] = frozenset()
    numbered: bool = False


Tables = dict[str, Table]


def literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


def spelled(name: str, draw: Random) -> str:
    return draw.choice([name, name, name.upper(), f'"{name}"'])


def ddl(tables: Tables, draw: Random) -> str:
    """Write tables down, in one of many ways that mean the same."""
    found = []
    for table in draw.sample(sorted(tables.values(), key=lambda table: table.name), len(tables)):
        key = "PRIMARY KEY AUTOINCREMENT" if table.numbered else draw.choice(["PRIMARY KEY", "NOT NULL PRIMARY KEY"])
        parts = [f"id INTEGER {key}", *(column.ddl(draw) for column in table.columns)]
        draw.shuffle(parts)
        rules = [f"UNIQUE ({', '.join(draw.sample(pair, 2))})" for pair in sorted(table.unique)]
        rules += [f"CHECK ({check})" for check in sorted(table.checks)]
        draw.shuffle(rules)
        found.append(f"CREATE TABLE {table.name} ({draw.choice([', ', ',  -- so' + chr(10)]).join([*parts, *rules])});")
        found += [f"CREATE INDEX {name} ON {table.name} ({column});" for name, column in sorted(table.indexes)]
    return "\n".join(found)


def column(draw: Random, name: str, others: list[str]) -> Column:
    kind = draw.choice(TYPES)
    found = Column(name, kind, null=draw.random() < 0.6)
    if draw.random() < 0.3:
        found = replace(found, default=draw.choice(VALUES[kind][1:3]))
    if draw.random() < 0.25 and kind in NUMBERS:
        found = replace(found, check=draw.choice(["{} > 0", "{} IN (1, 2, 3)", "{} BETWEEN 1 AND 5"]), default=None)
    if draw.random() < 0.2 and kind in TYPES[6:]:
        found = replace(found, check="length({}) > 0")
    if others and draw.random() < 0.25:
        action = draw.choice(ACTIONS)
        found = Column(name, "INTEGER", found.null or "NULL" in action, ref=(draw.choice(others), action))
    return replace(found, unique=draw.random() < 0.15)


def drawn(draw: Random) -> Tables:
    found: Tables = {}
    for name in ["t1", "t2", "t3"][: draw.randint(1, 3)]:
        count = draw.randint(1, 4)
        columns = tuple(column(draw, f"c{number}", list(found)) for number in range(count))
        if draw.random() < 0.2 and columns[0].type in NUMBERS:
            columns += (Column("g", "BIGINT", made=f"{columns[0].name} * 2"),)
        pair = frozenset({("c0", "c1")}) if count > 1 and draw.random() < 0.2 else frozenset()
        indexes = frozenset({(f"i{name}", "c0")}) if draw.random() < 0.3 else frozenset()
        found[name] = Table(name, columns, pair, indexes=indexes, numbered=draw.random() < 0.15)
    return found


def changed(draw: Random, tables: Tables) -> Tables:
    """Return the tables with one thing changed, or as they are."""
    table = draw.choice(list(tables.values()))
    others = [name for name in tables if name < table.name]
    free = [
        one for one in table.columns if not any(one.name in other.made for other in table.columns if other is not one)
    ]
    free = [one for one in free if not any(one.name in pair for pair in (*table.unique, *table.indexes))]
    kind = draw.choice(
        ["more", "more", "less", "column", "column", "column", "column", "rules", "index", "tables", "same"]
    )
    if kind == "tables":
        return more_or_fewer(draw, tables)
    if kind == "more":
        fresh = column(draw, draw.choice(["n1", "n2"]), others)
        clash = any(one.name == fresh.name for one in table.columns)
        table = table if clash else replace(table, columns=(*table.columns, fresh))
    elif kind == "less" and free and len(table.columns) > 1:
        gone = draw.choice(free)
        table = replace(table, columns=tuple(one for one in table.columns if one is not gone))
    elif kind == "column" and free:
        old = draw.choice(free)
        new = otherwise(draw, old, others)
        table = replace(table, columns=tuple(new if one is old else one for one in table.columns))
    elif kind == "rules" and len(table.columns) > 1:
        pair = tuple(sorted(one.name for one in table.columns if not one.made)[:2])
        if len(pair) == 2 and draw.random() < 0.5:
            table = replace(table, unique=table.unique ^ {pair})
        else:
            table = replace(table, numbered=not table.numbered)
    elif kind == "index":
        table = replace(table, indexes=table.indexes ^ {(f"j{table.name}", table.columns[0].name)})
    return {**tables, table.name: table}


def more_or_fewer(draw: Random, tables: Tables) -> Tables:
    if draw.random() < 0.5 and "t9" not in tables:
        return {**tables, "t9": Table("t9", (column(draw, "c0", list(tables)),))}
    named = {one.ref[0] for table in tables.values() for one in table.columns if one.ref}
    fewer = [name for name in tables if name not in named]
    gone = draw.choice(fewer) if len(tables) > 1 else None
    return {name: table for name, table in tables.items() if name != gone}


def otherwise(draw: Random, old: Column, others: list[str]) -> Column:
    """Return a column with one thing changed."""
    if old.made:
        return replace(old, made=draw.choice(["", old.made.replace("2", "3")]))
    if old.ref:
        kept = replace(old, ref=draw.choice([None, (old.ref[0], draw.choice(ACTIONS))]))
        return replace(kept, null=True) if kept.ref and "NULL" in kept.ref[1] else kept
    found = replace(old, null=not old.null)
    kind = draw.choice(["type", "null", "default", "check", "unique", "name", "ref"])
    if kind == "type" and not old.check:
        found = replace(old, type=draw.choice(TYPES), default=None)
    elif kind == "default":
        found = replace(old, default=draw.choice([None, *VALUES[old.type][1:3]]))
    elif kind == "check" and old.type in NUMBERS:
        check = draw.choice(["", "{} > 0", "{} >= 0", "{} IN (1, 2)", "{} BETWEEN 1 AND 5"])
        found = replace(old, check=check, default=None)
    elif kind == "check" and old.type in TYPES[6:]:
        found = replace(old, check=draw.choice(["", "length({}) > 0", "length({}) < 3"]))
    elif kind == "name":
        found = replace(old, name=f"r{old.name}")
    elif kind == "ref" and others and old.type == "INTEGER" and not old.check:
        found = replace(old, ref=(draw.choice(others), draw.choice(ACTIONS[:2])), default=None)
    elif kind == "unique":
        found = replace(old, unique=not old.unique)
    return found


# --- what users do ---


def value(draw: Random, declared: Column, pool: dict[str, list[object]]) -> object:
    if declared.ref:
        return draw.choice([1, 2, 3, 7, None])
    if draw.random() < 0.15:
        return None
    return draw.choice(
        VALUES[draw.choice(TYPES)] if draw.random() < 0.2 else pool.get(declared.name) or VALUES[declared.type]
    )


def statement(draw: Random, table: Table, pool: dict[str, list[object]]) -> str:
    """Return a statement that a user of a table may try."""
    written = [one for one in table.columns if not one.made]
    what = draw.random()
    if what < 0.08:
        act = draw.choice(["DELETE FROM {0}", "UPDATE {0} SET id = id + 10"])
        return f"{act.format(table.name)} WHERE id = {draw.randint(1, 3)}"
    if what < 0.2 and written:
        one = draw.choice(written)
        return f"UPDATE {table.name} SET {one.name} = {literal(value(draw, one, pool))} WHERE id = {draw.randint(1, 3)}"
    row = {} if table.numbered and draw.random() < 0.4 else {"id": draw.randint(1, 3)}
    for one in written:
        needed = not one.null and one.default is None
        if draw.random() < (0.95 if needed else 0.5):
            row[one.name] = value(draw, one, pool)
    if not row:
        return f"INSERT INTO {table.name} DEFAULT VALUES"
    text = f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({', '.join(map(literal, row.values()))})"
    keys = [f"({one.name})" for one in table.columns if one.unique] + [f"({a}, {b})" for a, b in table.unique]
    return f"{text} ON CONFLICT {draw.choice(keys)} DO NOTHING" if keys and draw.random() < 0.15 else text


def scripts(draw: Random, tables: Tables, other: Tables, count: int) -> Iterator[list[str]]:
    """Yield what users of some tables may do, mostly with those that another version changes."""
    touched = [table for name, table in tables.items() if other.get(name) != table] or list(tables.values())
    pools = {}
    for name, table in tables.items():
        there = {one.name: one for one in other[name].columns} if name in other else {}
        both = {one.name: [VALUES[one.type], VALUES[there.get(one.name, one).type]] for one in table.columns}
        pools[name] = {column: [value for values in lists for value in values] for column, lists in both.items()}
    for _ in range(count):
        focus = draw.choice(touched)
        parents = sorted({one.ref[0] for one in focus.columns if one.ref})
        children = [
            table for table in tables.values() if any(one.ref and one.ref[0] == focus.name for one in table.columns)
        ]
        near = [focus, focus, focus, *(tables[name] for name in parents if name in tables), *children]
        order = sorted((draw.choice(near) for _ in range(draw.randint(2, 5))), key=lambda table: table.name)
        yield [statement(draw, table, pools[table.name]) for table in order]
        yield [statement(draw, focus, pools[focus.name]) for _ in range(draw.randint(1, 3))]
