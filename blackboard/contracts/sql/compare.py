"""What a change of a schema means: for each facet an effect on both sides, a reason, and statements that show it.

A user writes rows and reads those of others: it breaks where a statement that worked fails, and where it may read what
no row had before. For who implements, whatever differs breaks: what was built is not what is declared. One script
shows both: run on an empty database of the old and of the new schema, its last statement differs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from blackboard.contracts.facets import NAMES, Reading, changed_names, join
from blackboard.contracts.sql import checks, references, values, views
from blackboard.contracts.sql.checks import Scalar, Undecidable, columns_of, passes_always, sample
from blackboard.contracts.sql.rows import Effort, Row, Rows, Script, column_name, table_name
from blackboard.contracts.sql.schema import Column, ForeignKey, Index, Schema, index_facet
from blackboard.spec.canonical import canonical_json
from blackboard.spec.effects import UNDECIDED, Comparison, Effect, FacetChange, worst


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: what it does to a user, why, and statements that show it (None: nobody knows)."""

    uses: Effect
    why: str
    shown: str | None = None


def _breaks(why: str, shown: str | None = None) -> Difference:
    return Difference(Effect.BREAKING, why, shown)


def _keeps(why: str, shown: str | None = None) -> Difference:
    return Difference(Effect.COMPATIBLE, why, shown)


def compare(old: Reading[Schema], new: Reading[Schema]) -> Comparison:
    """Say what changed, for changed facets only."""
    both = _Both(old, new)
    effects: dict[str, FacetChange] = {}
    for name in sorted(old.facets.keys() | new.facets.keys()):
        before, after = (canonical_json(f[name]) if name in f else None for f in (old.facets, new.facets))
        if before != after:
            effects[name] = _change(list(both.differences(name)))
    moved = old.facets.keys() ^ new.facets.keys()
    if moved:
        effects[NAMES] = changed_names([effects[name] for name in sorted(moved)], moved - old.facets.keys(), moved)
    return Comparison(effects)


def _change(found: list[Difference]) -> FacetChange:
    uses = worst(one.uses for one in found)
    # Why of the worst: what breaks the user also shows who implements that it differs.
    shown = [one.shown for one in found if one.uses is uses and one.shown is not None]
    whys = [one.why for one in sorted(found, key=lambda one: one.uses is not uses)]
    more = [f"{len(whys) - _MAX_WHYS} more"] if len(whys) > _MAX_WHYS else []
    return FacetChange(uses, Effect.BREAKING, "; ".join(whys[:_MAX_WHYS] + more), shown[0] if shown else UNDECIDED)


def _proof(lines: Script | None, outcome: str, *then: str) -> str | None:
    """Return a script and how it ends; None where there is none that anybody would read."""
    text = f"{'; '.join((*(lines or ()), *then))} -- {outcome}"
    return None if lines is None or len(text) > _MAX_PROOF else text


_MAX_WHYS, _MAX_PROOF = 4, 4_000

NARROWER, WIDER = "worked, now fails", "failed, now works"


