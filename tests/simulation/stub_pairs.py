"""Random stubs, random changes of them, and programs of those who use them: each calls, reads, makes and implements
what its stub promises, where the values flow.

A stub is a small world: two classes, a generic one, an enum, a TypedDict, a Protocol, a dataclass, a NamedTuple, an
alias, a constant, functions that take and return them, one of them generic and one overloaded. All names end in the
number of the world, so that many worlds share a module.
"""

from copy import deepcopy
from dataclasses import dataclass, field, replace

SCALARS = ["int", "bool", "float", "str", "bytes", "object", "None", "Literal[1, 2]", "Literal['a']"]
NEAR = {"int": ["bool", "float"], "bool": ["int"], "float": ["int"], "str": ["object"], "object": ["str"]}
NAMED = ["Animal", "Dog", "Colour", "Film", "Named", "Data", "Row", "Alias"]
WRAPPED = ["list", "Sequence", "Iterable", "dict", "Mapping", "tuple", "union", "Callable", "Box"]
T = ("T",)
DEFAULTS = {"int": ["0", "1"], "str": ["'a'", "'b'"], "bool": ["True", "False"], "float": ["0.5", "1.5"]}


@dataclass
class Parameter:
    name: str
    kind: str  # "position" | "either" | "name"
    type: tuple
    default: str | None = None


@dataclass
class Function:
    parameters: list
    returns: tuple
    awaited: bool = False


@dataclass
class World:
    """What one stub declares; a type is (head, *arguments)."""

    number: int
    functions: dict = field(default_factory=dict)
    animal: dict = field(default_factory=dict)  # name -> Function | ("attribute" | "property", type)
    dog_is_animal: bool = True
    colours: dict = field(default_factory=dict)
    film: dict = field(default_factory=dict)  # key -> [type, required]
    named: dict = field(default_factory=dict)  # as animal
    box: dict = field(default_factory=dict)  # as animal
    overloads: list = field(default_factory=list)
    data: list = field(default_factory=list)  # [name, type, default]
    frozen: bool = False
    row: list = field(default_factory=list)  # [name, type]
    alias: tuple = ("int",)
    constant: str = "60"


def random_type(rng, depth=2, named=NAMED):
    draw = rng.random()
    if depth and draw < 0.35:
        head = rng.choice(WRAPPED)
        count = 2 if head in ("tuple", "union", "Callable") else 1
        return (head, *(random_type(rng, depth - 1, named) for _ in range(count)))
    return (rng.choice(named),) if named and draw < 0.65 else (rng.choice(SCALARS),)


def scalar(rng):
    return (rng.choice(SCALARS),)


def random_function(rng, named=NAMED):
    parameters, defaulted = [], False
    for kind in ("position", "either", "name"):
        for _ in range(rng.choice((0, 1, 1, 2) if kind == "either" else (0, 0, 1))):
            kept = random_type(rng, named=named)
            default = None
            if (kept[0] in DEFAULTS and rng.random() < 0.3) or (defaulted and kind != "name"):
                kept = kept if kept[0] in DEFAULTS else ("int",)
                default = rng.choice(DEFAULTS[kept[0]])
            defaulted |= default is not None and kind != "name"
            parameters.append(Parameter("abcdef"[len(parameters)], kind, kept, default))
    return Function(parameters, random_type(rng, named=named), awaited=rng.random() < 0.1)


def random_generic(rng):
    function = random_function(rng, named=[])
    function.parameters.insert(0, Parameter("a0", "position", rng.choice((T, ("list", T), ("Sequence", T)))))
    function.returns = rng.choice((T, T, ("list", T), ("tuple", T, ("int",))))
    return function


