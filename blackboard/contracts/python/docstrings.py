"""The one part of a docstring that is agreed about: what a function raises.

Raises:
    NotFound: No note has this id.
    KeyError, ValueError: …
"""

import re
from collections.abc import Iterable

_HEADING = re.compile(r"(?P<indent>[ \t]*)Raises:(?P<rest>.*)")
_NAME = r"`{0,2}~?[^\W\d]\w*(?:\.[^\W\d]\w*)*`{0,2}"
_ENTRY = re.compile(rf"(?P<names>{_NAME}(?:(?:\s*,\s*(?:or\s+)?|\s+or\s+){_NAME})*)\s*(?::|$)")
_SEPARATOR = re.compile(r"[\s,]+(?:or\s+)?")


def raises(docstring: str | None) -> tuple[str, ...]:
    """Return the names under `Raises:`, as written, in order.

    Args:
        docstring: The docstring without its common indentation, None where there is none.
    """
    names: list[str] = []
    lines = (docstring or "").expandtabs().split("\n")
    for number, line in enumerate(lines):
        heading = _HEADING.fullmatch(line)
        if heading is None:
            continue
        beside = heading["rest"].strip()
        # The first line has lost its indentation, so what is below it may have none left either.
        margin = len(heading["indent"]) if number else -1
        below = (lines[later] for later in range(number + 1, len(lines)))
        names += [name for entry in ([beside] if beside else _entries(below, margin)) for name in _names(entry)]
    return tuple(names)


def _entries(lines: Iterable[str], margin: int) -> list[str]:
    """Return the lines of a section's first level; what is indented deeper continues an entry."""
    entries: list[str] = []
    level = margin + 1
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            continue
        if indent < level:
            break
        level = level if entries else indent
        if indent == level:
            entries.append(line.strip())
    return entries


def _names(entry: str) -> list[str]:
    found = _ENTRY.match(entry)
    if found is None:
        return []
    return [name.strip("`").removeprefix("~") for name in _SEPARATOR.split(found["names"])]
