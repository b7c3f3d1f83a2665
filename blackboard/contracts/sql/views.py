"""What two queries of a view have in common: the same rows, with other columns."""

from collections.abc import Mapping

from blackboard.contracts.sql.checks import Undecidable


def moved(old: str, new: str) -> tuple[list[str], list[str]]:
    """Return the columns that a view has no longer and those that are new, where all else that it answers is the same.

    Raises:
        Undecidable: It may answer something else.
    """
    before, rest = _parts(old)
    after, other = _parts(new)
    if rest != other or any(before[name] != after[name] for name in before.keys() & after.keys()):
        raise Undecidable
    return sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())


def _parts(text: str) -> tuple[Mapping[str, str], str]:
    """Return the columns of a query, name -> expression, and the query without them."""
    import sqlglot  # noqa: PLC0415 -- loaded with the first DDL
    from sqlglot import expressions as e  # noqa: PLC0415

    try:
        query = sqlglot.parse_one(text)
    except (sqlglot.errors.SqlglotError, ValueError, RecursionError):
        raise Undecidable from None
    # Why not with these: what they do depends on which columns there are, or on where they stand.
    if not isinstance(query, e.Select) or any(query.args.get(word) for word in ("distinct", "group", "order")):
        raise Undecidable
    named = [one for one in query.expressions if isinstance(one, e.Column | e.Alias) and not one.is_star]
    columns = {one.alias_or_name: one.sql() for one in named}
    if len(columns) != len(query.expressions) or query.find(e.AggFunc, e.Window):
        raise Undecidable
    query.set("expressions", [])
    return columns, query.sql()