def random_world(rng, number):
    world = World(number)
    world.functions = {name: random_function(rng) for name in ("f", "g")}
    world.functions["pick"] = random_generic(rng)
    world.box = {
        "item": (rng.choice(("attribute", "property")), rng.choice((T, scalar(rng)))),
        "get": Function([], rng.choice((T, ("list", T), ("union", T, ("None",))))),
    }
    if rng.random() < 0.5:
        world.box["put"] = Function([Parameter("a", "either", rng.choice((T, ("Sequence", T))))], ("None",))
    taken = (("int",), ("str",), ("bytes",))[: rng.choice((2, 3))]
    world.overloads = [Function([Parameter("a", "either", of)], random_type(rng, 1)) for of in taken]
    world.animal = {
        "age": (rng.choice(("attribute", "property")), scalar(rng)),
        "call": random_function(rng, named=["Dog", "Colour"]),
    }
    world.dog_is_animal = rng.random() < 0.8
    world.colours = {"RED": 1, "BLUE": 2}
    world.film = {"title": [scalar(rng), True], "year": [random_type(rng, 1, ["Colour", "Dog"]), rng.random() < 0.7]}
    world.named = {
        "name": (rng.choice(("attribute", "property")), scalar(rng)),
        "say": random_function(rng, ["Colour"]),
    }
    world.data = [["x", scalar(rng), None], ["y", ("int",), rng.choice((None, "0"))]]
    world.frozen = rng.random() < 0.5
    world.row = [["one", scalar(rng)], ["two", scalar(rng)]]
    world.alias = random_type(rng, 1, ["Animal", "Dog", "Colour"])
    return world


def changed(rng, world):
    """Return a world in which one thing is another, and what kind of thing that is."""
    new = deepcopy(world)
    kind = rng.choice([name for name, count in CHANGES.items() for _ in range(count[0])])
    CHANGES[kind][1](rng, new)
    return new, kind


def near(rng, of):
    """Return a type beside another: with one part wider, narrower or other."""
    if len(of) > 1 and rng.random() < 0.7:
        place = rng.randrange(1, len(of))
        return (*of[:place], near(rng, of[place]), *of[place + 1 :])
    swapped = {"list": "Sequence", "Sequence": "Iterable", "dict": "Mapping", "Dog": "Animal", "Animal": "Dog"}
    if of[0] in swapped and rng.random() < 0.6:
        return (swapped[of[0]], *of[1:])
    if of[0] in NEAR and rng.random() < 0.7:
        return (rng.choice(NEAR[of[0]]),)
    if rng.random() < 0.5:
        beside = scalar(rng)
        # Beside object nobody can tell what the type variable is.
        return ("union", of, ("None",) if beside == ("object",) and "'T'" in str(of) else beside)
    return random_type(rng, 1)


def change_function(rng, function):
    parameters = function.parameters
    either = [one for one in parameters if one.kind == "either"]
    # A parameter without a default may not follow one that has it, but by name.
    defaulted = [one for one in parameters if one.kind != "name" and one.default]
    match rng.choice(
        ("add", "add", "remove", "rename", "type", "type", "returns", "returns", "default", "kind", "swap")
    ):
        case "add":
            last = rng.choice(("either", "name"))
            default = "0" if (last == "either" and defaulted) or rng.random() < 0.5 else None
            added = Parameter("z", last, ("int",), default)
            place = len([one for one in parameters if one.kind != "name"]) if last == "either" else len(parameters)
            parameters.insert(place, added)
        case "remove" if parameters:
            parameters.pop(rng.randrange(len(parameters)))
        case "rename" if parameters:
            rng.choice(parameters).name = "z"
        case "type" if parameters:
            one = rng.choice(parameters)
            one.type = near(rng, one.type)
            if one.default is not None:
                one.default = rng.choice(DEFAULTS.get(one.type[0], ["..."]))
        case "default" if parameters:
            one = parameters[-1]
            kept = len(defaulted) > 1 and one is defaulted[-1]
            removed = one.default and not kept and rng.random() < 0.5
            one.default = None if removed else rng.choice(DEFAULTS.get(one.type[0], ["..."]))
        case "kind" if either:
            rng.choice(either).kind = "name"
            parameters.sort(key=lambda one: ("position", "either", "name").index(one.kind))
        case "swap" if len(either) > 1 and not any(one.default for one in either):
            first, second = (parameters.index(one) for one in either[:2])
            parameters[first], parameters[second] = parameters[second], parameters[first]
        case "returns":
            function.returns = near(rng, function.returns)
        case _:
            function.awaited = not function.awaited


