"""From a text to its statements, and nothing that would make sqlglot work for long.

The limits come before the library: the length of the text and a bound on its tokens before it makes tokens, the
tokens and how deeply they are nested before it parses. What it cannot read is refused, never kept as a blob.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError
from sqlglot.expressions import Expression
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import Tokenizer

from blackboard.contracts.sql.schema import LANGUAGE, Place
from blackboard.errors import InvalidContract

MAX_CHARACTERS = 262_144
MAX_WORDS = 40_000
MAX_TOKENS = 8_000
MAX_DEPTH = 12

STUMBLES = (RecursionError, ValueError, AttributeError, TypeError, IndexError, KeyError)
"""What the library raises, and what its trees have us raise, where it took a text for what it is not."""

_SHOWN = 100
_READS = "only CREATE TABLE, INDEX and VIEW, and ALTER TABLE … ADD"

_WORD = re.compile(r"\w+|[^\w\s]")
_NOT_A_LIST = {
    (TokenType.COMMA, TokenType.COMMA),
    (TokenType.L_PAREN, TokenType.COMMA),
    (TokenType.COMMA, TokenType.R_PAREN),
}
_DEEPER = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.CASE}
_HIGHER = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.END}


class _Tokens(Tokenizer):
    IDENTIFIERS = ['"', "`"]  # noqa: RUF012 -- as the library spells it


class _Dialect(Dialect):
    """The library's union of dialects, with names quoted as MySQL does too."""


