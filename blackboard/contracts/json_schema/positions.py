"""Line and column of a place in a JSON text."""

import json
import re
from collections.abc import Sequence

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++')


def position(text: str, path: Sequence[str]) -> tuple[int, int]:
    """Return the 1-based line and column where the value at a path begins, (0, 0) where there is none.

    Args:
        text: A valid JSON text.
        path: Names of members and indices of items, from the root.
    """
    wanted = tuple(path)
    names: list[str] = []
    objects: list[bool] = []
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "}]":
            objects.pop()
            names.pop()
        elif mark == ",":
            names[-1] = "" if objects[-1] else str(int(names[-1]) + 1)
        elif mark != ":" and objects and objects[-1] and not _after_colon(text, token.start()):
            names[-1] = json.loads(mark)
        elif mark != ":":
            if len(names) == len(wanted) and tuple(names) == wanted:
                return _line_and_column(text, token.start())
            if mark in "{[":
                objects.append(mark == "{")
                names.append("" if mark == "{" else "0")
    return 0, 0


def _after_colon(text: str, index: int) -> bool:
    while index > 0 and text[index - 1] in " \t\r\n":
        index -= 1
    return index > 0 and text[index - 1] == ":"


def _line_and_column(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
