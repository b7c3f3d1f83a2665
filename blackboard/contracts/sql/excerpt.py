"""The statements of a DDL text that declare some tables, as they were written, with comments above them and COMMENT."""

from bisect import bisect_right
from collections.abc import Collection, Iterator

from blackboard.contracts.sql.schema import Schema


def excerpt(schema: Schema, names: Collection[str]) -> str:
    """Return the lines of the statements that declare facets, and all else of their tables."""
    from blackboard.contracts.sql.comments import commented  # noqa: PLC0415 - see `Sql.parse`
    from blackboard.contracts.sql.statements import cut, place  # noqa: PLC0415

    begins = [place(tokens[0])[0] for tokens in cut(schema.text)]
    tables = {name.partition(".")[0] for name in names}
    declared = [*((name, line) for name, (line, _) in schema.places.items()), *commented(schema.text)]
    places = [line for name, line in declared if name.partition(".")[0] in tables]
    numbers = sorted({bisect_right(begins, line) - 1 for line in places})
    return "".join(f"{line}\n" for number in numbers for line in _lines(schema.text.split("\n"), begins, number))


def _lines(lines: list[str], begins: list[int], number: int) -> Iterator[str]:
    end = begins[number + 1] if number + 1 < len(begins) else len(lines) + 1
    begin, end = _with_comments(lines, begins[number]), _with_comments(lines, end)
    yield from "\n".join(lines[begin - 1 : end - 1]).strip("\n").split("\n")


def _with_comments(lines: list[str], begin: int) -> int:
    """Return where the comments begin that stand right above a line."""
    while begin > 1 and lines[begin - 2].lstrip().startswith("--"):
        begin -= 1
    return begin