class _Parser(Parser):
    def _warn_unsupported(self) -> None:
        """Refuse what the library would keep as a blob, with a warning on standard error."""
        self.raise_error(f"a statement that cannot be read: {_READS}", self._tokens[0])


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as the library reads it, what follows the columns of a table, and where it begins."""

    tree: Expression
    options: tuple[str, ...]
    place: Place


def statements(text: str, *, only: bool) -> Iterator[Statement]:
    """Yield the statements that declare something.

    Args:
        text: A text in any of the usual dialects.
        only: Whether any other statement is refused; else what takes a declaration back is read too, and the rest is
            passed over.

    Raises:
        InvalidContract: The text is too large, nested too deeply, cannot be read, or declares what is not judged.
    """
    # Made anew, for a parser keeps where it is, and contracts are read in several threads.
    parser = _Parser(dialect=_Dialect())
    for cut_off in _cut(_tokens(text)):
        tokens = _naming_columns(cut_off) if cut_off[0].token_type is TokenType.ALTER else cut_off
        words = [token.text.upper() for token in tokens[:3]]
        if not (_declares(words) or (not only and _takes_back(words))):
            if only and words[0] != "COMMENT":
                raise refusal(tokens[0], f"{' '.join(words[:2])[:_SHOWN]} is not read here: {_READS}")
            continue
        ends = _columns_end(tokens) if "TABLE" in words and words[0] == "CREATE" else len(tokens)
        yield Statement(_tree(parser, tokens[:ends], text), _options(tokens[ends:]), place(tokens[0]))


def cut(text: str) -> list[list[Token]]:
    """Return the tokens of each statement of a text, whatever it does.

    Raises:
        InvalidContract: The text is too large, nested too deeply, or not made of tokens.
    """
    return list(_cut(_tokens(text)))


def after_columns(tokens: Sequence[Token]) -> Sequence[Token]:
    """Return what a table says after its columns."""
    return tokens[_columns_end(tokens) :]


def _declares(words: list[str]) -> bool:
    match words:
        case ["CREATE", "TABLE" | "INDEX" | "VIEW", *_] | ["CREATE", "UNIQUE", "INDEX"] | ["ALTER", "TABLE", *_]:
            return True
    return False


def _takes_back(words: list[str]) -> bool:
    return words[0] == "DROP" and words[1:2] in (["TABLE"], ["INDEX"], ["VIEW"])


def place(token: Token) -> Place:
    """Return where a token begins."""
    return token.line, max(1, token.col - (token.end - token.start))


def refusal(where: Token | Place, why: str) -> InvalidContract:
    """Return the error about a place in the text."""
    line, column = place(where) if isinstance(where, Token) else where
    return InvalidContract(LANGUAGE, why, line=line, column=column)


def _tokens(text: str) -> list[Token]:
    words = next(islice(_WORD.finditer(text), MAX_WORDS, None), None)
    if len(text) > MAX_CHARACTERS or words is not None:
        raise InvalidContract(
            LANGUAGE, f"more than {MAX_CHARACTERS:,} characters or {MAX_WORDS:,} words: split it into several decisions"
        )
    try:
        tokens = _Tokens(dialect=_Dialect()).tokenize(text)
    except TokenError:
        line, column = text.count("\n") + 1, len(text.rpartition("\n")[2]) + 1
        raise refusal((line, column), "a quoted text or comment that does not end") from None
    if len(tokens) > MAX_TOKENS:
        raise InvalidContract(LANGUAGE, f"more than {MAX_TOKENS:,} tokens: split it into several decisions")
    depth = 0
    for before, token in pairwise([*tokens[:1], *tokens]):
        depth += (token.token_type in _DEEPER) - (token.token_type in _HIGHER)
        if depth > MAX_DEPTH:
            raise refusal(token, f"nested more than {MAX_DEPTH} deep")
        if (before.token_type, token.token_type) in _NOT_A_LIST:
            raise refusal(token, "a comma with nothing beside it")
    return [_as_meant(token) for before, token in pairwise([*tokens[:1], *tokens]) if _counts(before, token)]


def _counts(before: Token, token: Token) -> bool:
    """Leave out where a computed column is kept and how an index is made: no row shows it."""
    word = token.text.upper()
    stored = word in ("STORED", "VIRTUAL") and before.token_type is TokenType.R_PAREN
    return not stored and not (word == "CONCURRENTLY" and before.text.upper() == "INDEX")


def _as_meant(token: Token) -> Token:
    """Read INT8 as eight bytes, as PostgreSQL and MySQL do; the library takes it for eight bits."""
    if token.token_type is TokenType.TINYINT and token.text.upper() == "INT8":
        return Token(TokenType.BIGINT, "BIGINT", token.line, token.col, token.start, token.end)
    return token


def _naming_columns(tokens: list[Token]) -> list[Token]:
    """Write `DROP COLUMN a` for `DROP a`, which the library does not read."""
    found: list[Token] = []
    for before, token in pairwise([*tokens[:1], *tokens]):
        if before.token_type is TokenType.DROP and token.token_type in (TokenType.VAR, TokenType.IDENTIFIER):
            found.append(Token(TokenType.COLUMN, "COLUMN", token.line, token.col, token.start, token.end))
        found.append(token)
    return found


def _cut(tokens: list[Token]) -> Iterator[list[Token]]:
    begin = 0
    for index, token in enumerate(tokens):
        if token.token_type is TokenType.SEMICOLON:
            if begin < index:
                yield tokens[begin:index]
            begin = index + 1
    if begin < len(tokens):
        yield tokens[begin:]


def _columns_end(tokens: Sequence[Token]) -> int:
    """Return the index after the parenthesis that closes the columns."""
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if depth == 0 and token.token_type is TokenType.R_PAREN:
            return index + 1
    return len(tokens)


def _options(tokens: list[Token]) -> tuple[str, ...]:
    """Return what a table says after its columns, one text for each part between commas, comments left out."""
    kinds = [token.token_type for token in tokens]
    if tokens and kinds[0] in (TokenType.ALIAS, TokenType.SELECT):
        raise refusal(tokens[0], "a table made by a query: declare its columns")
    words = " ".join(f"'{token.text}'" if token.token_type is TokenType.STRING else token.text for token in tokens)
    words = re.sub(r"\bCOMMENT (?:= )?'[^']*'", "", words, flags=re.IGNORECASE)
    return tuple(sorted(part.strip().upper() for part in words.split(",") if part.strip()))


def _tree(parser: Parser, tokens: list[Token], text: str) -> Expression:
    first = tokens[0]
    try:
        (tree,) = parser.parse(tokens, text)
    except ParseError as error:
        said = error.errors[0] if error.errors else {}
        line, column = place(first)
        line, column = said.get("line") or line, (said.get("col") or column) - len(said.get("highlight") or " ") + 1
        raise refusal((line, max(1, column)), str(said.get("description") or error)[:_SHOWN]) from None
    except STUMBLES:
        raise refusal(first, "a statement that cannot be read") from None
    if not isinstance(tree, Expression):
        raise refusal(first, "a statement that cannot be read")
    return tree