def change_generic(rng, function):
    change_function(rng, function)
    saying = [one for one in function.parameters if "'T'" in str(one.type)]
    for one in saying:
        one.default = None
    if "'T'" in str(function.returns) and not saying:
        function.returns = ("int",)  # what else it would be nobody says


def change_overloads(rng, overloads):
    match rng.choice(("add", "remove", "swap", "returns", "returns")):
        case "add" if len(overloads) == 2:
            overloads.insert(rng.randrange(3), Function([Parameter("a", "either", ("bytes",))], random_type(rng, 1)))
        case "remove" if len(overloads) == 3:
            overloads.pop(rng.randrange(3))
        case "swap":
            overloads.reverse()
        case _:
            one = rng.choice(overloads)
            one.returns = near(rng, one.returns)


def change_members(rng, members):
    name = rng.choice(sorted(members))
    member = members[name]
    if rng.random() < 0.15:
        del members[name]
    elif rng.random() < 0.2:
        members["more"] = ("attribute", scalar(rng))
    elif isinstance(member, Function):
        change_function(rng, member)
    elif rng.random() < 0.5:
        members[name] = (member[0], near(rng, member[1]))
    else:
        members[name] = ("property" if member[0] == "attribute" else "attribute", member[1])


def change_film(rng, world):
    key = rng.choice(sorted(world.film))
    match rng.choice(("type", "need", "add", "remove")):
        case "type":
            world.film[key][0] = near(rng, world.film[key][0])
        case "need":
            world.film[key][1] = not world.film[key][1]
        case "add":
            world.film["more"] = [scalar(rng), rng.random() < 0.5]
        case _:
            del world.film[key]


def change_fields(rng, fields):
    match rng.choice(("type", "add", "swap", "remove")):
        case "type":
            one = rng.choice(fields)
            if len(one) < 3 or one[2] is None:
                one[1] = near(rng, one[1])
            else:
                one[2] = "1"
        case "add":
            fields.append(["more", ("int",), "0"][: len(fields[0])])
        case "swap" if len(fields[0]) < 3 or not any(one[2] for one in fields):
            fields.reverse()
        case _:
            fields.pop()


def change_colours(rng, world):
    match rng.choice(("add", "remove", "value")):
        case "add":
            world.colours["GREEN"] = 3
        case "remove":
            del world.colours["BLUE"]
        case _:
            world.colours["BLUE"] = 4


def change_alias(rng, world):
    found = near(rng, world.alias)
    while "Alias" in str(found):  # of itself it would be nothing
        found = near(rng, world.alias)
    world.alias = found


CHANGES = {
    "function": (8, lambda rng, world: change_function(rng, world.functions[rng.choice("fg")])),
    "generic": (2, lambda rng, world: change_generic(rng, world.functions["pick"])),
    "overloads": (2, lambda rng, world: change_overloads(rng, world.overloads)),
    "box": (3, lambda rng, world: change_members(rng, world.box)),
    "functions": (1, lambda rng, world: world.functions.update(h=random_function(rng))),
    "class": (3, lambda rng, world: change_members(rng, world.animal)),
    "protocol": (3, lambda rng, world: change_members(rng, world.named)),
    "enum": (2, change_colours),
    "typeddict": (3, change_film),
    "dataclass": (2, lambda rng, world: change_fields(rng, world.data)),
    "frozen": (1, lambda rng, world: setattr(world, "frozen", not world.frozen)),
    "namedtuple": (1, lambda rng, world: change_fields(rng, world.row)),
    "alias": (1, change_alias),
    "constant": (1, lambda rng, world: setattr(world, "constant", rng.choice(("61", "'a'")))),
    "bases": (1, lambda rng, world: setattr(world, "dog_is_animal", not world.dog_is_animal)),
}


