"""Code against a contract by syntax alone: what a type checker misses.

Missing names, other parameters, other defaults, other values, `Raises:`. Types are left to `probe`. What is decorated
by something unknown, or bound in another way than by `def`, `class` or a literal, is not judged here. Extra names,
extra optional parameters and everything that accepts more than the contract asks for conform.
"""

import ast
import builtins
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from functools import cache

from blackboard.contracts.finding import Finding
from blackboard.contracts.python.docstrings import raises
from blackboard.contracts.python.interface import (
    ENUMS,
    Declared,
    FunctionNode,
    decorators,
    is_awaited,
    is_operator,
    last_name,
    members,
)
from blackboard.contracts.python.modules import Module, Modules

_KEEPING_PARAMETERS = frozenset(
    """
    abstractmethod asynccontextmanager cache classmethod contextmanager deprecated final lru_cache override staticmethod
    wraps
    """.split()  # noqa: SIM905 -- a word list is read more easily than a list of words
)
_FAULTS = frozenset({"AssertionError", "NotImplementedError"})
"""What says that the program itself is wrong belongs to no contract."""


Holders = Mapping[str, Sequence[Module]]
"""Name of a contract -> the modules that hold it, as `Modules.holders` returns it."""


def findings(found: Sequence[Declared], holders: Holders, modules: Modules) -> dict[str, Finding]:
    """Return facet -> what is not as the contract says it, for those of which syntax can tell."""
    return dict(_findings(found, holders, modules))


def _findings(found: Sequence[Declared], holders: Holders, modules: Modules) -> Iterator[tuple[str, Finding]]:
    for one in found:
        if one.owner is not None:
            continue
        held = holders[one.name]
        if len(held) != 1:
            yield one.path, _unheld(one, held, modules)
        elif held[0].name is None:
            yield one.path, Finding(held[0].path, 0, f"it holds {one.path} and no import can name it; rename the file")
    for one in found:
        module = next(iter(holders.get(one.path.partition(".")[0], ())), None)
        node = None if module is None else find(module, one.path)
        if module is not None and node is not None:
            yield from ((one.path, Finding(module.path, line, what)) for line, what in _differing(one, node, module))
    yield from _replaced({one.path: one for one in found if isinstance(one.node, FunctionNode) and one.owner}, modules)


def _replaced(methods: Mapping[str, Declared], modules: Modules) -> Iterator[tuple[str, Finding]]:
    """Yield the methods that code, when it is imported, puts something else in the place of."""
    for module in modules.found:
        pending: list[ast.AST] = [module.tree]
        while pending:
            match statement := pending.pop():
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    continue
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=of), attr=str(name))]):
                    pass
                case ast.Expr(
                    value=ast.Call(
                        func=ast.Name(id="setattr"), args=[ast.Name(id=of), ast.Constant(value=str(name)), *_]
                    )
                ):
                    pass
                case _:
                    inner = (*getattr(statement, "body", ()), *getattr(statement, "orelse", ()))
                    pending += [one for one in inner if isinstance(one, ast.stmt)]
                    continue
            if of in module.bound and (path := f"{of}.{name}") in methods:
                what = f"by the contract `{methods[path].said}`, but {path} is replaced here; define it in {of}"
                yield path, Finding(module.path, statement.lineno, what)


def find(module: Module, path: str) -> ast.stmt | None:
    """Return the last statement in a module that defines a name, or a member of a class in the class' own body."""
    first, *rest = path.split(".")
    bound = [one for one in module.bound.get(first, ()) if not isinstance(one, ast.Import | ast.ImportFrom)]
    node = bound[-1] if bound else None
    for name in rest:
        node = members(node).get(name, (None,))[-1] if isinstance(node, ast.ClassDef) else None
    return node


def _unheld(one: Declared, held: Sequence[Module], modules: Modules) -> Finding:
    where = next(iter(sorted([*(module.path for module in modules.found), *modules.unread])), "(no file)")
    if held:
        paths = " and ".join(module.path for module in held)
        what = f"{one.path} is in {paths}, and neither holds more of the contract: define it in one of them"
        return Finding(held[0].path, held[0].bound[one.name][-1].lineno, what)
    return Finding(where, 0, f"{one.path} is missing: by the contract `{one.said}` is in a module of the component")


