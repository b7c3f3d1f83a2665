"""What a component's code is held to by a type checker, and what the checker says, in the words of the contract.

`judging` makes of a contract and files what syntax alone can tell, and a probe; `said` reads the output of the checker
run over all probes. The checker reads no configuration but ours (one beside the files could load plugins) and takes no
module of the folder for one of its own (`-I`). Inside the component it is believed where a function of the contract
returns what its own annotation does not allow; how code is typed otherwise is its author's business.
"""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from blackboard.contracts.finding import Finding
from blackboard.contracts.python.conform import find, findings, unseen, widened
from blackboard.contracts.python.interface import Declared, declared
from blackboard.contracts.python.modules import Module, Modules, bases
from blackboard.contracts.python.probe import UNSEEN, Line, probe
from blackboard.contracts.python.source import Source

_SETTING = "conformance_probe.ini"
COMMAND = (
    "-I",
    "-m",
    "mypy",
    f"--config-file={_SETTING}",
    "--cache-dir=/dev/null",
    "--explicit-package-bases",
    "--no-error-summary",
    "--no-color-output",
)
"""The arguments for Python that check the probes named after them."""

_SAID = re.compile(r"(?P<path>[^:\n]+):(?P<line>\d+): (?P<kind>error|note): (?P<text>.*?)(?:  \[(?P<code>[a-z-]+)\])?$")
_GOT = re.compile(r'got "(?P<got>.*)", expected "')
_CONFLICT = re.compile(r'\w+: expected ".*", got "(?P<got>.*)"$')
_OF_BODIES = frozenset({"return-value", "return", "empty-body"})
_YIELDS = 'Incompatible types in "yield'
_SILENT = re.compile(r"#(\s*)(type:\s*ignore|mypy:)")


@dataclass(frozen=True, slots=True)
class Judging:
    """How some files are held against one contract.

    Attributes:
        found: What syntax alone tells.
        path: Of the probe in the folder of the files.
        lines: Of the probe; none where there is nothing that a type checker could say.
        places: Facet -> file and line where the component has it.
        declares: Facet -> what the contract says of it.
        unseen: Facet -> why it is missing where the checker sees nothing of it.
        bodies: (file, first line, last line, facet) of the functions that the contract declares.
        widened: The contract with what its enumerations have in the component beside what it declares.
        more: Facet of that -> what is wrong where the contract hands it to its users.
    """

    found: tuple[Finding, ...]
    path: str
    lines: tuple[Line, ...]
    places: Mapping[str, tuple[str, int]]
    declares: Mapping[str, str]
    unseen: Mapping[str, str]
    bodies: tuple[tuple[str, int, int, str], ...]
    widened: str
    more: Mapping[str, Finding]

    @property
    def text(self) -> str:
        """The probe."""
        return "".join(f"{line}\n" for line, _ in self.lines)


def judging(
    source: Source, files: Mapping[str, str], *, facets: Collection[str] | None = None, number: int = 0
) -> Judging:
    """Return how files are held against a contract.

    Args:
        source: The contract.
        files: path -> text of the component's files.
        facets: Those that it is held against, all if None.
        number: Of the contract among those that are looked at together.
    """
    modules = Modules.of(files, begins=bases(files))
    whole = declared(source.tree)
    found = [one for one in whole if facets is None or one.path in facets]
    holders = modules.holders(one.name for one in whole if one.owner is None)
    different = findings(found, holders, modules)
    held = {name: one[0] for name, one in holders.items() if len(one) == 1 and one[0].name is not None}
    names = {name: str(module.name) for name, module in held.items() if name not in different}
    path = f"conformance_probe_{number}.py"
    while path in files:
        path = f"_{path}"
    places: dict[str, tuple[str, int]] = {}
    bodies: list[tuple[str, int, int, str]] = []
    for one in found:
        module = held.get(one.path.partition(".")[0])
        if module is not None:
            places[one.path] = (module.path, _line(module, one))
            node = find(module, one.path)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                bodies.append((module.path, node.lineno, node.end_lineno or node.lineno, one.path))
    unread = (Finding(path, line, f"it cannot be read: {why}") for path, (line, why) in modules.unread.items())
    skipped = {one.path for one in whole} - {one.path for one in found}
    hidden = unseen(found, held, modules)
    lines = probe(source, names, without={*different, *skipped}, unseen=hidden) if names else ()
    declares = {one.path: one.said for one in found}
    more = widened(source.text, found, held)
    return Judging((*unread, *different.values()), path, lines, places, declares, hidden, tuple(bodies), *more)


