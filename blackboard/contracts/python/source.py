"""From a stub's text to its syntax tree, safely.

Whatever the text is, the answer is a tree or a typed error: never a crash of the parser, never a warning, never
minutes. Positions are 1-based and count characters.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from blackboard.contracts.python.grammar import Newer, with_newer, without_newer
from blackboard.errors import InvalidContract, TooLarge

LANGUAGE = "python"

Tree = TypeVar("Tree", ast.Module, ast.Expression)

# Why one version for all: a board written by a newer Python must be readable for an older one.
_GRAMMAR = (3, 11)

_NEWER = (
    "it is written in the grammar of Python 3.12 (type parameters or a `type` statement), and the checks run with "
    f"Python {sys.version_info[0]}.{sys.version_info[1]}: write TypeVar and TypeAlias, or run with Python 3.12"
)

MAX_CHARACTERS = 262_144
MAX_WORDS = 65_536
_WORD = re.compile(r"\w+|[^\w\s]")

_MAX_DOTTED_PARTS = 64
# Why before parsing: the parser needs memory that grows with the square of the parts of one dotted import.
_LONG_DOTTED_NAME = re.compile(
    rf"(?<![^\s.\\])(?:[^\s.\\]++(?:[ \t\f]|\\\r?\n)*+\.(?:[ \t\f]|\\\r?\n)*+){{{_MAX_DOTTED_PARTS}}}"
)
_MAX_MARKS = 1_000
# Why before parsing: an accented name is normalised, in time that grows with the square of the marks on one letter.
_MARKS = re.compile(r"(?:[^\w\s\x00-\x7f]|[\uff9e\uff9f])++")
# Why before parsing: each field of an f-string is looked for from the string's beginning.
_MAX_FIELD_STEPS = 50_000_000
_HAS_FIELDS = re.compile(r"\b(?:f|fr|rf)['\"]", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
_COMMENT_OR_STRING = re.compile(
    r"""\#[^\r\n]*+
      | (?P<prefix>\b[A-Za-z]{1,2})?
        (?: (?P<triple>'{3}|"{3}) (?:\\.|(?!(?P=triple)).)*+ (?:(?P=triple))?
          | (?P<single>'|")       (?:\\(?:\r\n|.)|(?!(?P=single))[^\r\n])*+ (?:(?P=single))? )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_KNOWN_ESCAPES = frozenset("\\'\"abfnrtvxNuU01234567\r\n")


@dataclass(frozen=True, slots=True)
class Source:
    """A stub's text and its tree."""

    text: str
    tree: ast.Module

    def refusal(self, node: ast.AST, why: str) -> InvalidContract:
        """Return the error for something in the tree that a stub may not hold."""
        line, column = position(self.text, node)
        return InvalidContract(LANGUAGE, why, line=line, column=column)


def position(text: str, node: ast.AST) -> tuple[int, int]:
    """Return line and column at which a part of the tree of a text begins, zeros where it has no place."""
    line = getattr(node, "lineno", 0)
    offset = getattr(node, "col_offset", 0)
    before = _line(text, line).encode()[:offset].decode(errors="ignore") if line else ""
    return line, len(before) + 1 if line else 0


def read(text: str, *, grammar: tuple[int, int] | int = _GRAMMAR) -> Source:
    """Read a stub.

    Args:
        text: The stub, or code.
        grammar: The version of Python whose grammar it is in; -1 is that of the Python that runs this.

    Raises:
        InvalidContract: It is not Python, or nested beyond what the parser takes.
    """
    text = text.removeprefix("\ufeff")
    text = _with_plain_backslashes(text)
    newer = without_newer(text) if grammar != -1 else Newer(text)
    try:
        parsed = _parsed(newer.text, lambda: with_newer(ast.parse(newer.text, feature_version=grammar), newer))
        return Source(text, parsed)
    except InvalidContract as error:
        if grammar == -1 and (newer := without_newer(text)).text != text:
            raise InvalidContract(LANGUAGE, _NEWER, line=error.line, column=error.column) from None
        raise


def parse_expression(text: str) -> ast.expr:
    """Read one expression, such as a type in quotes.

    Raises:
        InvalidContract: It is not Python, or nested beyond what the parser takes.
    """
    text = _with_plain_backslashes(text)
    return _parsed(text, lambda: ast.parse(text, mode="eval", feature_version=_GRAMMAR)).body


def count_words(text: str) -> int:
    """Return how many words and signs a text has, with which the cost of reading it grows.

    Those in strings and comments count too: there are fields of f-strings and types in quotes.
    """
    return sum(1 for _ in _WORD.finditer(text))


def check_size(text: str) -> None:
    """Refuse a stub that is larger than any that is read within a second.

    Raises:
        TooLarge: It has more than 262,144 characters, or 65,536 words.
    """
    if len(text) > MAX_CHARACTERS:
        raise TooLarge("stub", len(text), MAX_CHARACTERS, unit="characters")
    words = count_words(text)
    if words > MAX_WORDS:
        raise TooLarge("stub", words, MAX_WORDS, unit="words and signs")


def _parsed(text: str, parse: Callable[[], Tree]) -> Tree:
    _guard(text)
    try:
        return parse()
    except SyntaxError as error:
        line = error.lineno or 0
        column = min(max(error.offset or 1, 1), len(_line(text, line)) + 1) if line else 0
        raise InvalidContract(LANGUAGE, error.msg, line=line, column=column) from None
    except (RecursionError, MemoryError):
        raise InvalidContract(LANGUAGE, "nested too deeply") from None
    except ValueError as error:
        raise InvalidContract(LANGUAGE, str(error)) from None


def _guard(text: str) -> None:
    for index, why in _hostile(text):
        line, column = _position(text, index)
        raise InvalidContract(LANGUAGE, why, line=line, column=column)


def _hostile(text: str) -> Iterator[tuple[int, str]]:
    """Yield where a text holds what the parser would take minutes or gigabytes for, and what that is."""
    nul = text.find("\0")
    if nul >= 0:
        yield nul, "a NUL character"
    dotted = _LONG_DOTTED_NAME.search(text)
    if dotted:
        yield dotted.start(), f"a dotted name of more than {_MAX_DOTTED_PARTS} parts"
    for marks in () if text.isascii() else _MARKS.finditer(text):
        if len(marks[0]) > _MAX_MARKS:
            yield marks.start(), f"more than {_MAX_MARKS:,} marks in a row"
    steps = 0
    for found in _COMMENT_OR_STRING.finditer(text) if _HAS_FIELDS.search(text) else ():
        if "f" in (found["prefix"] or "").lower():
            steps += len(found[0]) * found[0].count("{")
            if steps > _MAX_FIELD_STEPS:
                yield found.start(), "f-strings with too many fields"


def _with_plain_backslashes(text: str) -> str:
    r"""Double each backslash that begins no escape sequence (`"\d"`), which is what Python takes it for.

    Why: the parser would warn, and whether a warning is an error is not the contract's business.
    """
    return _COMMENT_OR_STRING.sub(_doubled, text) if "\\" in text else text


def _doubled(found: re.Match[str]) -> str:
    literal = found[0]
    prefix = (found["prefix"] or "").lower()
    if "\\" not in literal or literal.startswith("#") or "r" in prefix:
        return literal
    known = _KNOWN_ESCAPES - frozenset("NuU") if "b" in prefix else _KNOWN_ESCAPES
    return _ESCAPE.sub(lambda escape: escape[0] if escape[1] in known else "\\" + escape[0], literal)


def _line(text: str, number: int) -> str:
    lines = _LINE_END.split(text, maxsplit=number)
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _position(text: str, index: int) -> tuple[int, int]:
    lines = _LINE_END.split(text[:index])
    return len(lines), len(lines[-1]) + 1