def _differing(one: Declared, node: ast.stmt, module: Module) -> Iterator[tuple[int, str]]:
    """Yield (line, what) for what differs at one facet, at most one."""
    declares = one.node
    if isinstance(declares, FunctionNode):
        if len(one.nodes) == 1 and isinstance(node, FunctionNode):
            what = _call(declares, node) or _raising(declares, node, module)
            if what:
                yield node.lineno, f"by the contract `{one.said}`, but {one.path} {what}"
    elif isinstance(declares, ast.ClassDef):
        if not isinstance(node, ast.ClassDef) and _is_plain(node):
            yield node.lineno, f"by the contract {one.path} is a class"
        elif isinstance(node, ast.ClassDef) and _is_hashed(declares) and _is_unhashed(node):
            yield node.lineno, f"by the contract instances of {one.path} are hashable, but here they are not"
    elif isinstance(declares, ast.Assign | ast.AnnAssign) and isinstance(node, ast.Assign | ast.AnnAssign):
        wanted, given = _literal(declares.value), _literal(_set(one, node.value, module))
        if wanted is not None and given is not None and wanted != given:
            yield node.lineno, f"by the contract `{one.said}`, but {one.path} is {given}"


def _set(one: Declared, value: ast.expr | None, module: Module) -> ast.expr | None:
    """Return what a name is set to: by default, where a field is described, or by an enumeration's own count."""
    if last_name(value) == "field" and isinstance(value, ast.Call):
        return next((word.value for word in value.keywords if word.arg == "default"), None)
    own = find(module, one.path.rpartition(".")[0])
    wanted = one.node.value if isinstance(one.node, ast.Assign | ast.AnnAssign) else None
    if last_name(value) == "auto" and isinstance(own, ast.ClassDef) and isinstance(wanted, ast.Constant):
        counted = wanted.value if isinstance(wanted.value, int) else 1
        return ast.Constant(one.name.lower() if "StrEnum" in map(last_name, own.bases) else counted)
    return value


def _is_hashed(node: ast.ClassDef) -> bool:
    """Say whether a class promises that its instances are hashable."""
    return "__hash__" in members(node) or "frozen" in _switched_on(node)


def _is_unhashed(node: ast.ClassDef) -> bool:
    """Say whether a class compares its instances and says nothing of their hash."""
    own, on = members(node), _switched_on(node)
    compares = "__eq__" in own or ("dataclass" in decorators(node) and "eq" in on)
    return compares and "__hash__" not in own and not {"frozen", "unsafe_hash"} & on


def _switched_on(node: ast.ClassDef) -> set[str]:
    """Return what the decorator `dataclass` of a class switches on; `eq` is on unless it is switched off."""
    calls = [one for one in node.decorator_list if isinstance(one, ast.Call) and last_name(one) == "dataclass"]
    said = {str(word.arg): word.value for one in calls for word in one.keywords}
    on = {name for name, value in said.items() if not (isinstance(value, ast.Constant) and not value.value)}
    return on | {"eq"} - said.keys()


def widened(text: str, found: Sequence[Declared], modules: Mapping[str, Module]) -> tuple[str, dict[str, Finding]]:
    """Return a contract with the values that code has beside those of its enumerations, and facet -> what says so.

    Args:
        text: The contract.
        found: What it declares.
        modules: Name of the contract -> the module that holds it.
    """
    lines, more = text.split("\n"), dict[str, Finding]()
    for one in sorted(found, key=lambda one: -(one.node.end_lineno or 0)):
        module, declares = modules.get(one.path), one.node
        node = None if module is None else find(module, one.path)
        if module is None or not isinstance(declares, ast.ClassDef) or not isinstance(node, ast.ClassDef):
            continue
        if not ENUMS & {last_name(base) for base in declares.bases} or declares.body[0].lineno == declares.lineno:
            continue
        for name, (statement, *_) in members(node).items():
            value = _literal(statement.value) if isinstance(statement, ast.Assign) else None
            if value is not None and not name.startswith("_") and name not in members(declares):
                what = f"by the contract {one.path} has no {name}, and who uses it is given that"
                more[f"{one.path}.{name}"] = Finding(module.path, statement.lineno, what)
                lines.insert(declares.end_lineno or 0, f"{' ' * declares.body[0].col_offset}{name} = {value}")
    return "\n".join(lines), more


