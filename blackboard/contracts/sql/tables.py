"""A table while statements declare and alter it, and the table that they leave."""

from dataclasses import dataclass, field, replace

from blackboard.contracts.sql.schema import Column, ForeignKey, Rules, Table
from blackboard.contracts.sql.spelling import names_in, reworded, written


@dataclass(slots=True)
class OpenTable:
    """A table whose declaration is being read."""

    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    primary_key: list[str] | None = None
    unique: set[tuple[str, ...]] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)
    foreign_keys: set[ForeignKey] = field(default_factory=set)
    others: set[str] = field(default_factory=set)

    def built(self) -> Table:
        """Return the table as it is now."""
        key = self.primary_key or []
        columns = {
            name: replace(column, nullable=column.nullable and name not in key) for name, column in self.columns.items()
        }
        rules = Rules(
            tuple(key),
            frozenset(self.unique),
            frozenset(self.checks),
            frozenset(self.foreign_keys),
            frozenset(self.others),
        )
        return Table(self.name, columns, rules)

    def rename(self, old: str, new: str) -> None:
        """Give a column another name, wherever the table names it."""
        names = {old: new}
        self.columns = {
            names.get(name, name): replace(
                column,
                name=names.get(name, name),
                generated=column.generated and reworded(column.generated, old, new),
            )
            for name, column in self.columns.items()
        }
        self.primary_key = self.primary_key and [names.get(name, name) for name in self.primary_key]
        self.unique = {tuple(sorted(names.get(name, name) for name in key)) for key in self.unique}
        self.checks = {reworded(text, old, new) for text in self.checks}
        self.others = {reworded(text, old, new) for text in self.others}
        self.foreign_keys = {
            replace(key, columns=tuple(names.get(name, name) for name in key.columns)) for key in self.foreign_keys
        }

    def drop(self, name: str) -> None:
        """Forget a column and the rules that name it."""
        del self.columns[name]
        if name in (self.primary_key or ()):
            self.primary_key = None
        self.unique = {key for key in self.unique if name not in key}
        self.checks = {text for text in self.checks if written(name) not in names_in(text)}
        self.others = {text for text in self.others if written(name) not in names_in(text)}
        self.foreign_keys = {key for key in self.foreign_keys if name not in key.columns}