class _Both:
    """Two schemas, and what differs between them."""

    def __init__(self, old: Reading[Schema], new: Reading[Schema]) -> None:
        self.old, self.new = old.body, new.body
        self._facets = old.facets, new.facets
        effort = Effort()
        self._before, self._after = Rows(self.old, effort), Rows(self.new, effort)
        self._columns = {
            join(table, column): (table, column)
            for schema in (self.old, self.new)
            for table, declared in schema.tables.items()
            for column in declared.columns
        }
        self._indexes = {index_facet(name): name for schema in (self.old, self.new) for name in schema.indexes}

    def differences(self, facet: str) -> Iterator[Difference]:
        """Yield what differs in a facet that changed."""
        if facet in self._indexes:
            name = self._indexes[facet]
            return self._index(name, self.old.indexes.get(name), self.new.indexes.get(name))
        if facet in self._columns:
            table, name = self._columns[facet]
            tables = [schema.tables.get(table) for schema in (self.old, self.new)]
            old, new = (found.columns.get(name) if found else None for found in tables)
            return self._column(table, old, new) if old and new else self._appears(facet, table, name)
        if facet in self.old.tables and facet in self.new.tables:
            return self._rules(facet)
        declared = self.old.tables.get(facet) or self.new.tables.get(facet)
        return self._appears(facet, facet, next(iter(declared.columns)) if declared else None)

    def _appears(self, facet: str, table: str, column: str | None) -> Iterator[Difference]:
        """Yield that a table, a column or a view (without a column to name) is new, gone, or another view."""
        query = f"SELECT {column_name(column) if column else 1} FROM {table_name(table)}"
        there = [facet in facets for facets in self._facets]
        if there == [True, False]:
            yield _breaks("gone", f"{query} -- {NARROWER}")
        elif there == [True, True]:
            yield from self._view(table)
        elif table in self.old.tables and column and not self.new.tables[table].columns[column].omittable:
            yield _breaks("new, and every row needs it", self._narrower(table, self._before.fitting(table)))
        elif table in self.old.tables and column and self._computes_null(table, self.new.tables[table].columns[column]):
            yield self._computed(table, self.new.tables[table].columns[column])
        else:
            yield _keeps("new", f"{query} -- {WIDER}")

    def _view(self, name: str) -> Iterator[Difference]:
        try:
            gone, fresh = views.moved(self.old.views[name], self.new.views[name])
        except (Undecidable, KeyError):
            yield _breaks("answers another query")
            return
        query = f"FROM {table_name(name)}"
        yield from (_breaks(f"{one} gone", f"SELECT {column_name(one)} {query} -- {NARROWER}") for one in gone)
        yield from (_keeps(f"{one} new", f"SELECT {column_name(one)} {query} -- {WIDER}") for one in fresh)
        if not gone and not fresh:
            yield _keeps("its columns are in another order")

    def _computes_null(self, table: str, column: Column) -> bool:
        """Say whether a column that takes no NULL may compute one of what the table already had."""
        old = self.old.tables[table].columns
        if column.generated is None or column.nullable:
            return False
        return checks.computes_null(column.generated, {name: one.nullable for name, one in old.items()})

    def _computed(self, table: str, column: Column) -> Difference:
        old = self.old.tables[table].columns
        empty = [name for name in sorted(columns_of(column.generated or "")) if name in old and old[name].nullable]
        rows = (self._before.fitting(table, given={name: None}) for name in empty if old[name].writable)
        shown = (row for row in rows if row and self._after.as_read(table, row).get(column.name, 0) is None)
        return _breaks("new, and may compute NULL, which it does not take", self._narrower(table, next(shown, None)))

    # --- columns ---

    def _column(self, table: str, old: Column, new: Column) -> Iterator[Difference]:
        if old.type != new.type:
            yield self._type(table, old, new)
        if new.nullable and not old.nullable:
            row = self._after.fitting(table, given={new.name: None}) if new.writable else None
            yield _breaks("may be read as NULL", self._wider(table, row))
        if old.nullable and not new.nullable:
            row = self._before.fitting(table, given={old.name: None}) if old.writable else None
            yield _breaks("takes no NULL", self._narrower(table, row))
        # What is computed on one side has a default on the other only: that it is computed says more.
        if old.default != new.default and old.generated == new.generated:
            yield self._default(table, old, new)
        if old.generated != new.generated:
            yield self._generated(table, old, new)
        if old.identity != new.identity:
            yield self._identity(table, old, new)
        if old.collation != new.collation:
            yield self._collation(table, old, new)
        if old.others != new.others:
            yield _breaks(f"{_spelled(old.others)} -> {_spelled(new.others)}")

    def _type(self, table: str, old: Column, new: Column) -> Difference:
        why = f"{old.type} -> {new.type}"
        for candidates, rows, outcome in (
            (values.only(old.type, new.type), self._before, NARROWER),
            (values.only(new.type, old.type), self._after, "failed, now reads what was never there"),
            (values.both(old.type, new.type), self._before, "reads another value"),
        ):
            for value in candidates:
                row = rows.fitting(table, given={new.name: value}) if new.writable and old.writable else None
                lines = rows.script(table, row)
                if lines is not None:
                    return _breaks(why, _proof(lines, outcome, self._select(table, new.name)))
        return _breaks(why)

    def _default(self, table: str, old: Column, new: Column) -> Difference:
        why = f"default {old.default or 'none'} -> {new.default or 'none'}"
        if not old.omittable:
            row = self._after.fitting(table, omitted=(new.name,))
            return _keeps(why, self._wider(table, row))
        row = self._before.fitting(table, omitted=(new.name,))
        if not new.omittable:
            return _breaks(why, self._narrower(table, row))
        lines = self._before.script(table, row)
        return _breaks(why, _proof(lines, "reads another value", self._select(table, new.name)))

    def _generated(self, table: str, old: Column, new: Column) -> Difference:
        why = f"computed as {old.generated or 'nothing'} -> {new.generated or 'nothing'}"
        if old.generated is None:
            return _breaks(why, self._narrower(table, self._before.fitting(table, given=_one(old))))
        if new.generated is None:
            return _breaks(why, self._wider(table, self._after.fitting(table, given=_one(new))))
        for row in self._before.having(table, columns_of(old.generated) | columns_of(new.generated)):
            before, after = (rows.as_read(table, row) for rows in (self._before, self._after))
            if new.name in before and new.name in after and before[new.name] != after[new.name]:
                lines = self._before.script(table, row)
                return _breaks(why, _proof(lines, "reads another value", self._select(table, new.name)))
        return _breaks(why)

    def _identity(self, table: str, old: Column, new: Column) -> Difference:
        why = f"numbered {old.identity or 'by nobody'} -> {new.identity or 'by nobody'}"
        if new.identity == "always":
            return _breaks(why, self._narrower(table, self._before.fitting(table, given={new.name: 5})))
        if old.identity == "always" and new.identity:
            return _keeps(why, self._wider(table, self._after.fitting(table, given={new.name: 5})))
        rows, uses = (self._before, Effect.BREAKING) if old.identity else (self._after, Effect.COMPATIBLE)
        # Who keeps no numbers starts anew after the last row is gone, or takes no row without one.
        first = rows.script(table, rows.fitting(table, given={new.name: 5}))
        second = rows.script(table, rows.fitting(table, omitted=(new.name,)))
        if first is None or second is None:
            return Difference(uses, why)
        lines = (*first, f"DELETE FROM {table_name(table)}", second[-1])
        return Difference(uses, why, _proof(lines, "reads another number", self._select(table, new.name)))

    def _collation(self, table: str, old: Column, new: Column) -> Difference:
        why = f"collation {old.collation or 'none'} -> {new.collation or 'none'}"
        given = values.distinguished(old.collation, new.collation)
        if given is None:
            return _breaks(why)
        lines = self._before.script(table, self._before.fitting(table, given={old.name: given[0]}))
        query = f"SELECT count(*) FROM {table_name(table)} WHERE {column_name(new.name)} = '{given[1]}'"
        return _breaks(why, _proof(lines, "counts another number", query))

    # --- rules ---

    def _rules(self, table: str) -> Iterator[Difference]:
        old, new = self.old.tables[table].rules, self.new.tables[table].rules
        for key in sorted(new.keys - old.keys):
            yield self._key_added(table, key)
        for key in sorted(old.keys - new.keys):
            yield self._key_dropped(table, key)
        if old.primary_key != new.primary_key and old.keys == new.keys:
            yield _keeps("another of its keys is the primary one")
        for check in sorted(new.checks - old.checks):
            yield self._check_added(table, check)
        for check in sorted(old.checks - new.checks):
            gone = self._gone(table, columns_of(check))
            shown = gone or self._wider(table, self._after.breaking(table, check, read=self._before))
            yield _breaks(f"rows need not fit CHECK ({check})", shown)
        yield from self._foreign_keys(table)
        for other in sorted(old.others ^ new.others):
            uses = Effect.COMPATIBLE if other in _UNSEEN else Effect.BREAKING
            yield Difference(uses, f"{other} {'added' if other in new.others else 'dropped'}")

    def _key_added(self, table: str, key: tuple[str, ...]) -> Difference:
        why = f"no two rows may have the same {', '.join(key)}"
        before, after = self.old.tables[table].columns, self.new.tables[table].columns
        if any(set(other) <= set(key) for other in self.old.tables[table].rules.keys):
            return _keeps(f"{why}, as a smaller key says already", self._upsert(table, key, WIDER))
        fresh = [after[name] for name in key if name not in before]
        if any(column.identity or (column.omittable and _empty(column)) for column in fresh):
            shown = self._fresh(table, fresh[0].name)
            return _keeps(f"{why}, which rows that leave it out always keep", shown)
        lines = self._before.twins(table, key, read=self._after)
        return _breaks(why, _proof(lines, NARROWER))

    def _key_dropped(self, table: str, key: tuple[str, ...]) -> Difference:
        why = f"two rows may have the same {', '.join(key)}"
        if not set(key) <= set(self.new.tables[table].columns):
            return _breaks(why, self._gone(table, key))
        if any(set(other) <= set(key) for other in self.new.tables[table].rules.keys):
            why = f"{', '.join(key)} is no key to name in ON CONFLICT"
            return _breaks(why, self._upsert(table, key, NARROWER))
        return _breaks(why, _proof(self._after.twins(table, key, read=self._before), WIDER))

    def _check_added(self, table: str, check: str) -> Difference:
        why = f"rows must fit CHECK ({check})"
        fresh = columns_of(check) - self.old.tables[table].columns.keys()
        if not fresh:
            return _breaks(why, self._narrower(table, self._before.breaking(table, check, read=self._after)))
        if passes_always(check, self._after.left_out(table, self.old.tables[table].columns)):
            shown = self._fresh(table, min(fresh))
            return _keeps(f"{why}, as all that leave out {', '.join(sorted(fresh))} do", shown)
        return _breaks(why, self._narrower(table, self._before.failing(table, check, read=self._after)))

    def _foreign_keys(self, table: str) -> Iterator[Difference]:
        old, new = self.old.tables[table].rules.foreign_keys, self.new.tables[table].rules.foreign_keys
        before = {replace(key, actions=()): key for key in old - new}
        after = {replace(key, actions=()): key for key in new - old}
        for bare in sorted(before.keys() | after.keys()):
            if bare not in before:
                yield self._reference_added(table, bare)
            elif bare not in after:
                why = f"({', '.join(bare.columns)}) need not be in {bare.table}"
                shown = self._gone(table, bare.columns) or _proof(references.orphan(self._after, table, bare), WIDER)
                yield _breaks(why, shown)
            else:
                why = f"{before[bare]} -> {' '.join(after[bare].actions) or 'no action'}"
                shown = references.acted(self._before, self._after, table, before[bare], after[bare])
                yield _breaks(why, shown)

    def _reference_added(self, table: str, key: ForeignKey) -> Difference:
        why = f"({', '.join(key.columns)}) must be in {key.table}"
        columns = self.new.tables[table].columns
        fresh = [columns[name] for name in key.columns if name not in self.old.tables[table].columns]
        if any(_empty(column) for column in fresh):
            shown = self._fresh(table, fresh[0].name)
            return _keeps(f"{why}, which rows that leave it out always keep", shown)
        if fresh:
            return _breaks(why, self._narrower(table, self._before.fitting(table)))
        return _breaks(why, _proof(references.orphan(self._before, table, key), NARROWER))

    # --- indexes ---

    def _index(self, name: str, old: Index | None, new: Index | None) -> Iterator[Difference]:
        drop = f"DROP INDEX {column_name(name)}"
        rule = any(index and index.unique and not self._is_plain(index) for index in (old, new))
        uses = Effect.BREAKING if rule else Effect.COMPATIBLE
        what = "unique, " if rule else ""
        if old is None or new is None:
            outcome = WIDER if old is None else NARROWER
            yield Difference(
                uses, f"{what}{'new' if old is None else 'gone'}", None if rule else f"{drop} -- {outcome}"
            )
        else:
            yield Difference(uses, f"{what}{_described(old)} -> {_described(new)}")

    def _is_plain(self, index: Index) -> bool:
        """Whether a unique index is told as a rule of its table."""
        tables = [schema.tables.get(index.table) for schema in (self.old, self.new)]
        return index.plain and any(set(index.parts) <= table.columns.keys() for table in tables if table)

    # --- what shows it ---

    def _narrower(self, table: str, row: Row | None) -> str | None:
        return _proof(self._before.script(table, row), NARROWER)

    def _wider(self, table: str, row: Row | None) -> str | None:
        return _proof(self._after.script(table, row), WIDER)

    def _select(self, table: str, column: str) -> str:
        return f"SELECT {column_name(column)} FROM {table_name(table)}"

    def _fresh(self, table: str, column: str) -> str:
        """Show that a column of a new rule is new too."""
        return f"{self._select(table, column)} -- {WIDER}"

    def _gone(self, table: str, names: tuple[str, ...] | frozenset[str]) -> str | None:
        """Show that a column of a rule that was dropped is gone too."""
        gone = sorted(set(names) - self.new.tables[table].columns.keys())
        return f"{self._select(table, gone[0])} -- {NARROWER}" if gone else None

    def _upsert(self, table: str, key: tuple[str, ...], outcome: str) -> str | None:
        rows = self._before if outcome == NARROWER else self._after
        lines = rows.script(table, rows.fitting(table))
        names = ", ".join(map(column_name, key))
        return None if lines is None else f"{'; '.join(lines)} ON CONFLICT ({names}) DO NOTHING -- {outcome}"


_UNSEEN = {"WITHOUT ROWID"}
"""What a table may say that no row and no named column shows."""


def _empty(column: Column) -> bool:
    """Whether a row that leaves the column out has NULL in it."""
    return column.nullable and column.default is None and column.generated is None and column.identity is None


def _one(column: Column) -> dict[str, Scalar]:
    return {column.name: sample(column.type)}


def _spelled(texts: tuple[str, ...]) -> str:
    return " ".join(texts) or "nothing"


def _described(index: Index) -> str:
    parts = f"{index.table} ({', '.join(index.parts)})"
    return " ".join([*(["unique"] if index.unique else []), parts, *([f"where {index.where}"] if index.where else [])])