def unseen(found: Sequence[Declared], modules: Mapping[str, Module], code: Modules) -> dict[str, str]:
    """Return facet -> why it is missing if a type checker too sees nothing of it, by the bases of its class.

    Those are the members that neither the class nor a base of it among the files has, where it has another base: it
    may be installed. One that is not is no answer. What is agreed is there only if the component itself can show it,
    and a check that knows nothing must not pass.

    Args:
        found: What the contract declares.
        modules: Name of the contract -> the module that holds it.
        code: All modules.
    """
    classes = {name: node for module in code.found for name in module.bound if (node := find(module, name))}
    held_by = cache(lambda own: _held(own, classes))
    unseen: dict[str, str] = {}
    for one in found:
        owner = one.path.rpartition(".")[0]
        module = modules.get(one.path.partition(".")[0])
        own = find(module, owner) if module is not None and owner else None
        if isinstance(own, ast.ClassDef):
            held, others = held_by(own)
            if others and one.name not in held:
                where = " and ".join(sorted(others))
                unseen[one.path] = f"{owner} does not have it, and what it has of {where} cannot be read"
    return unseen


def _held(node: ast.ClassDef, classes: Mapping[str, ast.stmt]) -> tuple[set[str], set[str]]:
    """Return what a class and its bases among some have by syntax, and its bases that are none of them."""
    held, others, seen = set[str](), set[str](), set[ast.stmt]()
    pending = [node]
    while pending:
        one = pending.pop()
        seen.add(one)
        held |= members(one).keys()
        held |= {x.attr for x in ast.walk(one) if isinstance(x, ast.Attribute) and isinstance(x.ctx, ast.Store)}
        for name in map(last_name, one.bases):
            base = classes.get(name)
            if not isinstance(base, ast.ClassDef):
                others.add(name)
            elif base not in seen:
                pending.append(base)
    return held, others


def _is_plain(node: ast.stmt) -> bool:
    """Say whether a statement makes a function or a literal, which is certainly no class."""
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    return isinstance(node, FunctionNode) or _literal(value) is not None


def _literal(node: ast.expr | None) -> str | None:
    if node is None or (isinstance(node, ast.Constant) and node.value is ...):
        return None
    try:
        return repr(ast.literal_eval(node))
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None


# --- calls -----------------------------------------------------------------------------------------------------------


def _call(declares: FunctionNode, node: FunctionNode) -> str:
    """Say why a call that the contract allows is not possible, or differs; "" where it is not known to."""
    if not (_KEEPING_PARAMETERS.issuperset(decorators(declares)) and _KEEPING_PARAMETERS.issuperset(decorators(node))):
        return ""
    if is_awaited(declares) and isinstance(node, ast.FunctionDef) and node.returns is None:
        return "is not awaited"
    wanted, given = declares.args, node.args
    if "staticmethod" in decorators(node) and "staticmethod" not in decorators(declares):
        wanted = copy(wanted)
        named = "posonlyargs" if wanted.posonlyargs else "args"
        setattr(wanted, named, getattr(wanted, named)[1:])
    return next(_parameters(wanted, given, by_names=not is_operator(declares.name)), "")