def beside(files: Mapping[str, str]) -> dict[str, str]:
    """Return path -> text of what the checker reads beside the probes.

    That is its configuration, which says where imports begin, and the code that silences it by comments, without what
    silences it.
    """
    code = {path: text for path, text in files.items() if path.endswith(".py") and _SILENT.search(text)}
    setting = f"[mypy]\nmypy_path = {':'.join(bases(files))}\n"
    return {_SETTING: setting, **{path: _SILENT.sub(r"#\1", text) for path, text in code.items()}}


def said(output: str, judgings: Iterable[Judging]) -> tuple[Finding, ...]:
    """Return what the checker's output says of the component, each facet once."""
    by_path = {one.path: one for one in judgings}
    bodies = [body for one in by_path.values() for body in one.bodies]
    found: dict[tuple[str, str], Finding] = {}
    for path, line, text, code, notes in _entries(output.splitlines()):
        judged = by_path.get(path)
        if judged is not None:
            facet = judged.lines[line - 1][1] if 0 < line <= len(judged.lines) else ""
            if facet:
                file, place = judged.places[facet]
                unheld = f"is missing: {judged.unseen.get(facet)}; define it in {facet.rpartition('.')[0]}"
                reason = unheld if code == UNSEEN else _reason(text, notes)
                what = f"by the contract `{judged.declares[facet]}`, but {facet} {reason}"
                found.setdefault((file, facet), Finding(file, place, what))
        elif code in _OF_BODIES or text.startswith(_YIELDS):
            for file, first, last, facet in bodies:
                if file == path and first <= line <= last:
                    found.setdefault((f"{file}:{line}", facet), Finding(file, line, f"{facet}: {text}"))
    return tuple(dict.fromkeys(found.values()))


def _line(module: Module, one: Declared) -> int:
    """Return the line where a module has a facet, or what the facet is part of."""
    path = one.path
    while path:
        node = find(module, path)
        if node is not None:
            return node.lineno
        path = path.rpartition(".")[0]
    bound = module.bound.get(one.path.partition(".")[0], ())
    return bound[-1].lineno if bound else 0


def _entries(lines: Sequence[str]) -> Iterator[tuple[str, int, str, str, list[str]]]:
    """Yield (file, line, text, code, notes) of each error."""
    entry: tuple[str, int, str, str, list[str]] | None = None
    for match in filter(None, map(_SAID.match, lines)):
        if match["kind"] == "error":
            if entry is not None:
                yield entry
            entry = (match["path"], int(match["line"]), match["text"], match["code"] or "", [])
        elif entry is not None and entry[:2] == (match["path"], int(match["line"])):
            entry[4].append(match["text"].strip())
    if entry is not None:
        yield entry


def _reason(text: str, notes: Sequence[str]) -> str:
    """Return what the component has instead, as the checker says it."""
    if "Got:" in notes:
        got = " ".join(notes[notes.index("Got:") + 1 :])
        return f"is `{got.partition(' <')[0]}`"
    if "concrete class" in text:
        return "is abstract here, and cannot be made"
    conflict = next(filter(None, map(_CONFLICT.match, notes)), None) or _GOT.search(text)
    return f"is `{conflict['got']}`" if conflict else f"differs: {text}"
