"""From statements to a schema: every part of a declaration is understood, kept word for word, or refused.

What a column declares for rows (a key, UNIQUE, CHECK, REFERENCES) becomes a rule of its table, as if it stood there.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from sqlglot import expressions as e

from blackboard.contracts.documentation import sentences
from blackboard.contracts.facets import join
from blackboard.contracts.sql.comments import comments
from blackboard.contracts.sql.schema import (
    LANGUAGE,
    Column,
    ForeignKey,
    Index,
    Place,
    Schema,
    Table,
    facet_values,
    index_facet,
)
from blackboard.contracts.sql.spelling import (
    conditions,
    default_of,
    expression,
    name_of,
    names_in,
    reworded,
    table_name,
    type_of,
    written,
)
from blackboard.contracts.sql.statements import STUMBLES, Statement, refusal, statements
from blackboard.contracts.sql.tables import OpenTable
from blackboard.errors import InvalidContract

_SERIAL = {"serial": "integer", "bigserial": "bigint", "smallserial": "smallint"}
_USUAL = {"ON DELETE NO ACTION", "ON UPDATE NO ACTION", "NOT DEFERRABLE", "INITIALLY IMMEDIATE", "MATCH SIMPLE"}
_FROM = re.compile(r'\b(?:FROM|JOIN) (?:"(?:[^"]|"")*"|[\w.]+)|(?:"(?:[^"]|"")*"|\b\w+)(?=\.)')
"""Where a query says a table: from which it reads, or whose column it means."""


def read(text: str, *, only: bool = True) -> Schema:
    """Read a DDL text.

    Args:
        text: Statements in any of the usual dialects.
        only: Whether statements that declare nothing are refused, and what takes back or renames; else the former
            are passed over, and the latter are followed in their order.

    Raises:
        InvalidContract: It is no DDL, declares something twice or of what is not there, or is too much.
    """
    found = _Found(only=only)
    for statement in statements(text, only=only):
        try:
            found.add(statement)
        except STUMBLES:
            raise refusal(statement.place, "a statement that cannot be read") from None
    schema = Schema(text, {table.name: table.built() for table in found.tables.values()}, found.indexes, found.views)
    schema = replace(schema, tables=_targeted(schema.tables), places=found.places)
    seen: set[str] = set()
    for name, _ in facet_values(schema):
        if name in seen:
            raise refusal(schema.places[name], f"{name} is declared twice")
        seen.add(name)
    said = {**found.docs, **comments(text, seen)} if only else {}
    docs = ((name, sentences([text])) for name, text in said.items())
    return replace(schema, docs={name: text for name, text in docs if text})


def _targeted(tables: Mapping[str, Table]) -> dict[str, Table]:
    """Let a foreign key without target columns name the primary key of its target, and sort the keys afterwards."""
    order = {name: table.rules.primary_key for name, table in tables.items()}
    found = {}
    for name, table in tables.items():
        keys = frozenset(_in_pairs(key, order.get(key.table, ())) for key in table.rules.foreign_keys)
        primary = tuple(sorted(table.rules.primary_key))
        rules = replace(table.rules, foreign_keys=keys, primary_key=primary, unique=table.rules.unique - {primary})
        found[name] = replace(table, rules=rules)
    return found


def _in_pairs(key: ForeignKey, primary: tuple[str, ...]) -> ForeignKey:
    targets = key.targets or primary
    if len(targets) != len(key.columns):
        return key
    pairs = sorted(zip(key.columns, targets, strict=True))
    return replace(key, columns=tuple(one for one, _ in pairs), targets=tuple(other for _, other in pairs))


class _Found:
    """What the statements so far declare."""

    def __init__(self, *, only: bool) -> None:
        self._only = only
        self.tables: dict[str, OpenTable] = {}
        self.indexes: dict[str, Index] = {}
        self.views: dict[str, str] = {}
        self.places: dict[str, Place] = {}
        self.docs: dict[str, str] = {}
        self._at: Place = (1, 1)

    def add(self, statement: Statement) -> None:
        self._at = statement.place
        tree = statement.tree
        if isinstance(tree, e.Alter):
            self._alter(tree)
        elif isinstance(tree, e.Drop):
            for one in tree.args.get("tables") or [tree.this]:
                self._drop(str(tree.args["kind"]), table_name(one))
        elif isinstance(tree, e.Create) and isinstance(tree.this, e.Index):
            self._index(tree)
        elif isinstance(tree, e.Create) and tree.args.get("kind") == "VIEW":
            self._view(tree)
        elif isinstance(tree, e.Create) and isinstance(tree.this, e.Schema) and tree.expression is None:
            self._table(tree.this, (*statement.options, *_properties(tree)))
        else:
            raise self._refused(tree, "a table without columns, or made by a query: declare its columns")

    def _table(self, declared: e.Schema, options: tuple[str, ...]) -> None:
        table = OpenTable(table_name(declared.this), others=set(options))
        self._new(table.name, declared.this, {**self.tables, **self.views})
        self.tables[table.name] = table
        for part in declared.expressions:
            self._part(table, part)
        if not table.columns:
            raise self._refused(declared, f"{table.name} has no columns")
        for part in declared.expressions:
            self._rule(table, part)

    def _part(self, table: OpenTable, part: e.Expr) -> None:
        if isinstance(part, e.Identifier):
            part = e.ColumnDef(this=part)
        if not isinstance(part, e.ColumnDef):
            return
        name = name_of(part.this)
        if name in ("key", "index", "fulltext") and part.kind and part.kind.this == e.DType.USERDEFINED:
            raise self._refused(part.this, "an index inside a table: declare it by CREATE INDEX")
        self._new(join(table.name, name), part.this, table.columns, key=name)
        table.columns[name] = self._column(table, name, part)
        for comment in part.find_all(e.CommentColumnConstraint):
            self.docs[join(table.name, name)] = comment.name

    def _column(self, table: OpenTable, name: str, declared: e.ColumnDef) -> Column:
        column = Column(name, type_of(declared.kind))
        if column.type in _SERIAL:
            column = replace(column, type=_SERIAL[column.type], nullable=False, identity="by default")
        for constraint in declared.constraints:
            kind = constraint.args.get("kind")
            if kind is None:
                raise self._refused(declared, f"{name} has a constraint that says nothing")
            if not self._rule_of(table, name, kind):
                column = _with(column, kind)
        return column

    def _rule_of(self, table: OpenTable, name: str, kind: e.Expr) -> bool:
        """Take what a column declares for rows, and say whether it was that."""
        match kind:
            case e.PrimaryKeyColumnConstraint():
                self._key(table, [name], kind)
            case e.UniqueColumnConstraint() if _is_plain(kind):
                table.unique.add((name,))
            case e.CheckColumnConstraint():
                table.checks.update(conditions(kind.this))
            case e.Reference():
                table.foreign_keys.add(_foreign((name,), kind))
            case _:
                return False
        return True

    def _rule(self, table: OpenTable, part: e.Expr) -> None:
        match part:
            case e.ColumnDef() | e.Identifier():
                pass
            case e.Constraint():
                for inner in part.expressions:
                    self._rule(table, inner)
            case e.PrimaryKey():
                self._key(table, self._named(table, part.expressions), part)
            case e.UniqueColumnConstraint(this=e.Schema()) if _is_plain(part):
                table.unique.add(tuple(sorted(self._named(table, part.this.expressions))))
            case e.CheckColumnConstraint():
                table.checks.update(conditions(part.this))
            case e.ForeignKey() if isinstance(part.args.get("reference"), e.Reference):
                # What ON DELETE says stands in the reference or beside it, by the release of the library.
                actions = [f"ON {on} {part.args[on]}" for on in ("delete", "update") if part.args.get(on)]
                named = tuple(self._named(table, part.expressions))
                table.foreign_keys.add(_foreign(named, part.args["reference"], actions))
            case _:
                table.others.add(expression(part))

    def _key(self, table: OpenTable, columns: list[str], where: e.Expr) -> None:
        if table.primary_key is not None:
            raise self._refused(where, f"{table.name} has two primary keys")
        table.primary_key = columns

    def _named(self, table: OpenTable, parts: Iterable[e.Expr]) -> list[str]:
        names = []
        for part in parts:
            names.append(name_of(part))
            if names[-1] not in table.columns:
                raise self._refused(part, f"{table.name} has no column {names[-1]}")
        return names

    def _index(self, tree: e.Create) -> None:
        declared = tree.this
        table = table_name(declared.args["table"])
        if table not in self.tables:
            raise self._refused(declared.args["table"], f"an index on {table}, which is not declared before it")
        params = declared.args.get("params")
        columns = (params and params.args.get("columns")) or []
        # The order of a part is spelled only where it is not the usual one.
        parts = tuple(_part_of_index(part) for part in columns)
        where = params.args.get("where") if params else None
        name = name_of(declared.this) if declared.this else "_".join([table, *parts, "idx"])
        using = params.args.get("using") if params else None
        kind = using.name.lower() if using else "btree"
        others: tuple[str, ...] = () if kind == "btree" else (f"using {kind}",)
        included = params.args.get("include") if params else None
        others += (f"include {', '.join(name_of(one) for one in included)}",) if included else ()
        self._new(index_facet(name), declared.this or declared.args["table"], self.indexes, key=name)
        unique = bool(tree.args.get("unique"))
        index = Index(name, table, parts, unique, expression(where.this) if where else None, others)
        if (key := self._key_of(index)) is not None:
            self.tables[table].unique.add(key)
        self.indexes[name] = index

    def _key_of(self, index: Index) -> tuple[str, ...] | None:
        """Return the columns that an index keeps unique as a declared key does, None where it does not."""
        columns_of = {written(name): name for name in self.tables[index.table].columns}
        if not (index.unique and index.plain and columns_of.keys() >= set(index.parts)):
            return None
        return tuple(sorted(columns_of[part] for part in index.parts))

    def _view(self, tree: e.Create) -> None:
        declared = tree.this.this if isinstance(tree.this, e.Schema) else tree.this
        name = table_name(declared)
        self._new(name, declared, {**self.tables, **self.views})
        columns = [name_of(column) for column in tree.this.expressions] if isinstance(tree.this, e.Schema) else []
        query = expression(tree.expression)
        self.views[name] = f"({', '.join(columns)}) AS {query}" if columns else query

    def _alter(self, tree: e.Alter) -> None:
        for action in tree.args.get("actions") or [tree]:
            name = table_name(tree.this)
            table = self.tables.get(name)
            if table is None and tree.args.get("exists") and not self._only:
                return
            if table is None:
                raise self._refused(tree.this, f"ALTER TABLE {name}, which is not declared before it")
            if isinstance(action, e.AddConstraint):
                for part in action.expressions:
                    self._rule(table, part)
            elif isinstance(action, e.ColumnDef):
                if self._only or not (action.args.get("exists") and name_of(action.this) in table.columns):
                    self._part(table, action)
            elif self._only or not self._altered(table, action, tree.args.get("options") or []):
                raise self._refused(tree, "ALTER TABLE is read where it adds columns or constraints: declare the rest")

    def _altered(self, table: OpenTable, action: e.Expr, options: list[e.Expr]) -> bool:
        """Rename or drop something, and say whether it was that."""
        match action:
            case e.Drop(kind="COLUMN"):
                for part in action.args["tables"]:
                    self._drop_column(table, part.this, missing=bool(action.args.get("exists")))
            case e.RenameColumn():
                self._rename_column(table, action.this.this, action.args["to"].this)
            case e.AlterRename() if options:
                # So the library reads `RENAME a TO b`, without the word COLUMN.
                self._rename_column(table, action.this.this, options[0].this.this)
            case e.AlterRename():
                self._rename(table, action.this)
            case _:
                return False
        return True

    def _rename(self, table: OpenTable, to: e.Expr) -> None:
        """Let a table have another name; who names no schema stays in the one that the table is in."""
        old, schema = table.name, table.name.rpartition(".")[0]
        new = table_name(to) if not schema or to.args.get("db") else f"{schema}.{table_name(to)}"
        self._new(new, to, {**self.tables, **self.views})
        self.tables = {(new if name == old else name): one for name, one in self.tables.items()}
        self._move(old, new)
        table.name = new
        self.indexes = {
            name: replace(index, table=new) if index.table == old else index for name, index in self.indexes.items()
        }
        self._retarget(old, lambda key: replace(key, table=new))
        self.views = {
            name: _FROM.sub(lambda found: reworded(found[0], old, new), text) for name, text in self.views.items()
        }

    def _rename_column(self, table: OpenTable, one: e.Expr, to: e.Expr) -> None:
        [old], new = self._named(table, [one]), name_of(to)
        self._new(join(table.name, new), to, table.columns, key=new)
        table.rename(old, new)
        self._move(join(table.name, old), join(table.name, new))
        for name, index in self.indexes.items():
            if index.table == table.name:
                parts = tuple(reworded(part, old, new) for part in index.parts)
                others = tuple(reworded(part, old, new) for part in index.others)
                where = index.where and reworded(index.where, old, new)
                self.indexes[name] = replace(index, parts=parts, where=where, others=others)
        names = {old: new}
        self._retarget(
            table.name, lambda key: replace(key, targets=tuple(names.get(name, name) for name in key.targets))
        )

    def _drop_column(self, table: OpenTable, one: e.Expr, *, missing: bool) -> None:
        if missing and name_of(one) not in table.columns:
            return
        [name] = self._named(table, [one])
        table.drop(name)
        self.places.pop(join(table.name, name), None)
        for index in list(self.indexes.values()):
            said = " ".join([*index.parts, *index.others, index.where or ""])
            if index.table == table.name and written(name) in names_in(said):
                self._drop("INDEX", index.name)
        self._retarget(table.name, lambda key: None if name in key.targets else key)

    def _retarget(self, table: str, change: Callable[[ForeignKey], ForeignKey | None]) -> None:
        """Change the foreign keys into a table."""
        for one in self.tables.values():
            changed = (change(key) if key.table == table else key for key in one.foreign_keys)
            one.foreign_keys = {key for key in changed if key is not None}

    def _move(self, old: str, new: str) -> None:
        """Let what stands at a place, and in it, have another name."""
        self.places = {
            new + at[len(old) :] if at == old or at.startswith(f"{old}.") else at: place
            for at, place in self.places.items()
        }

    def _drop(self, kind: str, name: str) -> None:
        """Forget what is there no longer; who drops a table drops its indexes."""
        gone = {name} if kind == "INDEX" else {one.name for one in self.indexes.values() if one.table == name}
        for index in gone & self.indexes.keys():
            one = self.indexes.pop(index)
            self.places.pop(index_facet(index), None)
            if one.table in self.tables and (key := self._key_of(one)) is not None:
                self.tables[one.table].unique.discard(key)
        if kind != "INDEX":
            self.tables.pop(name, None)
            self.views.pop(name, None)
            kept = {at: place for at, place in self.places.items() if at != name and not at.startswith(f"{name}.")}
            self.places = kept

    def _new(self, facet: str, where: e.Expr, among: Iterable[str], *, key: str | None = None) -> None:
        if (facet if key is None else key) in among:
            raise self._refused(where, f"{facet} is declared twice")
        self.places[facet] = self._place(where)

    def _place(self, where: e.Expr) -> Place:
        for node in where.walk():
            if "line" in node.meta:
                return node.meta["line"], max(1, node.meta["col"] - (node.meta["end"] - node.meta["start"]))
        return self._at

    def _refused(self, where: e.Expr, why: str) -> InvalidContract:
        return refusal(self._place(where), why)


def _with(column: Column, kind: e.Expr) -> Column:
    """Return a column with one more thing that it declares for itself."""
    match kind:
        case e.NotNullColumnConstraint():
            column = replace(column, nullable=bool(kind.args.get("allow_null")))
        case e.DefaultColumnConstraint():
            column = replace(column, default=default_of(kind.this))
        case e.GeneratedAsIdentityColumnConstraint() if not kind.expression:
            column = replace(column, nullable=False, identity="always" if kind.this else "by default")
        case e.GeneratedAsIdentityColumnConstraint() | e.ComputedColumnConstraint():
            column = replace(column, generated=expression(kind.expression or kind.this))
        case e.AutoIncrementColumnConstraint():
            column = replace(column, identity="by default")
        case e.CollateColumnConstraint():
            column = replace(column, collation=expression(kind.this).lower())
        case e.CommentColumnConstraint():
            pass
        case _:
            column = replace(column, others=tuple(sorted({*column.others, expression(kind)})))
    return column


def _is_plain(unique: e.UniqueColumnConstraint) -> bool:
    """Say whether UNIQUE says nothing of NULL or of what happens to rows that are there twice."""
    return not (unique.args.get("nulls") or unique.args.get("on_conflict"))


def _part_of_index(part: e.Expr) -> str:
    column, descending = (part.this, part.args.get("desc")) if isinstance(part, e.Ordered) else (part, False)
    return f"{expression(column)} DESC" if descending else expression(column)


def _foreign(columns: tuple[str, ...], declared: e.Reference, actions: Iterable[str] = ()) -> ForeignKey:
    target = declared.this
    table = table_name(target.this if isinstance(target, e.Schema) else target)
    names = tuple(name_of(part) for part in target.expressions) if isinstance(target, e.Schema) else ()
    said = {str(option).upper() for option in (declared.args.get("options") or [])} | {*map(str.upper, actions)}
    said -= _USUAL | ({"DEFERRABLE"} if "INITIALLY DEFERRED" in said else set())
    return ForeignKey(columns, table, names, tuple(sorted(said)))


def _properties(tree: e.Create) -> tuple[str, ...]:
    properties = tree.args.get("properties")
    found = properties.expressions if properties else []
    if any(isinstance(one, e.TemporaryProperty) for one in found):
        raise InvalidContract(LANGUAGE, "a temporary table is nobody else's: leave it out")
    return tuple(one.sql().upper() for one in found)
