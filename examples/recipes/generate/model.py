"""The dataclass of a table, as a contract and as code: they differ only in that the contract is proposed first."""

from generate.tables import Column, Table


def stub(table: Table) -> str:
    """Return the contract of the dataclass."""
    fields = "\n".join(f"    {column.name}: {column.annotation}" for column in _ordered(table))
    dates = "import datetime as dt\n" if table.has_dates else ""
    about = f"A row of the table {table.name}; {table.key.name} identifies it."
    return (
        f"{dates}from dataclasses import dataclass\n\n"
        f'@dataclass(frozen=True)\nclass {table.class_name}:\n    """{about}"""\n\n{fields}\n'
    )


def heading(name: str) -> str:
    """Return what the module says above its contract, which is all of its code."""
    return f'"""What a row of the table {name} is."""\n\n'


def _ordered(table: Table) -> list[Column]:
    return [table.key, *(column for column in table.columns if column.name != table.key.name)]