def _parameters(wanted: ast.arguments, given: ast.arguments, *, by_names: bool) -> Iterator[str]:
    ordered, own = [*wanted.posonlyargs, *wanted.args], [*given.posonlyargs, *given.args]
    defaults, own_defaults = _defaults(wanted), _defaults(given)
    for place, parameter in enumerate(ordered):
        by_name = by_names and place >= len(wanted.posonlyargs) and not _is_self(parameter, place)
        if place >= len(own):
            if given.vararg is None or (by_name and given.kwarg is None):
                yield f"has no parameter {parameter.arg} at place {place + 1}"
            continue
        mine = own[place]
        if by_name and (mine.arg != parameter.arg or place < len(given.posonlyargs)) and given.kwarg is None:
            only = " that is passed by place only" if mine.arg == parameter.arg else ""
            yield f"calls the parameter at place {place + 1} {mine.arg}{only}, not {parameter.arg}"
        yield from _default(parameter.arg, defaults.get(parameter.arg), own_defaults.get(mine.arg))
    named = {one.arg for one in [*given.args, *given.kwonlyargs]}
    for parameter in wanted.kwonlyargs:
        if parameter.arg not in named and given.kwarg is None:
            yield f"takes no parameter {parameter.arg} by name"
        elif parameter.arg in named:
            yield from _default(parameter.arg, defaults.get(parameter.arg), own_defaults.get(parameter.arg))
    known = {one.arg for one in wanted.kwonlyargs}
    extra = [one.arg for one in [*own[len(ordered) :], *given.kwonlyargs] if one.arg not in known]
    yield from (
        f"needs a parameter {name} that the contract does not have" for name in extra if name not in own_defaults
    )
    if wanted.vararg is not None and given.vararg is None:
        yield f"takes no *{wanted.vararg.arg}"
    if wanted.kwarg is not None and given.kwarg is None:
        yield f"takes no **{wanted.kwarg.arg}"


def _is_self(parameter: ast.arg, place: int) -> bool:
    return place == 0 and parameter.arg in ("self", "cls")


def _defaults(arguments: ast.arguments) -> Mapping[str, ast.expr]:
    ordered = [*arguments.posonlyargs, *arguments.args]
    by_place = ordered[len(ordered) - len(arguments.defaults) :]
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {one.arg: value for one, value in zip(by_place, arguments.defaults, strict=True)} | {
        one.arg: value for one, value in named if value is not None
    }


def _default(name: str, wanted: ast.expr | None, given: ast.expr | None) -> Iterator[str]:
    if wanted is None:
        return
    if given is None:
        yield f"needs {name}, which the contract makes optional"
        return
    said, own = _literal(wanted), _literal(given)
    if said is not None and own is not None and said != own:
        yield f"takes {own} where {name} is left out"


# --- what is raised --------------------------------------------------------------------------------------------------


def _raising(declares: FunctionNode, node: FunctionNode, module: Module) -> str:
    """Name an error that the code itself raises and `Raises:` of the contract, where it has one, does not list."""
    listed = {name.rpartition(".")[2] for name in raises(ast.get_docstring(declares))}
    if not listed:
        return ""
    for name in sorted(_raised(node)):
        above = _above(name, module)
        if name not in _FAULTS and above is not None and not listed & above:
            return f"raises {name}, which its `Raises:` does not list"
    return ""


def _raised(node: FunctionNode) -> set[str]:
    """Return the names of what a function raises outside of `try`: what happens inside, only a run can tell."""
    found: set[str] = set()
    pending: list[ast.AST] = list(node.body)
    while pending:
        one = pending.pop()
        if isinstance(one, ast.Raise):
            found.add(last_name(one.exc))
        if not isinstance(one, ast.Try | FunctionNode | ast.ClassDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(one))
    return found - {""}


def _above(name: str, module: Module) -> set[str] | None:
    """Return a class' name with those of all its bases, None where one of them is not known."""
    found: set[str] = set()
    pending = [name]
    while pending:
        one = pending.pop()
        if one in found:
            continue
        found.add(one)
        known = find(module, one)
        builtin = getattr(builtins, one, None)
        if isinstance(known, ast.ClassDef):
            pending += [last_name(base) for base in known.bases]
        elif known is None and isinstance(builtin, type):
            found |= {base.__name__ for base in builtin.__mro__}
        else:
            return None
    return found
