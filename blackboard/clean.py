r"""Text as it may reach a terminal: everything that is not seen, or that does something, is made visible.

Board text comes from models and strangers. An escape sequence could hide a line, a bidirectional override could turn
`int` around, a zero-width character could make two keys look alike. Nothing of it survives `clean`; what it returns
holds printable characters, spaces and (where lines are kept) line ends and tabs only. It never returns markup: who
prints it must print it literally (`render` makes `Text` of it, which is never parsed).
"""

import unicodedata

_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Control, format (bidi and zero-width among them), unassigned, private, surrogate, line and paragraph separators."""

_UNSEEN_RANGES = (
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian selectors
    (0x2800, 0x2800),  # Braille blank
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFFA0, 0xFFA0),  # half-width Hangul filler
    (0xE0100, 0xE01EF),  # variation selectors supplement
)
"""Letters, marks and symbols that take no ink."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def clean(text: str, *, lines: bool = False) -> str:
    r"""Return a text with every control, bidi and zero-width character shown as an escape.

    >>> clean("red \x1b[31m, turned \u202e, zero\u200bwidth, [bold]")
    'red \\x1b[31m, turned \\u202e, zero\\u200bwidth, [bold]'

    Args:
        text: What the board holds.
        lines: Keep line ends and tabs, for a text that is shown as a block.
    """
    kept = "\n\t" if lines else ""
    source = text.replace("\r\n", "\n") if lines else text
    if source.isascii() and source.isprintable():
        return source
    return "".join(one if one in kept or not _unseen(one) else _escape(one) for one in source)


def _unseen(character: str) -> bool:
    if unicodedata.category(character) in _UNSEEN_CATEGORIES:
        return True
    point = ord(character)
    return any(first <= point <= last for first, last in _UNSEEN_RANGES)


def _escape(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    point = ord(character)
    if point <= 0xFF:  # noqa: PLR2004 - the largest that \x can spell
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"  # noqa: PLR2004 - the largest for \u
