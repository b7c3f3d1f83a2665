"""Classes of a stub: what kind each is, and in which order its fields are positional."""

import ast
from collections.abc import Iterator, Mapping, Sequence

from blackboard.contracts.python.declarations import Class, Kind, Variable
from blackboard.contracts.python.docstrings import raises
from blackboard.contracts.python.spelling import Speller

_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})
_DIRECT = {"Protocol": Kind.PROTOCOL, "NamedTuple": Kind.NAMED_TUPLE}
_INHERITED = {"TypedDict": Kind.TYPED_DICT} | dict.fromkeys(_ENUMS, Kind.ENUM)

_USUAL_OPTIONS = {
    "eq": "True",
    "frozen": "False",
    "init": "True",
    "kw_only": "False",
    "match_args": "True",
    "order": "False",
    "repr": "True",
    "slots": "False",
    "unsafe_hash": "False",
    "weakref_slot": "False",
}
# Why a list: any other decorator may make a constructor of the fields, so that their order matters.
_LEAVING_FIELDS_ALONE = frozenset(
    {"final", "functools.total_ordering", "runtime_checkable", "type_check_only", "unique"}
)


def declare_class(speller: Speller, node: ast.ClassDef, kinds: Mapping[str, Kind]) -> Class:
    """Return what a `class` declares besides its members.

    Args:
        speller: Spells its expressions.
        node: The class.
        kinds: Class of the module -> what it inherits to be.
    """
    bases = tuple(speller.value(base) for base in node.bases)
    decorators = tuple(speller.value(decorator) for decorator in node.decorator_list)
    keywords = {word.arg or "**": speller.value(word.value) for word in node.keywords}
    kind = _kind(speller, node, bases, kinds)
    options: dict[str, str] = {}
    if kind is Kind.DATACLASS:
        decorators = tuple(text for text in decorators if not _is_dataclass(text))
        options = _options(speller, node)
    if kind is Kind.TYPED_DICT:
        keywords.pop("total", None)
    positional, by_name = _fields(speller, node, kind, decorators, options)
    return Class(
        kind=kind,
        bases=bases,
        keywords=keywords,
        decorators=decorators,
        options=options,
        fields=positional,
        keyword_only=by_name,
        raises=tuple(sorted({speller.names.resolve(name) for name in raises(ast.get_docstring(node))})),
    )


def declare_field(
    speller: Speller, node: ast.AnnAssign, owner: ast.ClassDef | None, kind: Kind | None
) -> Variable | None:
    """Return what an annotated name declares.

    Args:
        speller: Spells its expressions.
        node: The annotated name.
        owner: The class that it stands in, None for the module.
        kind: What that class is.

    Returns:
        None for the mark after which a dataclass' fields are keyword-only.
    """
    annotation = speller.annotation(node.annotation)
    if annotation == "KW_ONLY" and kind is Kind.DATACLASS:
        return None
    if annotation == "TypeAlias" and node.value is not None:
        return Variable(None, speller.annotation(node.value))
    if owner is not None and kind is Kind.TYPED_DICT:
        annotation = _presence(annotation, total=_is_total(owner))
    return Variable(annotation, None if node.value is None else speller.value(node.value))


def _kind(speller: Speller, node: ast.ClassDef, bases: Sequence[str], kinds: Mapping[str, Kind]) -> Kind:
    if any(_is_dataclass(speller.value(decorator)) for decorator in node.decorator_list):
        return Kind.DATACLASS
    direct = [_DIRECT[base] for base in map(_unsubscripted, bases) if base in _DIRECT]
    if direct:
        return direct[0]
    inherited = (_INHERITED.get(base) or kinds.get(base) for base in map(_unsubscripted, bases))
    return next((kind for kind in inherited if kind is not None), Kind.CLASS)


def inherited_kinds(bases_of: Mapping[str, Sequence[str]]) -> dict[str, Kind]:
    """Return class -> what it is because of what it inherits from, where that is an enum or a TypedDict."""
    below: dict[str, list[str]] = {}
    for name, bases in bases_of.items():
        for base in map(_unsubscripted, bases):
            below.setdefault(base, []).append(name)
    found: dict[str, Kind] = {}
    pending = list(_INHERITED.items())
    while pending:
        base, kind = pending.pop()
        new = [name for name in below.get(base, ()) if name not in found]
        found |= dict.fromkeys(new, kind)
        pending += [(name, kind) for name in new]
    return found


def _fields(
    speller: Speller, node: ast.ClassDef, kind: Kind, decorators: Sequence[str], options: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if kind is not Kind.DATACLASS:
        ordered = kind is Kind.NAMED_TUPLE or not _LEAVING_FIELDS_ALONE.issuperset(decorators)
        return tuple(name for name, _, _ in _annotated(speller, node)) if ordered else (), ()
    positional: list[str] = []
    by_name: list[str] = []
    only_by_name = options.get("kw_only") == "True"
    for name, annotation, value in _annotated(speller, node):
        if annotation == "KW_ONLY":
            only_by_name = True
        else:
            (by_name if _passed_by_name(value, default=only_by_name) else positional).append(name)
    if options.get("order") == "True":
        # Why: the order of all fields is the order in which two instances are compared.
        return tuple(name for name, annotation, _ in _annotated(speller, node) if annotation != "KW_ONLY"), tuple(
            sorted(by_name)
        )
    return tuple(positional), tuple(sorted(by_name))


def _annotated(speller: Speller, node: ast.ClassDef) -> Iterator[tuple[str, str, ast.expr | None]]:
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            annotation = speller.annotation(statement.annotation)
            if _unsubscripted(annotation) != "ClassVar":
                yield statement.target.id, annotation, statement.value


def _passed_by_name(value: ast.expr | None, *, default: bool) -> bool:
    if isinstance(value, ast.Call):
        for word in value.keywords:
            if word.arg == "kw_only" and isinstance(word.value, ast.Constant):
                return bool(word.value.value)
    return default


def _options(speller: Speller, node: ast.ClassDef) -> dict[str, str]:
    calls = [item for item in node.decorator_list if isinstance(item, ast.Call) and _is_dataclass(speller.value(item))]
    options = {word.arg or "**": speller.value(word.value) for call in calls for word in call.keywords}
    return {name: text for name, text in options.items() if _USUAL_OPTIONS.get(name) != text}


def _presence(annotation: str, *, total: bool) -> str:
    """Return the type of a TypedDict's key: as it is where the key must be there, else `NotRequired[…]`."""
    if annotation.startswith("Required["):
        return annotation.removeprefix("Required[").removesuffix("]")
    return annotation if total or annotation.startswith("NotRequired[") else f"NotRequired[{annotation}]"


def _is_total(node: ast.ClassDef) -> bool:
    return not any(
        word.arg == "total" and isinstance(word.value, ast.Constant) and word.value.value is False
        for word in node.keywords
    )


def _is_dataclass(decorator: str) -> bool:
    return decorator == "dataclass" or decorator.startswith("dataclass(")


def _unsubscripted(text: str) -> str:
    return text.partition("[")[0]
