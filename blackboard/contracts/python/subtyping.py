"""Whether every value of one type is one of another.

The answer is yes, no, or None where a name is opaque. Recursive types are compared coinductively: what is being asked
already is taken to hold while it is asked. The work is bounded; beyond the bound everything is undecided.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from blackboard.contracts.python import known
from blackboard.contracts.python.calls import Shape, Slot, call_gaps, says_any, substituted
from blackboard.contracts.python.declarations import Class, Declaration, Kind, Passing
from blackboard.contracts.python.members import Members
from blackboard.contracts.python.types import Form, Pool, Type, Undecidable

MAX_NESTED = 40

Answer = bool | None


class Subtyping:
    """Compares types where those who give have one stub and those who take another.

    A class that both declare is one class: what changed in it is told for its own facets.
    """

    def __init__(self, given: Members, taken: Members, *, in_programs: bool = False) -> None:
        """Compare types of two stubs.

        Args:
            given: The stub of those who give.
            taken: The stub of those who take.
            in_programs: Whether what promises nothing goes with everything, as a type checker lets it pass.
        """
        self.given, self.taken = given, taken
        self._in_programs = in_programs
        self.pool: Pool = given.types.pool
        self._budget = self.pool.budget
        self._by_origin = {members.types.origin: members.types for members in (given, taken)}
        self._both = (given, taken)
        self._answers: dict[tuple[Type, Type], Answer] = {}
        self._asked: list[tuple[Type, Type]] = []
        self._nested = 0

    def fits(self, value: Type, wanted: Type) -> Answer:
        """Say whether every value of one type is one of another; None where nobody can say."""
        pair = (value, wanted)
        if value is wanted:
            return True
        if pair in self._answers:
            return self._answers[pair]
        self._budget.spend(4)
        first = len(self._asked)
        self._asked.append(pair)
        self._answers[pair] = True
        with self._deeper():
            answer = self._decide(value, wanted)
        if answer is not True:
            # What was found to hold meanwhile may rest on what does not.
            for other in self._asked[first:]:
                if self._answers[other] is True:
                    del self._answers[other]
            del self._asked[first:]
        self._answers[pair] = answer
        return answer

    def same(self, one: Type, other: Type) -> Answer:
        """Say whether two types have the same values."""
        return every((self.fits(one, other), self.fits(other, one)))

    def declared(self, name: str) -> tuple[Members, Declaration] | None:
        """Return what a name declares, first for those who give."""
        plain = name.removeprefix("this.")
        for members in (self.given, self.taken):
            if plain in members.types.declarations:
                return members, members.types.declarations[plain]
        return None

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._nested += 1
        try:
            if self._nested > MAX_NESTED:
                raise Undecidable
            yield
        finally:
            self._nested -= 1

    def _decide(self, value: Type, wanted: Type) -> Answer:  # noqa: PLR0911 - a case each
        value, wanted = self._unfolded(value), self._unfolded(wanted)
        if value is wanted or wanted.form is Form.ANY or value.form is Form.NEVER:
            return True
        if (wanted.form, wanted.name) == (Form.NAMED, "object"):
            return True
        if value.form is Form.ANY:
            return self._in_programs or None  # it promises nothing, and a type checker lets it pass as everything
        if value.form is Form.UNION:
            return every(self.fits(member, wanted) for member in value.items)
        if wanted.form is Form.UNION:
            return self._one_of(value, wanted)
        if value.form is Form.VARIABLE or wanted.form is Form.VARIABLE:
            return self._variable(value, wanted)
        if Form.OPAQUE in (value.form, wanted.form):
            return None
        if value.form is Form.LITERAL:
            return False if wanted.form is Form.LITERAL else self.fits(self._class_of(value.name), wanted)
        return self._unlike(value, wanted)

    def _unlike(self, value: Type, wanted: Type) -> Answer:  # noqa: PLR0911 - a case each
        match value.form, wanted.form:
            case Form.TUPLE, Form.TUPLE:
                if len(value.items) != len(wanted.items):
                    return False
                return every(self.fits(one, other) for one, other in zip(value.items, wanted.items, strict=True))
            case Form.TUPLE, Form.NAMED:
                return self.fits(self.pool.named("tuple", self.pool.union(value.items)), wanted)
            case Form.CALLABLE, Form.CALLABLE:
                return self._callable(value, wanted)
            case Form.NAMED, Form.NAMED:
                return self._named(value, wanted)
            case Form.NAMED, Form.TUPLE if value.name == "tuple" and self._in_programs and says_any(value):
                return True
            case Form.NAMED, Form.TUPLE:
                return any_of(self._fits_base(base, wanted) for base in self._above(value))
            case (Form.NAMED, Form.CALLABLE) | (Form.CALLABLE, Form.NAMED):
                return self._called(value, wanted)
        return False

    def _unfolded(self, of: Type) -> Type:
        seen: set[Type] = set()
        while of.form is Form.ALIAS:
            self._budget.spend()
            types = self._by_origin[of.origin]
            text = types.alias(of.name)
            if of in seen or text is None:
                return self.pool.make(Form.OPAQUE, of.name)
            seen.add(of)
            meant = types.read(text)
            of = meant if not of.items else self.pool.make(Form.OPAQUE, str(of))
        return of

    def _one_of(self, value: Type, wanted: Type) -> Answer:
        answer = value in wanted.items or any_of(self.fits(value, member) for member in wanted.items)
        if answer is False and value.form is Form.NAMED:
            values = self._values(value)
            return every(self.fits(one, wanted) for one in values) if values else False
        return answer

    def _values(self, of: Type) -> list[Type]:
        """Return the literals that a type with few values consists of."""
        if of.name == "bool":
            return [self.pool.make(Form.LITERAL, text) for text in ("True", "False")]
        found = self.declared(of.name)
        if found is None or not isinstance(found[1], Class) or found[1].kind is not Kind.ENUM:
            return []
        names = found[0].enum_values(of.name)
        return [self.pool.make(Form.LITERAL, f"{of.name}.{name}") for name in names]

    def _class_of(self, literal: str) -> Type:
        enum, dot, _ = literal.rpartition(".")
        if dot and enum.removeprefix("this.")[:1].isidentifier():
            return self.pool.named(enum)
        if literal in ("True", "False"):
            return self.pool.named("bool")
        names = {"'": "str", '"': "str", "b": "bytes"}
        return self.pool.named(names.get(literal[:1], "int"))

    def _variable(self, value: Type, wanted: Type) -> Answer:
        """Compare where a type is whatever the caller, or the class that inherits, makes of it."""
        if value.form is not Form.VARIABLE:
            # Why not no for `Self`: whether anybody inherits decides, and that is told only for the class.
            return (value is wanted.items[0] and self._is_last(value.name)) or None if wanted.name == "Self" else False
        if wanted.form is Form.VARIABLE:
            return True if value.name == wanted.name else None
        bound = self.bound(value)
        return None if bound is None else self.fits(bound, wanted) or None

    def _is_last(self, name: str) -> bool:
        """Say whether no class inherits from a class, nor may."""
        return not any(members.is_inherited(name) or members.is_abstract(name) for members in (self.given, self.taken))

    def bound(self, variable: Type) -> Type | None:
        """Return what every value of a type variable is, None where nothing is said."""
        if variable.items:
            return variable.items[0]
        return self._by_origin[variable.origin].bound(variable.name)

    def _callable(self, value: Type, wanted: Type) -> Answer:
        if value.name != wanted.name and not {value.name, wanted.name} <= {"", "..."}:
            return None
        if value.name or wanted.name:
            # Any arguments: the type checkers' way to say nothing about them.
            answer = self.fits(value.items[-1], wanted.items[-1])
            return answer and None if wanted.name == "" else answer
        return self._serves([callable_shape(value)], [callable_shape(wanted)])

    def _called(self, value: Type, wanted: Type) -> Answer:
        """Say whether an instance or a class can stand for a function, or a function for an instance."""
        if value.form is Form.CALLABLE:
            found = self.declared(wanted.name)
            if found is None:
                return None if not known.is_known(wanted.name) or wanted.name in known.STRUCTURAL else False
            members, declared = found
            is_one = isinstance(declared, Class) and declared.kind is Kind.PROTOCOL
            if not is_one or members.names(wanted.name) != {"__call__"}:
                return False
            return self._serves([callable_shape(value)], members.shapes(wanted, "__call__"))
        found = self.declared(value.name)
        if found is None:
            return False if known.is_known(value.name) and value.name != "type" else None
        return self._serves(found[0].shapes(value, "__call__"), [callable_shape(wanted)])

    def _serves(self, served: list[Shape], wanted: list[Shape]) -> Answer:
        return every(any_of(self._serves_one(shape, one) for shape in served) for one in wanted)

    def _serves_one(self, served: Shape, wanted: Shape) -> Answer:
        gaps = list(call_gaps(served, wanted, self.fits, self.pool))
        return False if any(gap.decided for gap in gaps) else None if gaps else True

    def _named(self, value: Type, wanted: Type) -> Answer:
        found = self.declared(wanted.name)
        declared = found[1] if found else None
        answer: Answer = None
        if value.name == wanted.name:
            answer = self._arguments(value, wanted)
        else:
            answer = any_of(self._fits_base(base, wanted) for base in self._above(value))
            if answer is False and isinstance(declared, Class) and declared.kind is Kind.PROTOCOL:
                answer = self._has(value, wanted)
            if answer is False and isinstance(declared, Class) and declared.kind is Kind.TYPED_DICT:
                answer = self._has_keys(value, wanted)
        if answer is False and any(value.name in members.same.get(wanted.name, ()) for members in self._both):
            return None  # one class in one stub and two in the other
        if answer is not True and found is None and self._is_subclass_in_python(value.name, wanted.name):
            return known.is_one(value.name, wanted.name) and (True if not wanted.items else None)
        if answer is False and found is None:
            # Why not these: whatever class a module has under a name, they are none.
            unclear = not known.is_known(wanted.name) and value.name not in ("None", "Coroutine")
            unclear |= wanted.name in known.STRUCTURAL and self._may_have(value.name, wanted.name)
            return None if unclear else False
        return answer

    def _is_subclass_in_python(self, name: str, wanted: str) -> bool:
        """Say whether only Python knows if a class has what another asks for: no list of bases leads there."""
        builtin = known.is_builtin(name) and self.declared(name) is None
        return builtin and known.is_known(wanted) and not known.is_below(name, wanted)

    def _may_have(self, name: str, wanted: str) -> bool:
        """Say whether a class may have what another asks for though none of its bases does."""
        # Why not the abstract ones of the standard library: their bases are all there is to them, but for hashing.
        if self.declared(name) is not None or not known.is_known(name):
            return True
        return ("." in name or wanted == "Hashable") and not known.is_below(name, wanted)

    def _fits_base(self, base: Type | None, wanted: Type) -> Answer:
        return None if base is None else self.fits(base, wanted)

    def _arguments(self, value: Type, wanted: Type) -> Answer:
        if len(value.items) != len(wanted.items):
            return (self._in_programs and not (value.items and wanted.items)) or None
        found = self.declared(value.name)
        signs = (found[0] if found else self.given).variance(value.name)
        pairs = zip(value.items, wanted.items, signs.ljust(len(value.items), "="), strict=False)
        return every(self._argument(one, other, sign) for one, other, sign in pairs)

    def _argument(self, one: Type, other: Type, sign: str) -> Answer:
        if sign == "+":
            return self.fits(one, other)
        return self.fits(other, one) if sign == "-" else self.same(one, other)

    def _above(self, value: Type) -> Iterator[Type | None]:
        """Return the bases of a class; None for one that nobody knows."""
        found = self.declared(value.name)
        if found is None:
            if not known.is_known(value.name):
                yield None
                return
            given = {f"_{number}": item for number, item in enumerate(value.items)}
            for text in known.bases(value.name):
                yield self._filled(self.given.types.read(text), given)
            return
        members, declared = found
        if isinstance(declared, Class):
            parameters = members.parameters(value.name)
            items = value.items or ((self.pool.any,) * len(parameters) if self._in_programs else ())
            given = dict(zip(parameters, items, strict=False))
            for base in members.bases(value.name):
                yield substituted(base, given, self.pool)
            if declared.kind is Kind.NAMED_TUPLE:
                yield members.row(value.name)
            if declared.kind is Kind.TYPED_DICT:
                yield self.pool.named("Mapping", self.pool.named("str"), self.pool.named("object"))
            return
        call = members.types.constructed(value.name, "NewType")
        yield members.new_type(call) if call else None

    def _filled(self, base: Type, given: dict[str, Type]) -> Type:
        if base.form is Form.NAMED and base.name in given:
            return given[base.name]
        items = tuple(self._filled(item, given) for item in base.items)
        return self.pool.make(base.form, base.name, items, base.origin)

    def _has(self, value: Type, wanted: Type) -> Answer:
        """Say whether a class has all that a Protocol asks for."""
        found, asked = self.declared(value.name), self.declared(wanted.name)
        if asked is None:
            return None
        names = sorted(asked[0].names(wanted.name))
        if found is None:
            return False if known.lacks(value.name, names) else None
        return every(self._has_one(found[0], asked[0], value, wanted, name) for name in names)

    def _has_one(self, found: Members, asked: Members, value: Type, wanted: Type, name: str) -> Answer:
        if found.member(value.name, name) is None:
            return None if found.has_unknown_base(value.name) else False
        served, shapes = found.shapes(value, name), asked.shapes(wanted, name)
        if bool(served) != bool(shapes):
            return None
        if shapes:
            return self._serves(served, shapes)
        one, other = found.attribute(value, name), asked.attribute(wanted, name)
        if not asked.is_settable(wanted.name, name):
            return self.fits(one, other)
        return found.is_settable(value.name, name) and self.same(one, other)

    def _has_keys(self, value: Type, wanted: Type) -> Answer:
        found, asked = self.declared(value.name), self.declared(wanted.name)
        if found is None or asked is None or not isinstance(found[1], Class) or found[1].kind is not Kind.TYPED_DICT:
            return False
        answers: list[Answer] = []
        for name in sorted(asked[0].names(wanted.name)):
            if found[0].member(value.name, name) is None:
                return False
            one, other = found[0].attribute(value, name), asked[0].attribute(wanted, name)
            needed = found[0].is_needed(value.name, name) == asked[0].is_needed(wanted.name, name)
            answers.append(every((needed, self.same(one, other))))
        return every(answers)


def callable_shape(of: Type) -> Shape:
    """Return how a `Callable[[…], …]` is called."""
    taken = [Slot(f"argument {number}", Passing.POSITION, item) for number, item in enumerate(of.items[:-1], 1)]
    return Shape(tuple(taken), of.items[-1])


def every(answers: Iterable[Answer]) -> Answer:
    """Return no if one says no, else None if one cannot say."""
    unclear = False
    for answer in answers:
        if answer is False:
            return False
        unclear |= answer is None
    return None if unclear else True


def any_of(answers: Iterable[Answer]) -> Answer:
    """Return yes if one says yes, else None if one cannot say."""
    unclear = False
    for answer in answers:
        if answer is True:
            return True
        unclear |= answer is None
    return None if unclear else False
