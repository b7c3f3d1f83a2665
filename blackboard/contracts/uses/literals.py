"""What literals name: paths of files; tables and columns in SQL, by its words alone, so that any dialect will do."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

MAX_CHARACTERS = 100_000

_MOST_PARTS = 16
"""Of a path; all parts of a longer chain are looked at, each with so many before it."""

_IS_SQL = re.compile(
    r"""(?:[\s(]|--[^\n]*\n|/\*.*?\*/)*+(?:
        SELECT\b | DELETE\s+FROM\b | (?:INSERT|REPLACE)(?:\s+\w+){0,2}?\s+INTO\b | WITH\b.{0,200}?\bAS\b[^(]{0,20}\(
        | UPDATE(?:\s+\S+){1,4}?\s+SET\b | UPDATE\b.{0,400}?\bJOIN\b.{0,400}?\bSET\b
    )""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_WRITES = re.compile(r"[\s(]*(?:INSERT|REPLACE|UPDATE|DELETE)\b", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^']|'')*+(?:'|\Z)|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_WORD = r'(?:"[^"]+"|`[^`]+`|\w+)'
_TABLE = re.compile(
    rf"\b(?:FROM|JOIN|INTO|UPDATE|,)(?=\s+(?:{_WORD}\.)?({_WORD})(?:\s+(?:AS\s+)?({_WORD}))?)", re.IGNORECASE
)
_NAME = re.compile(rf"(?<!\bas\s)(?:(?:{_WORD}\s*\.\s*)?({_WORD})\s*\.\s*({_WORD})|({_WORD}))", re.IGNORECASE)
_ENDS = frozenset(
    """
    as cross full group having inner join left limit natural on order right set union using values where
    """.split()  # noqa: SIM905 -- a word list is read more easily than a list of words
)


def is_sql(text: str) -> bool:
    """Say whether a string is a statement that reads or writes rows."""
    return len(text) <= MAX_CHARACTERS and _IS_SQL.match(text) is not None


def facets(text: str, tables: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str]]:
    """Yield (table, column) that a statement names, column "" for a table whose rows it writes.

    Args:
        text: The statement.
        tables: Name of a table -> its columns, in small letters.
    """
    plain = _QUOTED.sub(" ", text)
    aliases: dict[str, str] = {}
    for found in _TABLE.finditer(plain):
        table, alias = _folded(found[1]), _folded(found[2] or "")
        if table in tables:
            aliases[table] = table
            if alias and alias not in _ENDS:
                aliases[alias] = table
    if _WRITES.match(plain):
        yield from ((table, "") for table in set(aliases.values()))
    for found in _NAME.finditer(plain):
        if found[1]:
            table = aliases.get(_folded(found[1]), "")
            among = [table] if table else []
            column = _folded(found[2])
        else:
            column, among = _folded(found[3]), list(dict.fromkeys(aliases.values()))
        holding = [table for table in among if column in tables[table]]
        if len(holding) == 1:
            yield holding[0], column


def path_of(node: ast.AST) -> str | None:
    """Return the path that an expression spells, of what is put together the end that is known; None for no path.

    `"conf/app.json"`, `Path("conf") / "app.json"`, `HERE / "conf" / "app.json"`, `os.path.join(here, "app.json")`.
    """
    parts: list[str] = []
    for _ in range(_MOST_PARTS):
        match node:
            case ast.Constant(value=str(text)):
                parts.append(text)
                break
            case ast.BinOp(op=ast.Div(), left=left, right=ast.Constant(value=str(text))):
                parts.append(text)
                node = left
            case ast.Call(func=ast.Name(id="Path" | "join") | ast.Attribute(attr="Path" | "join"), args=[*_, _]):
                texts = [one.value if isinstance(one, ast.Constant) else None for one in node.args]
                known = texts[max((at for at, one in enumerate(texts) if not isinstance(one, str)), default=-1) + 1 :]
                parts += [str(one) for one in reversed(known)]
                break
            case _:
                break
    return "/".join(reversed(parts)).removeprefix("./") if parts else None


def _folded(word: str) -> str:
    return word.strip('"`').lower()
