"""Two changes of one DDL text put together: statement by statement, and of a table definition by definition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blackboard.contracts.units import CannotMergeError, merged

if TYPE_CHECKING:
    from sqlglot.tokenizer_core import Token

_CREATE = ("CREATE", "TABLE")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A statement, or a definition in a table: its tokens, and its text from the separator before it on."""

    name: str
    meaning: tuple[str, ...]
    text: str
    tokens: "Sequence[Token]"
    start: int


def merge(base: str, ours: str, theirs: str) -> str:
    """Return our text with what theirs changed of the base.

    Raises:
        CannotMergeError: Both change one definition.
        InvalidContract: One of them is no DDL.
    """
    texts = (base, ours, theirs)

    def table(*three: _Piece) -> str:
        return _table([_parts(piece, text) for piece, text in zip(three, texts, strict=True)])

    return ";".join(merged(*(_statements(text) for text in texts), both=table)) + ";\n"


def _statements(text: str) -> list[_Piece]:
    # Why here: the library takes longer to load than all of ours, and most boards have no DDL.
    from blackboard.contracts.sql.statements import cut  # noqa: PLC0415

    found: list[_Piece] = []
    start = 0
    for tokens in cut(text):
        words = [token.text for token in tokens if token.text.upper() not in ("IF", "NOT", "EXISTS")]
        created = tuple(word.upper() for word in words[:2]) == _CREATE
        # Whatever else is declared is one thing, whose whole text is its name.
        name = " ".join(words[2 : words.index("(")] if created and "(" in words else words)
        found.append(_piece(name, tokens, text, start))
        start = text.find(";", tokens[-1].end) + 1 or len(text)
    return found


def _piece(name: str, tokens: "Sequence[Token]", text: str, start: int) -> _Piece:
    return _Piece(name, tuple(token.text for token in tokens), text[start : tokens[-1].end + 1], tokens, start)


def _parts(piece: _Piece, text: str) -> tuple[str, tuple[str, ...], list[_Piece], str, tuple[str, ...]]:
    """Return what stands before a table's definitions, what it means, the definitions, and the same of what follows."""
    opens = next((place for place, token in enumerate(piece.tokens) if token.text == "("), None)
    if opens is None:
        raise CannotMergeError
    depth, begin, found = 0, opens + 1, []
    for place, token in enumerate(piece.tokens[opens:], opens):
        depth += (token.text == "(") - (token.text == ")")
        if (token.text == "," and depth == 1) or depth == 0:
            tokens = piece.tokens[begin:place]
            if not tokens:
                raise CannotMergeError
            found.append(_definition(tokens, text, piece.tokens[begin - 1].end + 1))
            begin = place + 1
        if depth == 0:
            break
    head, tail = piece.tokens[: opens + 1], piece.tokens[begin - 1 :]
    after = text[piece.tokens[begin - 2].end + 1 : piece.tokens[-1].end + 1]
    before = text[piece.start : head[-1].end + 1]
    return before, tuple(one.text for one in head), found, after, tuple(one.text for one in tail)


def _definition(tokens: "Sequence[Token]", text: str, start: int) -> _Piece:
    """Return a definition; that of a column is named by the column, any other by all that it says."""
    rule = tokens[0].text.upper() in ("CONSTRAINT", "PRIMARY", "FOREIGN", "UNIQUE", "CHECK", "EXCLUDE", "KEY", "INDEX")
    return _piece(" ".join(token.text for token in (tokens if rule else tokens[:1])), tokens, text, start)


def _table(parts: Sequence[tuple[str, tuple[str, ...], list[_Piece], str, tuple[str, ...]]]) -> str:
    (_, was, base, _, ended), (head, mine, ours, tail, ends), (_, other, theirs, _, also) = parts
    if not was == mine == other or not ended == ends == also:
        raise CannotMergeError
    return head + ",".join(merged(base, ours, theirs, both=_no_further)) + tail


def _no_further(*_: _Piece) -> str:
    raise CannotMergeError
