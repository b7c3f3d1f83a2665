"""Types as data: what the spelled annotations of a stub stand for.

Types are interned: two that say the same are one object, so a type that names another a thousand times is small and
comparing is cheap. Aliases are not unfolded here, so a type may be recursive; each carries the stub that it is from,
because the other one may say something else under its name.
"""

import ast
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from blackboard.contracts.python.declarations import Class, Declaration, Reexport, Variable
from blackboard.contracts.python.known import ARGUMENTS, RESTRICTED, VARIANCE, is_known, is_resolved
from blackboard.contracts.python.source import parse_expression
from blackboard.errors import InvalidContract

_RELATIVE = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?<![\w.\])])\.+(?=[^\W\d])""")
"""The dots before a name, and what is quoted, to be left as it is."""
_DOTS = "__dots__"

MAX_SIZE, MAX_DEPTH = 10_000, 100
"""What is put together from several types may grow so far; what is written in one annotation is smaller."""


VARIABLE_MAKERS = ("TypeVar", "ParamSpec", "TypeVarTuple")


class Undecidable(Exception):
    """To say more takes more work than a comparison may."""


class Budget:
    """The work that one comparison may still do."""

    def __init__(self, steps: int) -> None:
        self._steps = steps

    def spend(self, steps: int = 1) -> None:
        """Count work.

        Raises:
            Undecidable: It is used up.
        """
        self._steps -= steps
        if self._steps < 0:
            raise Undecidable


class Form(StrEnum):
    """What a type is made like."""

    ANY = "Any"
    NEVER = "Never"
    NAMED = "named"
    LITERAL = "literal"
    UNION = "union"
    TUPLE = "tuple"
    CALLABLE = "callable"
    ALIAS = "alias"
    VARIABLE = "variable"
    OPAQUE = "opaque"


@dataclass(frozen=True, slots=True, eq=False)
class Type:
    """One type; the same type is the same object.

    Attributes:
        form: How it is made.
        name: Of the class, alias or variable; the value of a literal; what a callable takes where that is not listed:
            `...` or a variable.
        items: Arguments, members, items; of a callable its parameters and, last, its result.
        origin: The number of the stub whose alias or variable it is.
        size: How many types it is written with.
        depth: How many of them stand in one another.
    """

    form: Form
    name: str = ""
    items: tuple["Type", ...] = ()
    origin: int = 0
    size: int = 1
    depth: int = 1

    def __str__(self) -> str:  # noqa: PLR0911 - a case each
        match self.form:
            case Form.UNION:
                return " | ".join(map(str, self.items))
            case Form.LITERAL:
                return f"Literal[{self.name}]"
            case Form.CALLABLE:
                *taken, returns = map(str, self.items)
                listed = self.name or f"[{', '.join(taken)}]"
                return f"Callable[{listed}, {returns}]"
            case Form.TUPLE:
                return f"tuple[{', '.join(map(str, self.items)) or '()'}]"
            case Form.NAMED if self.name == "tuple":
                return f"tuple[{self.items[0]}, ...]"
            case Form.NAMED | Form.ALIAS if self.items:
                return f"{self.name}[{', '.join(map(str, self.items))}]"
            case Form.ANY | Form.NEVER:
                return str(self.form)
        return self.name


class Pool:
    """Makes types, each once."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._made: dict[tuple[object, ...], Type] = {}
        self.any = self.make(Form.ANY)
        self.never = self.make(Form.NEVER)

    def make(self, form: Form, name: str = "", items: tuple[Type, ...] = (), origin: int = 0) -> Type:
        """Return the one type that is made like this."""
        # Why by their ids: the pool keeps every type alive, and hashing a deep type would walk it.
        key = (form, name, origin, *map(id, items))
        found = self._made.get(key)
        if found is None:
            size = 1 + sum(item.size for item in items)
            depth = 1 + max((item.depth for item in items), default=0)
            if size > MAX_SIZE or depth > MAX_DEPTH:
                raise Undecidable
            found = self._made[key] = Type(form, name, items, origin, size, depth)
        return found

    def named(self, name: str, *items: Type, anything: Type | None = None) -> Type:
        """Return a class with its arguments, those that are not given being Any."""
        missing = len(VARIANCE.get(name, "")) - len(items)
        # Why None: what is not said of what is sent to a generator and of what it returns.
        rest = self.named("None") if items and name in ("Generator", "AsyncGenerator") else anything or self.any
        return self.make(Form.NAMED, name, items + (rest,) * missing)

    def union(self, members: tuple[Type, ...]) -> Type:
        """Return a type that is any of some others."""
        flat: dict[Type, None] = {}
        for member in members:
            flat |= dict.fromkeys(member.items if member.form is Form.UNION else (member,))
        if not flat:
            return self.never
        return next(iter(flat)) if len(flat) == 1 else self.make(Form.UNION, items=tuple(flat))


