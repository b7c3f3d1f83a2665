"""The functions of a contract as a probe writes them: without bodies, as what is called."""

import ast
from collections.abc import Collection
from copy import copy, deepcopy

from blackboard.contracts.python.interface import FunctionNode, decorators, is_awaited, is_operator, last_name

MANAGERS = {"contextmanager": "AbstractContextManager", "asynccontextmanager": "AbstractAsyncContextManager"}


def self_of(node: FunctionNode) -> ast.expr | None:
    """Return what a method says that its first parameter is, None where it says nothing."""
    first = next(iter([*node.args.posonlyargs, *node.args.args]), None)
    return None if first is None else first.annotation


def by_self(node: FunctionNode, variables: Collection[str]) -> FunctionNode:
    """Return a method with `Self` for the variable that its first parameter is said to be of, or to be a class of."""
    said = self_of(node)
    of = said.slice if isinstance(said, ast.Subscript) and last_name(said).lower() == "type" else said
    if not isinstance(of, ast.Name) or of.id not in variables or "staticmethod" in decorators(node):
        return node
    own = deepcopy(node)
    for one in ast.walk(own):
        if isinstance(one, ast.Name) and one.id == of.id:
            one.id = "Self"
    (own.args.posonlyargs or own.args.args)[0].annotation = None
    return own


def as_run(node: FunctionNode) -> FunctionNode:
    """Return a function that is asked what something is as what it is when it runs: it gives a truth."""
    if last_name(node.returns) not in ("TypeGuard", "TypeIs"):
        return node
    run = copy(node)
    run.returns = ast.Name("bool")
    return run


def bare(node: FunctionNode) -> FunctionNode:
    """Return a function without its body and the values of its defaults; of its decorators only `overload` is left."""
    args, made = copy(node.args), copy(node)
    args.posonlyargs, args.args = list(args.posonlyargs), list(args.args)
    args.defaults = [ast.Constant(...) for _ in args.defaults]
    args.kw_defaults = [None if value is None else ast.Constant(...) for value in args.kw_defaults]
    made.args, made.body = args, [ast.Expr(ast.Constant(...))]
    names = decorators(node)
    made.decorator_list = [ast.Attribute(ast.Name("_t"), "overload")] if "overload" in names else []
    if isinstance(node, ast.AsyncFunctionDef) and not is_awaited(node):
        made = ast.FunctionDef(node.name, args, made.body, made.decorator_list, node.returns)
    managed = next((MANAGERS[name] for name in names if name in MANAGERS), None)
    if managed is not None and isinstance(node.returns, ast.Subscript):
        items = node.returns.slice
        first = items.elts[0] if isinstance(items, ast.Tuple) else items
        made = ast.FunctionDef(node.name, args, made.body, made.decorator_list)
        made.returns = ast.Subscript(ast.Attribute(ast.Name("_c"), managed), first)
    return made


def called(node: FunctionNode) -> FunctionNode:
    """Return a function as the `__call__` of a protocol."""
    made = bare(node)
    if is_operator(made.name):
        made.args.posonlyargs, made.args.args = [*made.args.posonlyargs, *made.args.args], []
    made.name = "__call__"
    (made.args.posonlyargs or made.args.args).insert(0, ast.arg("_self"))
    return made


def unbound(node: FunctionNode) -> FunctionNode:
    """Return a method without its first parameter."""
    made = bare(node)
    del (made.args.posonlyargs or made.args.args)[:1]
    return made


def returning(node: FunctionNode, returns: str) -> FunctionNode:
    """Let a function return something else."""
    node.returns = ast.parse(returns, mode="eval").body
    return node
