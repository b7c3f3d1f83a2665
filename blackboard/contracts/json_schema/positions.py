"""Line and column of a place in a JSON text."""

import json
import re
from collections.abc import Iterable, Sequence

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++')


def position(text: str, path: Sequence[str]) -> tuple[int, int]:
    """Return the 1-based line and column where the value at a path begins, (0, 0) where there is none.

    Args:
        text: A valid JSON text.
        path: Names of members and indices of items, from the root.
    """
    return positions(text, [tuple(path)]).get(tuple(path), (0, 0))


def positions(text: str, paths: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], tuple[int, int]]:
    """Return path -> line and column of the value there, for those of some paths that lead to one."""
    wanted = set(paths)
    deepest = max(map(len, wanted), default=0)
    found: dict[tuple[str, ...], tuple[int, int]] = {}
    names: list[str] = []
    objects: list[bool] = []
    line, counted = 1, 0
    for token in _TOKEN.finditer(text) if wanted else ():
        mark = token[0]
        if mark in "}]":
            objects.pop()
            names.pop()
        elif mark == ",":
            names[-1] = "" if objects[-1] else str(int(names[-1]) + 1)
        elif mark != ":" and objects and objects[-1] and not _after_colon(text, token.start()):
            names[-1] = json.loads(mark)
        elif mark != ":":
            if len(names) <= deepest and (path := tuple(names)) in wanted:
                line += text.count("\n", counted, token.start())
                counted = token.start()
                found[path] = line, counted - text.rfind("\n", 0, counted)
                wanted.remove(path)
                if not wanted:
                    break
            if mark in "{[":
                objects.append(mark == "{")
                names.append("" if mark == "{" else "0")
    return found


def _after_colon(text: str, index: int) -> bool:
    while index > 0 and text[index - 1] in " \t\r\n":
        index -= 1
    return index > 0 and text[index - 1] == ":"
