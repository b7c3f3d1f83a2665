"""Which module a Python contract describes.

The docstring of the stub may say it in a line of its own, `module: notes.storage`. Without one it is the last segment
of the decision's key: `api/storage` is `storage`. In a segment that is no Python name, each `-` and `.` becomes `_`; a
`_` is put before a digit at the beginning and after a keyword.
"""

import ast
import keyword
import re

from blackboard.contracts.python.source import LANGUAGE
from blackboard.errors import InvalidContract

FACET = "__module__"
"""The facet of a stub's docstring: the module that it states, and the sentences that document the whole."""

_LINE = re.compile(r"^[ \t]*module[ \t]*:[ \t]*(?P<name>.*?)[ \t]*$", re.MULTILINE)


def stated_module(tree: ast.Module) -> str | None:
    """Return the dotted name that the docstring of a stub states, None where it states none.

    Raises:
        InvalidContract: There are two such lines, or one of them names no module.
    """
    names = [found["name"] for found in _LINE.finditer(ast.get_docstring(tree) or "")]
    if len(names) > 1:
        raise InvalidContract(LANGUAGE, "two `module:` lines: a contract describes one module", line=1, column=1)
    for name in names:
        if not all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split(".")):
            raise InvalidContract(
                LANGUAGE,
                f"`module: {name[:80]}` names no module: write a dotted name such as notes.storage",
                line=1,
                column=1,
            )
    return names[0] if names else None


def without_module(docstring: str) -> str:
    """Return the docstring of a stub without the line that states its module."""
    return _LINE.sub("", docstring)


def module_of_key(key: str) -> str:
    """Return the module that a contract describes which states none, from the key of its decision."""
    name = re.sub(r"[-.]", "_", key.rpartition("/")[2])
    return f"_{name}" if name[:1].isdigit() else f"{name}_" if keyword.iskeyword(name) else name
