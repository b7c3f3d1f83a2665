"""How the model writes files: contracts with bodies, an entry point, and tests."""

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Template

from shown.meanings import Meaning, names_in, understood

_STANDARD = {
    "Counter": "from collections import Counter",
    "Path": "from pathlib import Path",
    "json": "import json",
    "re": "import re",
    "sys": "import sys",
}
_NOTHING = {"None": "return None", "str": 'return ""', "int": "return 0", "bool": "return False", "list": "return []"}


@dataclass(frozen=True, slots=True)
class Used:
    """What a contract declares, as code names it, and the module that the model imports it from.

    Attributes:
        module: "" where nothing is imported: it stands in the same file, or is a method.
        name: Of the function, class or method; of `__init__` that of its class.
    """

    module: str
    name: str


def functions(stub: str | ast.Module) -> list[tuple[str, ast.FunctionDef]]:
    """Return the functions of a stub, each with the class that it is a method of, "" for none."""
    body = (ast.parse(stub) if isinstance(stub, str) else stub).body
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    methods = [(one.name, node) for one in classes for node in one.body if isinstance(node, ast.FunctionDef)]
    return [("", node) for node in body if isinstance(node, ast.FunctionDef)] + methods


def callable_by(stub: str, module: str) -> dict[str, Used]:
    """Return how sentences call what a contract declares -> what it is, as far as docstrings say what that does."""
    classes = [node for node in ast.parse(stub).body if isinstance(node, ast.ClassDef)]
    declared = [(node, Used(module, node.name)) for node in classes]
    for owner, node in functions(stub):
        made = Used(module, owner) if node.name == "__init__" else Used("" if owner else module, node.name)
        declared.append((node, made))
    return {
        meaning.called: used
        for node, used in declared
        for meaning in understood(ast.get_docstring(node) or "")
        if meaning.called
    }


def module_text(stub: str, also: str, known: Mapping[str, Used], *, by_docstrings: bool = True) -> str:
    """Return a contract with bodies.

    Args:
        stub: The contract.
        also: Other sentences that hold for all its functions.
        known: How sentences call what is used -> what it is.
        by_docstrings: Whether the sentences of the contract count.
    """
    tree = ast.parse(stub)
    known = {**known, **callable_by(stub, "")}
    bodies = []
    for owner, function in functions(tree):
        said = ast.get_docstring(function) or ""
        lines = _body(function, understood(f"{said} {also}" if by_docstrings else ""))
        bodies.append(_filled(lines, _parameters(function, is_method=bool(owner)), known))
        keeps = function.body[:1] if said else []
        function.body = [*keeps, *ast.parse(bodies[-1]).body]
    ast.fix_missing_locations(tree)
    return _after_imports(ast.unparse(tree), _imports("\n".join(bodies), "", known))


def program_text(summary: str, known: Mapping[str, Used], *, answers_help: bool) -> str:
    """Return an entry point that does what the sentences of a task say."""
    code = _in_order(understood(summary))
    helps = ['if "--help" in sys.argv:', '    print("usage: see the task")', "    sys.exit()"] if answers_help else []
    body = "\n".join([*helps, "arguments = sys.argv[1:]", _filled(code, {}, known)])
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    return f'{_imports(body, code, known)}\n\nif __name__ == "__main__":\n{indented}\n'


def tests_text(examples: Sequence[tuple[str, str]], modules: Iterable[str], command: list[str], *, style: str) -> str:
    """Return tests that make the calls of examples.

    Args:
        examples: Calls, each with what it gives.
        modules: Those that the calls may name.
        command: That starts the program.
        style: The library of the tests, `unittest` or `pytest`.
    """
    called = {module for module in modules for call, _ in examples if f"{module}." in call}
    head = [f"import {module}" for module in sorted(called)]
    head += [_RUN.replace("COMMAND", repr(command))] if command else []
    if style == "unittest":
        tests = ["import unittest", "", "", "class Examples(unittest.TestCase):"]
        tests += [f"    def test_{n}(self):\n        self.assertEqual({a}, {b})\n" for n, (a, b) in enumerate(examples)]
    else:
        tests = [f"def test_{n}():\n    assert {a} == {b}\n" for n, (a, b) in enumerate(examples)]
    return "\n".join([*head, *tests])


_RUN = '''\
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def run(*calls, files=()):
    """Start the program once for each call, all in one new folder; return status and output of the last."""
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    with tempfile.TemporaryDirectory() as folder:
        for path, text in dict(files).items():
            Path(folder, path).write_text(text)
        for call in calls:
            command = [sys.executable, *COMMAND[1:], *call]
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout

'''


def examples_of(said: str, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the examples of the sentences in a text: calls, each with what it gives.

    Args:
        said: The text.
        names: What examples call something -> how code names it.
    """
    found = (meaning.example for meaning in understood(said) if meaning.example)
    return [(Template(call).substitute(names), gives) for call, gives in found]


def _in_order(meanings: Iterable[Meaning]) -> str:
    ranked = [(rank, lines) for meaning in meanings for rank, lines in meaning.code.items()]
    return "\n".join(lines for _, lines in sorted(ranked, key=lambda one: one[0]))


def _body(function: ast.FunctionDef, meanings: Iterable[Meaning]) -> str:
    """Return what a function does; one of which the model understands nothing returns a value of its type."""
    returned = "None" if function.returns is None else ast.unparse(function.returns)
    return _in_order(meanings) or _NOTHING.get(returned.partition("[")[0], "return None")


def _parameters(function: ast.FunctionDef, *, is_method: bool) -> dict[str, str]:
    given = [one.arg for one in function.args.args]
    names = dict(zip(("first", "second"), given[is_method:], strict=False))
    result = re.findall(r"\w+", ast.unparse(function.returns) if function.returns else "")
    return {**names, "result": result[-1] if result else "object"}


def _filled(code: str, names: Mapping[str, str], known: Mapping[str, Used]) -> str:
    return Template(code).substitute({**{name: name for name in names_in(code)}, **_called(known), **names})


def _called(known: Mapping[str, Used]) -> dict[str, str]:
    return {called: used.name for called, used in known.items()}


def _imports(filled: str, code: str, known: Mapping[str, Used]) -> str:
    standard = {line for name, line in _STANDARD.items() if re.search(rf"\b{name}\b", filled)}
    own = {
        f"from {one.module} import {one.name}"
        for called, one in known.items()
        if one.module and called in names_in(code)
    }
    return "\n".join(sorted(standard) + sorted(own))


def _after_imports(text: str, imports: str) -> str:
    """Put imports behind the docstring of a module, where it has one."""
    tree = ast.parse(text)
    lines = text.splitlines()
    end = tree.body[0].end_lineno if ast.get_docstring(tree) is not None else 0
    return "\n".join([*lines[:end], imports, *lines[end:], ""])