def spelled(of, number, prefix=""):
    head, *items = of
    inner = [spelled(item, number, prefix) for item in items]
    if head in NAMED or head == "T":
        return f"{prefix}{head}{number}"
    if head == "Box":
        return f"{prefix}Box{number}[{inner[0]}]"
    if head == "union":
        return " | ".join(inner)
    if head == "Callable":
        return f"Callable[[{inner[0]}], {inner[1]}]"
    if head in ("dict", "Mapping"):
        return f"{head}[str, {inner[0]}]"
    return f"{head}[{', '.join(inner)}]" if inner else head


def made_of(member, of):
    """Return a type or member with a type in the place of `T`."""
    if isinstance(member, Function):
        parameters = [replace(one, type=made_of(one.type, of)) for one in member.parameters]
        return replace(member, parameters=parameters, returns=made_of(member.returns, of))
    return of if member == T else tuple(made_of(one, of) if isinstance(one, tuple) else one for one in member)


def signature(function, number, prefix=""):
    parts, seen = [], ""
    for one in function.parameters:
        if seen == "position" and one.kind != "position":
            parts.append("/")
        if one.kind == "name" and seen != "name":
            parts.append("*")
        seen = one.kind
        default = "" if one.default is None else f" = {one.default}"
        parts.append(f"{one.name}: {spelled(one.type, number, prefix)}{default}")
    if seen == "position":
        parts.append("/")
    return parts


def defined(name, function, number, *, first=(), prefix=""):
    parts = ", ".join([*first, *signature(function, number, prefix)])
    awaited = "async " if function.awaited else ""
    return f"{awaited}def {name}({parts}) -> {spelled(function.returns, number, prefix)}: ..."


def members_text(members, number, prefix=""):
    for name, member in members.items():
        if isinstance(member, Function):
            yield f"    {defined(name, member, number, first=('self',), prefix=prefix)}"
        elif member[0] == "property":
            yield "    @property"
            yield f"    def {name}(self) -> {spelled(member[1], number, prefix)}: ..."
        else:
            yield f"    {name}: {spelled(member[1], number, prefix)}"


def stub(world):
    """Return the text of a world's stub."""
    n = world.number
    return "\n".join(
        [
            f"T{n} = TypeVar('T{n}')",
            f"class Box{n}(Generic[T{n}]):",
            *(list(members_text(world.box, n)) or ["    ..."]),
            f"class Animal{n}:",
            *(list(members_text(world.animal, n)) or ["    ..."]),
            f"class Dog{n}{f'(Animal{n})' if world.dog_is_animal else ''}: ...",
            f"class Colour{n}(Enum):",
            *(f"    {name} = {value}" for name, value in world.colours.items()),
            f"class Film{n}(TypedDict):",
            *(
                f"    {key}: {spelled(of, n) if needed else f'NotRequired[{spelled(of, n)}]'}"
                for key, (of, needed) in world.film.items()
            ),
            f"class Named{n}(Protocol):",
            *(list(members_text(world.named, n)) or ["    ..."]),
            f"@dataclass{'(frozen=True)' if world.frozen else ''}",
            f"class Data{n}:",
            *(f"    {name}: {spelled(of, n)}{f' = {value}' if value else ''}" for name, of, value in world.data),
            f"class Row{n}(NamedTuple):",
            *(f"    {name}: {spelled(of, n)}" for name, of in world.row),
            f'Alias{n}: TypeAlias = "{spelled(world.alias, n)}"',
            f"LIMIT{n} = {world.constant}",
            *(defined(f"{name}{n}", function, n) for name, function in world.functions.items()),
            *(f"@overload\n{defined(f'over{n}', function, n)}" for function in world.overloads),
            "",
        ]
    )
