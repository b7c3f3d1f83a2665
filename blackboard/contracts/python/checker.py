"""What a component's code is held to by a type checker, and what the checker says, in the words of the contract.

`judging` makes of a contract and files what syntax alone can tell, and a probe; `said` reads the output of the checker
run over all probes. The checker reads no configuration but ours (one beside the files could load plugins) and takes no
module of the folder for one of its own (`-I`). Inside the component it is believed where a function of the contract
returns what is not allowed, by its own annotation or where it has none by the contract, and where the name of a
function or class is given something else; how code is typed otherwise is its author's business.
"""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from blackboard.contracts.finding import Finding
from blackboard.contracts.python.conform import find, findings, unseen, widened
from blackboard.contracts.python.interface import Declared, FunctionNode, declared, members, shapes
from blackboard.contracts.python.laid import SETTING, Body
from blackboard.contracts.python.modules import Module, Modules
from blackboard.contracts.python.probe import UNSEEN, Line, probe, result_of
from blackboard.contracts.python.source import Source

COMMAND = (
    "-I",
    "-m",
    "mypy",
    f"--config-file={SETTING}",
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
_OF_GENERATORS = re.compile(r'Incompatible types in "yield|The return type of an? (?:async )?generator')
_INVARIANT = "is invariant"
_ENDS = "Missing return statement"


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
        bodies: The functions that the contract declares.
        bound: (file, line) of a statement that gives the name of a function or class a value -> facet.
        widened: The contract with what its enumerations have in the component beside what it declares.
        more: Facet of that -> what is wrong where the contract hands it to its users.
    """

    found: tuple[Finding, ...]
    path: str
    lines: tuple[Line, ...]
    places: Mapping[str, tuple[str, int]]
    declares: Mapping[str, str]
    unseen: Mapping[str, str]
    bodies: tuple[Body, ...]
    bound: Mapping[tuple[str, int], str]
    widened: str
    more: Mapping[str, Finding]

    @property
    def text(self) -> str:
        """The probe."""
        return "".join(f"{line}\n" for line, _ in self.lines)


def judging(source: Source, modules: Modules, *, facets: Collection[str] | None = None, number: int = 0) -> Judging:
    """Return how files are held against a contract.

    Args:
        source: The contract.
        modules: The component's files.
        facets: Those that it is held against, all if None.
        number: Of the contract among those that are looked at together.
    """
    # Why without it: of which module of a component `*` is taken, nobody can tell.
    whole = [one for one in declared(source.tree) if one.path != "__all__"]
    tops = [one.name for one in whole if one.owner is None]
    holders, own = modules.holders(tops), shapes(one.node for one in whole if one.owner is None)
    whole = [one for one in whole if (top := one.path.partition(".")[0]) not in own or holders[top]]
    found = [one for one in whole if facets is None or one.path in facets]
    different = findings(found, holders, modules)
    held = {name: one[0] for name, one in holders.items() if len(one) == 1 and one[0].name is not None}
    names = {name: str(module.name) for name, module in held.items() if name not in different}
    path, taken = f"conformance_probe_{number}.py", {*modules.unread, *(module.path for module in modules.found)}
    while path in taken:
        path = f"_{path}"
    unread = (Finding(path, line, f"it cannot be read: {why}") for path, (line, why) in modules.unread.items())
    skipped = {one.path for one in whole} - {one.path for one in found}
    hidden = unseen(found, held, modules)
    lines = probe(source, names, without={*different, *skipped}, unseen=hidden) if names else ()
    places = {one.path: (module.path, _line(module, one)) for one, module in _placed(found, held)}
    results = {line.partition(":")[0] for line, _ in lines}
    bodies = tuple(
        Body(module, node, one.path, path, result if (result := result_of(one.path)) in results else "", one.node)
        for one, module in _placed(found, held)
        if isinstance(node := find(module, one.path), FunctionNode)
    )
    bound = {at: one.path for one, module in _placed(found, held) for at in _bound(one, module)}
    declares = {one.path: one.said for one in found}
    more = widened(source.text, found, held)
    return Judging((*unread, *different.values()), path, lines, places, declares, hidden, bodies, bound, *more)


def _placed(found: Iterable[Declared], held: Mapping[str, Module]) -> Iterator[tuple[Declared, Module]]:
    """Yield what is declared and the module that holds it."""
    return ((one, held[name]) for one in found if (name := one.path.partition(".")[0]) in held)


def _bound(one: Declared, module: Module) -> Iterator[tuple[str, int]]:
    """Yield where a name that the contract gives a function or class is given a value."""
    owner, _, name = one.path.rpartition(".")
    within = find(module, owner) if owner else None
    found = members(within).get(name, ()) if isinstance(within, ast.ClassDef) else module.bound.get(one.path, ())
    if isinstance(one.node, FunctionNode | ast.ClassDef):
        yield from ((module.path, node.lineno) for node in found if isinstance(node, ast.Assign | ast.AnnAssign))


def said(output: str, judgings: Iterable[Judging]) -> tuple[Finding, ...]:
    """Return what the checker's output says of the component, each facet once."""
    by_path = {one.path: one for one in judgings}
    bodies = [body for one in by_path.values() for body in one.bodies]
    bound = {at: facet for one in by_path.values() for at, facet in one.bound.items()}
    found: dict[tuple[str, str], Finding] = {}
    for path, line, text, code, notes in entries(output.splitlines()):
        judged = by_path.get(path)
        if judged is not None:
            facet = judged.lines[line - 1][1] if 0 < line <= len(judged.lines) else ""
            if facet:
                file, place = judged.places[facet]
                unheld = f"is missing: {judged.unseen.get(facet)}; define it in {facet.rpartition('.')[0]}"
                reason = unheld if code == UNSEEN else _reason(text, notes)
                what = f"by the contract `{judged.declares[facet]}`, but {facet} {reason}"
                found.setdefault((file, facet), Finding(file, place, what))
        elif code in _OF_BODIES or _OF_GENERATORS.match(text):
            for body in bodies:
                if body.holds(path, line) and not (
                    (body.is_given and any(_INVARIANT in note for note in notes))
                    or (text == _ENDS and body.may_return_none)
                ):
                    found.setdefault((f"{path}:{line}", body.facet), Finding(path, line, f"{body.facet}: {text}"))
        elif code == "assignment" and (path, line) in bound:
            found.setdefault((path, bound[path, line]), Finding(path, line, f"{bound[path, line]}: {text}"))
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


def entries(lines: Sequence[str]) -> Iterator[tuple[str, int, str, str, list[str]]]:
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
