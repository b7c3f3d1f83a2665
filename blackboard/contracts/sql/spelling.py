"""One spelling for each name, type and expression, so that what means the same reads the same."""

import re

from sqlglot import expressions as e

from blackboard.contracts.facets import join

_TYPES = {
    "int": "integer",
    "uint": "integer unsigned",
    "ubigint": "bigint unsigned",
    "varbinary": "blob",
    "float": "real",
    "double": "double precision",
    "timestamptz": "timestamp with time zone",
}
_WHOLE = {"tinyint", "smallint", "mediumint", "integer", "bigint", "integer unsigned", "bigint unsigned"}
_FLIPPED: dict[type[e.Expr], type[e.Binary]] = {
    e.GT: e.LT,
    e.GTE: e.LTE,
    e.LT: e.GT,
    e.LTE: e.GTE,
    e.EQ: e.EQ,
    e.NEQ: e.NEQ,
}
_NAME = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\b[^\W\d]\w*\b(?!\()""")


def name_of(identifier: e.Expr) -> str:
    """Return a name: as it stands where it is quoted, else in lower case."""
    quoted = isinstance(identifier, e.Identifier) and identifier.args.get("quoted")
    return identifier.name if quoted else identifier.name.lower()


def table_name(table: e.Expr) -> str:
    """Return the name of a table, its schema before it where it has one."""
    path = ""
    for part in table.parts if isinstance(table, e.Table) else [table]:
        path = join(path, name_of(part))
    return path


def type_of(kind: e.Expr | None) -> str:
    """Return the type as all its spellings have it: `integer`, `varchar(10)`, `decimal(10, 2)`.

    A length that says nothing is left out: the width at which an integer is shown, the one letter of `char`.
    """
    if kind is None:
        return "any"
    spelled = kind.sql(comments=False).lower() if kind.find(e.Literal) is None else kind.sql(comments=False)
    base, paren, length = spelled.partition("(")
    base = _TYPES.get(base.lower().strip(), base.lower())
    if base in _WHOLE or (base, length) == ("char", "1)"):
        return base
    if base == "decimal" and paren and "," not in length:
        length = length.replace(")", ", 0)")
    return "text" if (base, paren) == ("varchar", "") else f"{base}{paren}{length}"


def default_of(tree: e.Expr) -> str | None:
    """Return a default, None for NULL; `'a'::text` is `'a'`, and `now()` the time by its other name."""
    bare = _bare(tree)
    bare = bare.this if isinstance(bare, e.Cast) and isinstance(bare.this, e.Literal) else bare
    text = expression(bare)
    return None if text == "NULL" else "CURRENT_TIMESTAMP" if text in ("NOW()", "CURRENT_TIMESTAMP()") else text


def expression(tree: e.Expr) -> str:
    """Return an expression without comments, outer parentheses and the case of its names."""
    return _spelled(_bare(tree.copy()))


def conditions(tree: e.Expr) -> list[str]:
    """Return the conditions of a CHECK that must all hold: `a AND b` is two of them, BETWEEN too."""
    whole = _bare(tree.copy().transform(_in_order))
    parts = list(whole.flatten()) if isinstance(whole, e.And) else [whole]
    return [_spelled(_bare(part)) for part in parts]


def written(name: str) -> str:
    """Return a name as an expression has it: quoted where it is no plain name in lower case."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"' if _is_quoted(name) else name


def reworded(text: str, old: str, new: str) -> str:
    """Return a spelled expression that names something by another name."""
    own, wanted = written(old), written(new)
    return _NAME.sub(lambda found: wanted if found[0] == own else found[0], text)


def names_in(text: str) -> set[str]:
    """Return the names that a spelled expression has, as they are written there."""
    return {found[0] for found in _NAME.finditer(text)}


def _is_quoted(name: str) -> bool:
    return join("", name) != name or name != name.lower()


def _bare(tree: e.Expr) -> e.Expr:
    while isinstance(tree, e.Paren):
        tree = tree.this
    return tree


def _spelled(tree: e.Expr) -> str:
    # Why not of two: there the table says which column is meant.
    of_one = sum(1 for _ in tree.find_all(e.Table)) <= 1
    for node in tree.find_all(e.Column) if of_one else ():
        node.set("table", None)
    for identifier in tree.find_all(e.Identifier):
        name = name_of(identifier)
        identifier.set("this", name)
        identifier.set("quoted", _is_quoted(name))
    return tree.sql(comments=False)


def _in_order(node: e.Expr) -> e.Expr:
    """Write `1 < a` as `a > 1`, BETWEEN as two comparisons, and the members of IN in order."""
    if isinstance(node, e.Between) and not node.args.get("symmetric"):
        low, high = e.GTE(this=node.this.copy(), expression=node.args["low"]), None
        high = e.LTE(this=node.this.copy(), expression=node.args["high"])
        return e.Paren(this=e.And(this=low, expression=high))
    if isinstance(node, e.In) and node.expressions:
        members = sorted({member.sql(): member for member in node.expressions}.items())
        node.set("expressions", [member for _, member in members])
    flipped = _FLIPPED.get(type(node))
    if flipped is not None and isinstance(node.this, e.Literal) and not isinstance(node.expression, e.Literal):
        return flipped(this=node.expression, expression=node.this)
    return node
