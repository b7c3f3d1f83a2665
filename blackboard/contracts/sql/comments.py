"""What a DDL text says by COMMENT of tables, columns, indexes and views; `--` and `/* */` are comments of nobody."""

from collections.abc import Collection, Iterator, Sequence

from sqlglot.tokenizer_core import Token, TokenType

from blackboard.contracts.facets import join
from blackboard.contracts.sql.schema import index_facet
from blackboard.contracts.sql.statements import after_columns, cut, place, refusal

_COMMENTED = ("TABLE", "COLUMN", "VIEW", "INDEX")


def comments(text: str, facets: Collection[str]) -> dict[str, str]:
    """Return facet -> the text of its newest `COMMENT ON`, or of the option COMMENT of its table.

    Args:
        text: Statements that were read.
        facets: What they declare.

    Raises:
        InvalidContract: A comment is on something that is not declared.
    """
    found: dict[str, str] = {}
    for tokens in cut(text) if "comment" in text.lower() else ():
        for facet, said, where in _said(tokens):
            if facet not in facets:
                raise refusal(where, f"COMMENT ON {facet}, which is not declared in this text")
            found[facet] = said
    return found


def commented(text: str) -> Iterator[tuple[str, int]]:
    """Yield the facet and the line of each comment in a text that was read."""
    for tokens in cut(text) if "comment" in text.lower() else ():
        yield from ((facet, place(tokens[0])[0]) for facet, _, _ in _said(tokens))


def _said(tokens: Sequence[Token]) -> Iterator[tuple[str, str, Token]]:
    words = [token.text.upper() for token in tokens]
    kind = words[3] if words[2:3] == ["MATERIALIZED"] else "".join(words[2:3])
    if words[:2] == ["COMMENT", "ON"] and kind in _COMMENTED and "IS" in words:
        start = words.index(kind) + 1
        path = _path(tokens[start:])
        facet = index_facet(path.rpartition(".")[2]) if kind == "INDEX" else path
        yield facet, "" if words[-1] == "NULL" else tokens[-1].text, tokens[start]
    elif words[:1] == ["CREATE"] and "TABLE" in words[:3]:
        options = after_columns(tokens)
        for at, token in enumerate(options):
            value = next((one for one in options[at + 1 : at + 3] if one.token_type is TokenType.STRING), None)
            if token.text.upper() == "COMMENT" and value is not None:
                yield _table(tokens), value.text, tokens[0]


def _table(tokens: Sequence[Token]) -> str:
    start = next(at for at, token in enumerate(tokens) if token.text.upper() == "TABLE") + 1
    words = [token.text.upper() for token in tokens[start : start + 3]]
    return _path(tokens[start + 3 if words == ["IF", "NOT", "EXISTS"] else start :])


def _path(tokens: Sequence[Token]) -> str:
    """Return the dotted name with which tokens begin, as facets spell it."""
    path = ""
    for at, token in enumerate(tokens):
        if at % 2:
            if token.token_type is not TokenType.DOT:
                break
            continue
        path = join(path, token.text if token.token_type is TokenType.IDENTIFIER else token.text.lower())
    return path
