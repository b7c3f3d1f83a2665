"""Which parts of a schema name which others: what they name has to stand, or the DDL cannot be applied."""

from collections.abc import Iterable, Iterator

from blackboard.contracts.facets import join
from blackboard.contracts.sql.schema import Schema, Table, index_facet

_TEXTS = ("STRING", "NUMBER", "NATIONAL_STRING")


def named(schema: Schema) -> Iterator[tuple[str, str]]:
    """Yield (facet, facet that it names): tables, their columns, and views.

    An expression is taken to name every column of its table that is a word in it, and a view every table that is, and
    every column of these.
    """
    for name, table in schema.tables.items():
        yield from _of_table(name, table)
    for index in schema.indexes.values():
        table, said = schema.tables[index.table], [*index.parts, index.where or "", *index.others]
        yield index_facet(index.name), index.table
        yield from _columns(index_facet(index.name), [table], said)
    by_word: dict[str, list[str]] = {}
    for name in (*schema.tables, *schema.views):
        by_word.setdefault(name.rpartition(".")[2].strip('"'), []).append(name)
    for name, text in schema.views.items():
        shown = [other for word in _words([text]) for other in by_word.get(word, ())]
        yield from ((name, other) for other in shown)
        yield from _columns(name, [schema.tables[other] for other in shown if other in schema.tables], [text])


def _of_table(name: str, table: Table) -> Iterator[tuple[str, str]]:
    for key in table.rules.foreign_keys:
        yield name, key.table
        yield from ((name, join(key.table, target)) for target in key.targets)
    yield from _columns(name, [table], [*table.rules.checks, *table.rules.others])
    for column in table.columns.values():
        yield from _columns(join(name, column.name), [table], [column.generated or ""])


def _columns(facet: str, tables: Iterable[Table], texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    words = _words(texts)
    yield from ((facet, join(table.name, column)) for table in tables for column in words & table.columns.keys())


def _words(texts: Iterable[str]) -> set[str]:
    """Return the words of expressions; in one spelling, a name is a word as it stands."""
    # Why here: the library takes longer to load than all of ours, and most boards have no DDL.
    from blackboard.contracts.sql.statements import cut  # noqa: PLC0415

    found = [token for text in texts if text for tokens in cut(text) for token in tokens]
    return {token.text for token in found if token.token_type.name not in _TEXTS}
