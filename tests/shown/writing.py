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
    """A function that a contract declares, and the module that the model imports it from."""

    module: str
    name: str


def functions(stub: str) -> list[ast.FunctionDef]:
    """Return the functions of a stub."""
    return [node for node in ast.parse(stub).body if isinstance(node, ast.FunctionDef)]


def callable_by(stub: str, module: str) -> dict[str, Used]:
    """Return how sentences call the functions of a contract -> what they are, as far as docstrings say what they do."""
    return {
        meaning.called: Used(module, function.name)
        for function in functions(stub)
        for meaning in understood(ast.get_docstring(function) or "")
        if meaning.called
    }


def module_text(stub: str, also: str, known: Mapping[str, Used], *, by_docstrings: bool = True) -> str:
    """Return a contract with bodies.

    Args:
        stub: The contract.
        also: Other sentences that hold for all its functions.
        known: How sentences call functions -> what they are.
        by_docstrings: Whether the sentences of the contract count.
    """
    tree = ast.parse(stub)
    bodies = []
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        said = ast.get_docstring(function) or ""
        lines = _body(function, understood(f"{said} {also}" if by_docstrings else ""))
        bodies.append(_filled(lines, _parameters(function), known))
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


def tests_text(subjects: Sequence[tuple[Used, str]], summary: str, command: list[str], *, style: str) -> str:
    """Return tests that make the example call of every sentence that has one.

    Args:
        subjects: The functions, each with the sentences about it.
        summary: Of the task.
        command: That starts the program.
        style: The library of the tests, `unittest` or `pytest`.
    """
    calls = [
        (Template(call).safe_substitute(it=f"{used.module}.{used.name}"), gives)
        for used, said in subjects
        for call, gives in _examples(said)
    ]
    calls += _examples(summary) if command else []
    imports = sorted({f"import {used.module}" for used, said in subjects if _examples(said)})
    head = [*imports, *([_RUN.replace("COMMAND", repr(command))] if command else [])]
    if style == "unittest":
        tests = ["import unittest", "", "", "class Examples(unittest.TestCase):"]
        tests += [f"    def test_{n}(self):\n        self.assertEqual({a}, {b})\n" for n, (a, b) in enumerate(calls)]
    else:
        tests = [f"def test_{n}():\n    assert {a} == {b}\n" for n, (a, b) in enumerate(calls)]
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


def _examples(said: str) -> list[tuple[str, str]]:
    return [meaning.example for meaning in understood(said) if meaning.example]


def _in_order(meanings: Iterable[Meaning]) -> str:
    ranked = [(rank, lines) for meaning in meanings for rank, lines in meaning.code.items()]
    return "\n".join(lines for _, lines in sorted(ranked, key=lambda one: one[0]))


def _body(function: ast.FunctionDef, meanings: Iterable[Meaning]) -> str:
    """Return what a function does; one of which the model understands nothing returns a value of its type."""
    returned = "None" if function.returns is None else ast.unparse(function.returns)
    return _in_order(meanings) or _NOTHING.get(returned.partition("[")[0], "return None")


def _parameters(function: ast.FunctionDef) -> dict[str, str]:
    names = dict(zip(("first", "second"), (one.arg for one in function.args.args), strict=False))
    result = re.findall(r"\w+", ast.unparse(function.returns) if function.returns else "")
    return {**names, "result": result[-1] if result else "object"}


def _filled(code: str, names: Mapping[str, str], known: Mapping[str, Used]) -> str:
    return Template(code).substitute({**{name: name for name in names_in(code)}, **_called(known), **names})


def _called(known: Mapping[str, Used]) -> dict[str, str]:
    return {called: used.name for called, used in known.items()}


def _imports(filled: str, code: str, known: Mapping[str, Used]) -> str:
    standard = {line for name, line in _STANDARD.items() if re.search(rf"\b{name}\b", filled)}
    own = {f"from {one.module} import {one.name}" for called, one in known.items() if called in names_in(code)}
    return "\n".join(sorted(standard) + sorted(own))


def _after_imports(text: str, imports: str) -> str:
    """Put imports behind the docstring of a module, where it has one."""
    tree = ast.parse(text)
    lines = text.splitlines()
    end = tree.body[0].end_lineno if ast.get_docstring(tree) is not None else 0
    return "\n".join([*lines[:end], imports, *lines[end:], ""])
