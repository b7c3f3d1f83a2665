"""Programs of those who count on a world: what each type-checks beside its own stub, and what it asserts when run."""

from functools import partial

from stub_pairs import Function, T, defined, made_of, spelled

_MAX_NESTED = 3


class Users:
    """Writes the programs for one world; `side` is who counts on it."""

    def __init__(self, world, side, other) -> None:
        self.world, self.side, self.other, self.n = world, side, other, world.number
        self._taken, self._users = [], 0
        self.given, self.received = self._flows()

    def program(self):
        """Return the lines that a type checker looks at."""
        lines = []
        for name, function in (*self.world.functions.items(), *(("over", one) for one in self.world.overloads)):
            lines += self._function(made_of(function, ("Dog",)), f"contract.{name}{self.n}")
        for of in (("Animal",), ("Data",), ("Row",), ("Box", ("Dog",))):
            lines += self._user(lambda one=of: self._used(one, self._variable(one)))
        if self.world.dog_is_animal:
            lines += self._user(lambda: self._used(("Animal",), self._variable(("Dog",))))
        lines += self._user(lambda: [self._made((name,)) for name in ("Animal", "Dog", "Data", "Row")])
        for name in ("Alias", "Film", "Named", "Colour"):
            nowhere = name not in self.given | self.received and name != "Colour"
            if nowhere or name in self.received:
                lines += self._user(lambda one=name: self._used((one,), self._variable((one,))))
            if nowhere or name in self.given:
                made = self._variable if name == "Alias" else self._made
                target = self.world.alias if name == "Alias" else (name,)
                lines += self._user(lambda one=name, of=target, by=made: [f"x: contract.{one}{self.n} = {by(of)}"])
        if self.side == "uses" or "Colour" in self.given or "Colour" not in self.received:
            lines += self._user(lambda: [f"contract.Colour{self.n}.{name}" for name in self.world.colours])
        return [*self._mine(), *lines]

    def asserts(self):
        """Return the lines that are run beside a module made of the stub."""
        n = self.n
        yield f"assert contract.LIMIT{n} == {self.world.constant}"
        if self.world.frozen:
            yield f"assert contract.Data{n}.__hash__ is not None"
        for name, value in self.world.colours.items():
            if name in self.other.colours:
                yield f"assert contract.Colour{n}.{name}.value == {value}"
        yield from self._ordered(f"contract.Data{n}", [name for name, _, _ in self.world.data])
        for name, function in self.world.functions.items():
            yield from self._defaults(function, f"contract.{name}{n}")
        for owner, members in (("Animal", self.world.animal), ("Box", self.world.box), ("Named", self.world.named)):
            called = owner != "Named" or "Named" in self.received or "Named" not in self.given
            for name, member in members.items() if called else ():
                if isinstance(member, Function):
                    yield from self._defaults(member, f"contract.{owner}{n}.{name}", skipped=1)
        for name, _, default in self.world.data:
            if default:
                yield f"assert inspect.signature(contract.Data{n}).parameters[{name!r}].default == {default}"

    def _defaults(self, function, path, skipped=0):
        yield from self._ordered(path, [one.name for one in function.parameters if one.kind == "either"])
        for place, one in enumerate(function.parameters, skipped):
            if one.default not in (None, "..."):
                values = f"inspect.signature({path}).parameters"
                found = f"{values}[{one.name!r}]" if one.kind != "position" else f"list({values}.values())[{place}]"
                yield f"assert {found}.default == {one.default}"

    def _ordered(self, path, names):
        if names:
            yield f"found = list(inspect.signature({path}).parameters)"
            yield f"assert [name for name in found if name in {names}] == {names}"

    def _function(self, function, path):
        everything = list(function.parameters)
        required = [one for one in everything if one.default is None]
        lines = []
        for chosen, way in ((everything, "made"), (required, "by place"), (everything, "by name")):
            write = partial(self._call, function, path, chosen, way)
            lines += self._user(write, awaited=function.awaited)
        return lines

    def _call(self, function, path, chosen, way):
        call = self._passed(chosen, path, by_name=way == "by name", made=way == "made")
        if function.awaited:
            call = f"await {call}"
        if self._is_nothing(function.returns):
            return [call]
        return [f"r = {call}", *self._used(function.returns, "r")]

    def _user(self, write, *, awaited=False):
        self._taken, self._users = [], self._users + 1
        body = write() or ["pass"]
        head = f"{'async ' if awaited else ''}def user{self.n}_{self._users}({', '.join(self._taken)}) -> None:"
        return [head, *(f"    {line}" for line in body)]

    def _variable(self, of):
        self._taken.append(f"v{len(self._taken)}: {self._text(of)}")
        return f"v{len(self._taken) - 1}"

    def _text(self, of):
        return spelled(of, self.n, "contract.")

    def _mine(self):
        yield f"class Mine{self.n}:"
        yield "    def __init__(self) -> None: ..."
        for name, member in self.world.named.items():
            if isinstance(member, Function):
                yield f"    {defined(name, member, self.n, first=('self',), prefix='contract.')}".replace(
                    ": ...", ": raise NotImplementedError"
                )
            elif member[0] == "property":
                yield "    @property"
                yield f"    def {name}(self) -> {self._text(member[1])}: raise NotImplementedError"
            else:
                yield f"    {name}: {self._text(member[1])}"

    def _made(self, of, nested=0):
        """Write how a user makes a value of a type."""
        head, *items = of
        if nested > _MAX_NESTED:
            return self._variable(of)
        inner = [self._made(item, nested + 1) for item in items] if head in ("list", "dict", "tuple") else []
        simple = {"Animal": f"contract.{head}{self.n}()", "Named": f"Mine{self.n}()", "list": f"[{', '.join(inner)}]"}
        simple |= {"Dog": simple["Animal"], "tuple": f"({', '.join(inner)})", "dict": f"{{'k': {', '.join(inner)}}}"}
        if head in simple:
            return simple[head]
        if head == "Colour":
            return f"contract.Colour{self.n}.{next(reversed(self.world.colours))}"
        if head == "Film" and (self.side == "uses" or self.world.film.keys() <= self.other.film.keys()):
            made = (f"{key!r}: {self._made(value, nested + 1)}" for key, (value, _) in self.world.film.items())
            return f"{{{', '.join(made)}}}"
        if head in ("Data", "Row"):
            fields = self.world.data if head == "Data" else self.world.row
            made = [self._made(one[1], nested + 1) for one in fields if not one[2:] or one[2] is None]
            return f"contract.{head}{self.n}({', '.join(made)})"
        return self._made(self.world.alias, nested + 1) if head == "Alias" else self._variable(of)

    def _used(self, of, value, nested=0):
        """Write what a user does with a value that it received."""
        head, *items = of
        held = [f"t{nested}: {self._text(of)} = {value}"]
        if nested > _MAX_NESTED or head == "None":
            return []
        if head in ("Animal", "Named", "Box"):
            members = getattr(self.world, head.lower())
            filled = {name: made_of(member, *(items or [T])) for name, member in members.items()}
            return [*(held if items else []), *self._members(filled, value)]
        if head in ("Data", "Row"):
            fields = self.world.data if head == "Data" else self.world.row
            unpacked = [f"{''.join(f'{one[0]}_, ' for one in fields)}= {value}"] if head == "Row" else []
            return [*unpacked, *(f"{one[0]}__: {self._text(one[1])} = {value}.{one[0]}" for one in fields)]
        if head in ("list", "Sequence", "Iterable", "dict", "Mapping"):
            read = f"{value}.values()" if head in ("dict", "Mapping") else value
            lines = self._used(items[0], f"x{nested}", nested + 1)
            return [*held, f"for x{nested} in {read}:", *(f"    {line}" for line in lines or ["pass"])]
        if head == "Alias":
            return [f"a{nested}: {self._text(self.world.alias)} = {value}"]
        return {"Colour": self._told, "Film": self._keys}.get(head, lambda _: held)(value)

    def _told(self, value):
        """Write that an enum has its values and no others."""
        told = [f"    if it is contract.Colour{self.n}.{name}: return" for name in self.world.colours]
        return [f"def told(it: contract.Colour{self.n}) -> None:", *told, "    assert_never(it)", f"told({value})"]

    def _keys(self, value):
        """Write that a TypedDict has its keys; who implements need not send those that may be absent."""
        lines = ["class Wanted(TypedDict):", "    pass"]
        for key, (of, needed) in self.world.film.items():
            if needed or self.side == "uses" or key in self.other.film:
                read = f"ReadOnly[{self._text(of)}]"
                lines.append(f"    {key}: {read if needed else f'NotRequired[{read}]'}")
        return [*lines, f"w: Wanted = {value}"]

    def _members(self, members, value):
        lines = []
        for name, member in members.items():
            path = f"{value}.{name}"
            if isinstance(member, Function):
                required = [one for one in member.parameters if one.default is None]
                calls = (self._passed(chosen, path) for chosen in (member.parameters, required))
                lines += [self._held(f"c{len(lines)}_{way}", member, call) for way, call in enumerate(calls)]
            else:
                lines.append(f"c{len(lines)}: {self._text(member[1])} = {path}")
        return lines

    def _is_nothing(self, of):
        """Say whether a type is None, of which a type checker lets nobody make use."""
        head, *items = of
        if head == "Alias":
            return self._is_nothing(self.world.alias)
        return head == "None" or (head == "union" and all(map(self._is_nothing, items)))

    def _passed(self, chosen, path, *, by_name=False, made=False):
        arguments = []
        for one in chosen:
            value = self._made(one.type) if made else self._variable(one.type)
            named = one.kind == "name" or (by_name and one.kind == "either")
            arguments.append(f"{one.name}={value}" if named else value)
        return f"{path}({', '.join(arguments)})"

    def _held(self, name, function, call):
        if function.awaited:
            return f"{name}: Coroutine[Any, Any, {self._text(function.returns)}] = {call}"
        return call if self._is_nothing(function.returns) else f"{name}: {self._text(function.returns)} = {call}"

    def _flows(self):
        """Return the names that users give and those that they receive, through everything that they can call."""
        given, received = set(), set()
        functions = [*self.world.functions.values(), *self.world.overloads, *self.world.animal.values()]
        functions += self.world.box.values()
        pending = [step for function in functions if isinstance(function, Function) for step in _steps(function)]
        seen = set()
        while pending:
            of, way = pending.pop()
            if (of, way) in seen:
                continue
            seen.add((of, way))
            head, *items = of
            (given if way == "given" else received).add(head)
            other = "received" if way == "given" else "given"
            if head == "Callable":
                pending += [(items[0], other), (items[1], way)]
                continue
            pending += [(item, way) for item in items]
            if head == "Film":
                pending += [(one, way) for one, _ in self.world.film.values()]
            elif head == "Alias":
                pending.append((self.world.alias, way))
            elif head == "Box":
                members = [made_of(one, items[0]) for one in self.world.box.values() if isinstance(one, Function)]
                pending += [step for function in members for step in _steps(function)]
            elif head == "Named":
                methods = [member for member in self.world.named.values() if isinstance(member, Function)]
                pending += [step for function in methods for step in _steps(function, way, other)]
        return given, received


def _steps(function, out="received", back="given"):
    return [(function.returns, out), *((one.type, back) for one in function.parameters)]
