"""A schema as read: tables, columns, row rules, indexes and views, and what of them is a facet.

All expressions and types are in the one spelling of `spelling`, so that equal meaning is equal text as far as it goes.
Facets: `table.column`; `table` for what holds between columns and rows; `index name`; a view by its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from blackboard.contracts.facets import join
from blackboard.spec.canonical import JSON

LANGUAGE = "sql"

Place = tuple[int, int]
"""Line and column in a text, 1-based."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `generated` is the expression that computes it, `identity` says that the database numbers it."""

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    generated: str | None = None
    identity: str | None = None
    collation: str | None = None
    others: tuple[str, ...] = ()

    @property
    def omittable(self) -> bool:
        """Whether a row can be written without it."""
        return self.nullable or self.default is not None or not self.writable or self.identity is not None

    @property
    def writable(self) -> bool:
        """Whether a row can be written with it."""
        return self.generated is None and self.identity != "always"

    def value(self) -> JSON:
        """Return the facet: type and nullability, and what else is declared."""
        found: dict[str, JSON] = {"type": self.type, "nullable": self.nullable}
        for name in ("default", "generated", "identity", "collation"):
            if getattr(self, name) is not None:
                found[name] = getattr(self, name)
        return {**found, "others": list(self.others)} if self.others else found


@dataclass(frozen=True, slots=True, order=True)
class ForeignKey:
    """Columns that name a row elsewhere; no target columns where its primary key is not in the contract."""

    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]
    actions: tuple[str, ...] = ()

    def __str__(self) -> str:
        targets = f"({', '.join(self.targets)})" if self.targets else ""
        return " ".join([f"({', '.join(self.columns)}) REFERENCES {self.table}{targets}", *self.actions])


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds between the columns and rows of a table, by unique indexes too; none of it has an order."""

    primary_key: tuple[str, ...] = ()
    unique: frozenset[tuple[str, ...]] = frozenset()
    checks: frozenset[str] = frozenset()
    foreign_keys: frozenset[ForeignKey] = frozenset()
    others: frozenset[str] = frozenset()

    @property
    def keys(self) -> frozenset[tuple[str, ...]]:
        """All sets of columns that are unique together."""
        return self.unique | {self.primary_key} if self.primary_key else self.unique

    def value(self) -> JSON:
        """Return the facet; what is not declared is left out."""
        declared: dict[str, JSON] = {
            "primary_key": list(self.primary_key),
            "unique": [list(columns) for columns in sorted(self.unique)],
            "checks": [*sorted(self.checks)],
            "foreign_keys": [str(key) for key in sorted(self.foreign_keys)],
            "others": [*sorted(self.others)],
        }
        return {name: value for name, value in declared.items() if value}


@dataclass(frozen=True, slots=True)
class Table:
    """A table; column name -> column, in the order of the text."""

    name: str
    columns: Mapping[str, Column]
    rules: Rules = Rules()


@dataclass(frozen=True, slots=True)
class Index:
    """An index; `parts` are columns or expressions in their order."""

    name: str
    table: str
    parts: tuple[str, ...]
    unique: bool = False
    where: str | None = None
    others: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether it is over whole columns and all rows, so that a unique one is a rule of the table."""
        return self.where is None and not self.others

    def value(self) -> JSON:
        """Return the facet; what is not declared is left out."""
        found: dict[str, JSON] = {"table": self.table, "parts": list(self.parts)}
        found |= {"unique": True} if self.unique else {}
        found |= {"where": self.where} if self.where else {}
        return {**found, "others": list(self.others)} if self.others else found


@dataclass(frozen=True, slots=True)
class Schema:
    """All that a DDL text declares, by name as a facet spells it; facet -> place in the text, and what COMMENT says."""

    text: str
    tables: Mapping[str, Table]
    indexes: Mapping[str, Index]
    views: Mapping[str, str]
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)
    docs: Mapping[str, str] = field(default_factory=dict)


def index_facet(name: str) -> str:
    """Return the facet of an index; no table or column can have this name."""
    return f"index {name}"


def facet_values(schema: Schema) -> list[tuple[str, JSON]]:
    """Return all facets, doubly where two things are named alike."""
    found: list[tuple[str, JSON]] = []
    for name, table in schema.tables.items():
        found.append((name, table.rules.value()))
        found.extend((join(name, column.name), column.value()) for column in table.columns.values())
    found.extend((index_facet(name), index.value()) for name, index in schema.indexes.items())
    found.extend((name, {"view": text}) for name, text in schema.views.items())
    return found