class Types:
    """The types of one stub."""

    def __init__(
        self,
        declarations: Mapping[str, Declaration],
        pool: Pool,
        origin: int,
        anything: Type | None = None,
        unsaid: Callable[[str], Collection[str]] = lambda _: (),
    ) -> None:
        """Take the declarations of a stub.

        Args:
            declarations: By facet name.
            pool: Makes the types.
            origin: The number of the stub.
            anything: What Any stands for in programs beside the stub, where what nobody can resolve is Any; None
                where types are what the stub says.
            unsaid: Returns the type variables of a class for which a program gives no types.
        """
        self.declarations = declarations
        self.pool = pool
        self.origin = origin
        self._anything, self._unsaid = anything, unsaid
        self._read: dict[tuple[str, str | None], Type] = {}

    def in_programs(self, anything: Type, unsaid: Callable[[str], Collection[str]] = lambda _: ()) -> "Types":
        """Return the types as programs beside the stub have them."""
        return Types(self.declarations, self.pool, self.origin, anything, unsaid)

    def read(self, text: str | None, owner: str | None = None) -> Type:
        """Return what a spelled annotation stands for; Any where there is none.

        Args:
            text: The annotation.
            owner: The class that it stands in, which is what `Self` means there.
        """
        if text is None:
            return self._anything or self.pool.any
        found = self._read.get((text, owner))
        if found is None:
            self.pool.budget.spend(1 + len(text) // 8)
            found = self._name(text, owner) if text.isidentifier() else self._parsed(text, owner)
            self._read[text, owner] = found
        return found

    def is_resolved(self, name: str) -> bool:
        """Say whether it is known what a name stands for, or where that can be found."""
        declared = self.declarations.get(name.removeprefix("this."))
        imported = name if declared is None else declared.source if isinstance(declared, Reexport) else None
        return imported is None or is_resolved(imported)

    def alias(self, name: str) -> str | None:
        """Return the type that a name of the stub stands for, None where it is no alias."""
        declared = self.declarations.get(name.removeprefix("this."))
        if not isinstance(declared, Variable) or declared.annotation is not None or declared.value is None:
            return None
        node = expression(declared.value)
        return declared.value if node is not None and self._is_type(node) else None

    def constructed(self, name: str, maker: str) -> ast.Call | None:
        """Return the call of `TypeVar` or `NewType` that made a name of the stub."""
        declared = self.declarations.get(name.removeprefix("this."))
        if isinstance(declared, Variable) and declared.value and declared.value.startswith(f"{maker}("):
            call = expression(declared.value)
            return call if isinstance(call, ast.Call) else None
        return None

    def bound(self, variable: str) -> Type | None:
        """Return what every value of a type variable is, None where nothing is said."""
        call = self.constructed(variable, "TypeVar")
        limits = [ast.unparse(item) for item in call.args[1:]] if call else []
        bound = self.keyword(call, "bound") if call else None
        texts = [*limits, *([] if bound is None else [bound])]
        return self.pool.union(tuple(self.read(text) for text in texts)) if texts else None

    def keyword(self, call: ast.Call, name: str) -> str | None:
        """Return a keyword argument of a call as text."""
        return next((ast.unparse(word.value) for word in call.keywords if word.arg == name), None)

    def _is_type(self, node: ast.expr) -> bool:
        match node:
            case ast.Constant(value=None):
                return True
            case ast.Name() | ast.Attribute():
                name = ast.unparse(node)
                declared = self.declarations.get(name.removeprefix("this."))
                known = isinstance(declared, Class) or (declared is None and (is_known(name) or name == "Any"))
                return known or (isinstance(declared, Variable) and declared.annotation is None)
            case ast.BinOp(op=ast.BitOr()):
                return all(self._is_type(member) or isinstance(member, ast.Subscript) for member in _members(node))
        return isinstance(node, ast.Subscript)

    def _parsed(self, text: str, owner: str | None) -> Type:
        node = expression(text)
        return self._opaque(text) if node is None else self._type(node, owner)

    def _opaque(self, text: str) -> Type:
        return self.pool.any if self._anything else self.pool.make(Form.OPAQUE, text)

    def _class(self, name: str, items: tuple[Type, ...] = ()) -> Type:
        """Return a class with its arguments, or what it is in programs where nobody can resolve it."""
        if self._anything is None or name in ARGUMENTS:
            return self.pool.named(name, *items)
        if not self.is_resolved(name):
            return self.pool.any
        if name in RESTRICTED and items in ((), (self._anything,)) and self._anything is not self.pool.any:
            return self.pool.union(tuple(self.pool.named(name, self.pool.named(one)) for one in RESTRICTED[name]))
        return self.pool.named(name, *items, anything=self._anything)

    def _type(self, node: ast.expr, owner: str | None) -> Type:
        match node:
            case ast.Constant(value=None):
                return self.pool.named("None")
            case ast.Constant(value=str(text)):
                return self.read(text.strip(), owner)
            case ast.Name() | ast.Attribute():
                return self._name(ast.unparse(node), owner)
            case ast.BinOp(op=ast.BitOr()):
                return self.pool.union(tuple(self._type(member, owner) for member in _members(node)))
            case ast.Subscript():
                items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                return self._subscript(ast.unparse(node.value), items, owner)
        return self._opaque(ast.unparse(node))

    def _name(self, name: str, owner: str | None) -> Type:  # noqa: PLR0911 - a case each
        plain = name.removeprefix("this.")
        if name.startswith(_DOTS):
            dots, _, rest = name.removeprefix(_DOTS).partition(".")
            return self._class("." * int(dots) + rest)
        if name in ("Any", "Never", "NoReturn"):
            return self.pool.never if name != "Any" else self._anything or self.pool.any
        if name == "Self" and owner is not None and self._anything:
            return self._class(owner)
        if name == "Self" and owner is not None:
            # Why with its class: in what inherits the method it is that class instead.
            return self.pool.make(Form.VARIABLE, "Self", (self.pool.named(owner),))
        if plain not in self.declarations:
            return self.pool.make(Form.CALLABLE, "...", (self.read(None),)) if name == "Callable" else self._class(name)
        if any(self.constructed(plain, maker) for maker in VARIABLE_MAKERS):
            if owner is not None and plain in self._unsaid(owner):
                return self.pool.any
            return self.pool.make(Form.VARIABLE, plain, origin=self.origin)
        if self.alias(plain) is not None:
            return self.pool.make(Form.ALIAS, plain, origin=self.origin)
        return self._class(name)

    def _subscript(self, outer: str, items: list[ast.expr], owner: str | None) -> Type:  # noqa: PLR0911 - a case each
        if outer == "Literal":
            return self.pool.union(tuple(self.pool.make(Form.LITERAL, ast.unparse(item)) for item in items))
        if outer in ("Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "InitVar"):
            return self._type(items[0], owner)
        if outer == "Callable" and len(items) > 1:
            return self._callable(items, owner)
        if any(isinstance(item, ast.Starred | ast.List) for item in items):
            return self._opaque(f"{outer}[{', '.join(map(ast.unparse, items))}]")
        if outer == "tuple" and not (len(items) > 1 and _is_dots(items[-1])):
            empty = len(items) == 1 and isinstance(items[0], ast.Tuple)
            return self.pool.make(Form.TUPLE, items=() if empty else tuple(self._type(item, owner) for item in items))
        inner = tuple(self._type(item, owner) for item in items if not _is_dots(item))
        name = self._name(outer, owner)
        if name.form in (Form.ALIAS, Form.VARIABLE):
            return self.pool.make(name.form, name.name, inner, name.origin)
        if name.form is Form.ANY:
            return name
        return self._class(name.name if name.form is Form.NAMED else outer, inner)

    def _callable(self, items: list[ast.expr], owner: str | None) -> Type:
        returns = self._type(items[-1], owner)
        if _is_dots(items[0]):
            return self.pool.make(Form.CALLABLE, "...", (returns,))
        variable = ast.unparse(items[0])
        if self.constructed(variable, "ParamSpec"):
            return self.pool.make(Form.CALLABLE, variable, (returns,))
        if not isinstance(items[0], ast.List) or any(isinstance(item, ast.Starred) for item in items[0].elts):
            return self._opaque(f"Callable[{', '.join(map(ast.unparse, items))}]")
        taken = tuple(self._type(item, owner) for item in items[0].elts)
        return self.pool.make(Form.CALLABLE, items=(*taken, returns))


def expression(text: str) -> ast.expr | None:
    """Read a spelled type or value; None where it is none, which happens to what is spelled with odd names."""
    if "." in text:
        # `from .models import A` makes `.models.A` of A, which is no expression.
        text = _RELATIVE.sub(lambda found: f"{_DOTS}{len(found[0])}." if found[0][0] == "." else found[0], text)
    try:
        return parse_expression(text)
    except InvalidContract:
        return None


def _members(node: ast.expr) -> list[ast.expr]:
    """Return the members of `a | b | c`, without recursion: a long union is a deep tree."""
    members: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        members.append(node.right)
        node = node.left
    return [node, *reversed(members)]


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...
