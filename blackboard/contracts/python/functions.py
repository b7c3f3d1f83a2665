"""Functions, methods and properties of a stub."""

import ast
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TypeGuard

from blackboard.contracts.python.declarations import Declaration, Function, Parameter, Passing, Property, Signature
from blackboard.contracts.python.docstrings import raises
from blackboard.contracts.python.interface import FunctionNode, is_operator
from blackboard.contracts.python.spelling import Speller

MAX_OVERLOADS = 256

_GETTERS = frozenset({"property", "abstractproperty", "functools.cached_property"})
_ACCESSORS = ("getter", "setter", "deleter")
# Why not facets: what one says about a declaration is seen by the type checker and by nobody who calls.
_SAYING_NOTHING = frozenset({"override", "type_check_only"})
_OF_THE_CLASS = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})


def declare_function(
    speller: Speller, node: FunctionNode, existing: Declaration | None, *, method: bool
) -> Function | Property:
    """Return what a `def` declares, together with what others of its name have declared so far.

    Raises:
        InvalidContract: It has a body, or its name is taken.
    """
    _check_body(speller, node)
    accessors = [decorator for decorator in node.decorator_list if _is_accessor(decorator, node.name)]
    decorators = [speller.value(decorator) for decorator in node.decorator_list if decorator not in accessors]
    dropped = _SAYING_NOTHING | {"overload"} | ({"property"} if method else set())
    kept = tuple(text for text in decorators if text not in dropped)
    signature = _signature(speller, node, kept, method=method and "staticmethod" not in decorators)
    if accessors:
        if not isinstance(existing, Property):
            raise speller.source.refusal(node, f"{node.name} is no property yet: declare the property first")
        return _accessor(existing, signature, accessors[0].attr)
    if method and _GETTERS.intersection(decorators) and existing is None:
        return Property(signature.returns, raises=signature.raises, decorators=signature.decorators)
    overloaded = "overload" in decorators
    if existing is None:
        return Function((signature,), overloaded=overloaded)
    if overloaded and isinstance(existing, Function) and existing.overloaded:
        if len(existing.signatures) >= MAX_OVERLOADS:
            raise speller.source.refusal(node, f"{node.name} has more than {MAX_OVERLOADS} overloads")
        return replace(existing, signatures=(*existing.signatures, signature))
    raise speller.source.refusal(
        node, f"{node.name} is declared twice; write @overload over each of several signatures"
    )


def _is_accessor(decorator: ast.expr, name: str) -> TypeGuard[ast.Attribute]:
    match decorator:
        case ast.Attribute(value=ast.Name(id=of), attr=attribute):
            return of == name and attribute in _ACCESSORS
    return False


def _accessor(existing: Property, signature: Signature, role: str) -> Property:
    together = tuple(sorted({*existing.raises, *signature.raises}))
    if role == "setter":
        written = signature.parameters[1].annotation if len(signature.parameters) > 1 else None
        return replace(existing, settable=True, written=written, raises=together)
    if role == "deleter":
        return replace(existing, deletable=True, raises=together)
    return replace(existing, read=signature.returns, raises=together)


def _signature(speller: Speller, node: FunctionNode, decorators: tuple[str, ...], *, method: bool) -> Signature:
    parameters = _parameters(speller, node.args)
    if method and parameters and parameters[0].passing in (Passing.POSITION, Passing.EITHER):
        # Why: how an author calls the instance is nobody else's business.
        of_class = "classmethod" in decorators or node.name in _OF_THE_CLASS
        parameters[0] = replace(parameters[0], name="cls" if of_class else "self")
    if method and is_operator(node.name):
        either = Passing.EITHER
        parameters = [
            replace(item, passing=Passing.POSITION) if item.passing is either else item for item in parameters
        ]
    names = {speller.names.resolve(name) for name in raises(ast.get_docstring(node))}
    return Signature(
        parameters=tuple(parameters),
        returns=None if node.returns is None else speller.annotation(node.returns),
        raises=tuple(sorted(names)),
        decorators=decorators,
        awaited=isinstance(node, ast.AsyncFunctionDef),
    )


def _parameters(speller: Speller, arguments: ast.arguments) -> list[Parameter]:
    def parameter(node: ast.arg, passing: Passing, default: ast.expr | None = None) -> Parameter:
        annotation = None if node.annotation is None else speller.annotation(node.annotation)
        return Parameter(node.arg, passing, annotation, None if default is None else speller.value(default))

    ordered = [(node, Passing.POSITION) for node in arguments.posonlyargs]
    private = 0 if ordered else _count_private([node.arg for node in arguments.args])
    ordered += [(node, Passing.POSITION) for node in arguments.args[:private]]
    ordered += [(node, Passing.EITHER) for node in arguments.args[private:]]
    without = len(ordered) - len(arguments.defaults)
    defaults = [*[None] * without, *arguments.defaults]
    found = [parameter(node, passing, default) for (node, passing), default in zip(ordered, defaults, strict=True)]
    if arguments.vararg:
        found.append(parameter(arguments.vararg, Passing.REST))
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    found += sorted((parameter(node, Passing.NAME, value) for node, value in named), key=lambda item: item.name)
    if arguments.kwarg:
        found.append(parameter(arguments.kwarg, Passing.REST_BY_NAME))
    return found


def _count_private(names: Sequence[str]) -> int:
    """Return how many parameters are positional-only by their names, as was written before there was `/`."""
    first = 1 if names[:1] in (["self"], ["cls"]) else 0
    private = takewhile(lambda name: name.startswith("__") and not name.endswith("__"), names[first:])
    count = sum(1 for _ in private)
    return first + count if count else 0


def is_empty(statement: ast.stmt) -> bool:
    """Say whether a statement does nothing: a docstring, `...`, `pass`, `raise NotImplementedError`."""
    match statement:
        case ast.Pass() | ast.Raise(exc=ast.Name(id="NotImplementedError")):
            return True
        case ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError"))):
            return True
        case ast.Expr(value=ast.Constant(value=value)):
            return value is ... or isinstance(value, str)
    return False


def _check_body(speller: Speller, node: FunctionNode) -> None:
    code = next((statement for statement in node.body if not is_empty(statement)), None)
    if code is not None:
        raise speller.source.refusal(code, f"a stub says what {node.name} is, not how: write `...` for its body")
