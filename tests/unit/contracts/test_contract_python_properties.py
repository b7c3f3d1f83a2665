"""What holds for random stubs: layout and order change nothing, one change changes one facet."""

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from blackboard.contracts.language import Contract
from blackboard.spec.effects import Effect, worst

WORDS = ["alpha", "beta", "gamma", "delta", "kappa", "omega"]
PLAIN = st.sampled_from(["int", "str", "bytes", "UUID", "list[int]", "dict[str, 'Recipe']", "tuple[int, str]"])
UNIONS = st.lists(PLAIN | st.just("None"), min_size=1, max_size=3, unique=True)
FIELDS = st.lists(st.tuples(st.sampled_from(WORDS), UNIONS), max_size=3, unique_by=lambda field: field[0])


@dataclass(frozen=True)
class Function:
    name: str
    positional: tuple
    by_name: tuple
    returns: tuple
    raises: tuple

    def render(self, draw):
        parameters = [f"{name}: {union(draw, types)}" for name, types in self.positional]
        by_name = [f"{name}: {union(draw, types)} = ..." for name, types in draw(st.permutations(self.by_name))]
        parameters += ["*", *by_name] if by_name else []
        separator = draw(st.sampled_from([", ", ",", ",\n        "]))
        raised = "".join(
            f"\n        {name}: {draw(st.sampled_from(WORDS))}." for name in draw(st.permutations(self.raises))
        )
        doc = f'    """{draw(st.sampled_from(WORDS))}.\n\n    Raises:{raised}\n    """\n' if raised else ""
        return f"def {self.name}({separator.join(parameters)}) -> {union(draw, self.returns)}:\n{doc}    ...\n"


@dataclass(frozen=True)
class Record:
    name: str
    header: str
    fields: tuple
    ordered: bool

    def render(self, draw):
        fields = self.fields if self.ordered else draw(st.permutations(self.fields))
        doc = f'    """{draw(st.sampled_from(WORDS))}."""\n' if draw(st.booleans()) else ""
        lines = [f"    {name}: {union(draw, types)}\n" for name, types in fields]
        return self.header.format(self.name) + "\n" + doc + "".join(lines or ["    ...\n"])


HEADERS = {
    "@dataclass(frozen=True)\nclass {}:": True,
    "class {}(NamedTuple):": True,
    "class {}(TypedDict):": False,
    "class {}(Protocol):": False,
    "class {}:": False,
}


def union(draw, types):
    members = list(draw(st.permutations(types)))
    rest = [member for member in members if member != "None"]
    styles = [" | ".join(members), "|".join(members), f"Union[{', '.join(members)}]", f'"{" | ".join(members)}"']
    if len(rest) == len(members) - 1 and rest:
        styles.append(f"t.Optional[t.Union[{', '.join(rest)}]]")
    return draw(st.sampled_from(styles[:-1] if "'" in styles[0] and styles[-1].startswith('"') else styles))


def functions(name):
    return st.builds(
        lambda positional, by_name, returns, raises: Function(
            name,
            tuple((f"a_{word}", tuple(types)) for word, types in positional),
            tuple((f"b_{word}", tuple(types)) for word, types in by_name),
            tuple(returns),
            tuple(raises),
        ),
        FIELDS,
        FIELDS,
        UNIONS,
        st.lists(st.sampled_from(["KeyError", "NotFound", "ValueError"]), max_size=2, unique=True),
    )


def records(name):
    return st.builds(
        lambda header, fields: Record(name, header, tuple((n, tuple(types)) for n, types in fields), HEADERS[header]),
        st.sampled_from(sorted(HEADERS)),
        FIELDS,
    )


@st.composite
def modules(draw):
    number = draw(st.integers(1, 4))
    return [draw(functions(f"f{index}") if draw(st.booleans()) else records(f"C{index}")) for index in range(number)]


def render(draw, module):
    imports = [
        "import typing as t\n",
        "from uuid import UUID\n",
        "import uuid\n",
        "from dataclasses import dataclass\n",
    ]
    gap = draw(st.sampled_from(["", "\n", "\n\n# a comment\n"]))
    return "".join(draw(st.permutations(imports))) + gap.join(
        item.render(draw) for item in draw(st.permutations(module))
    )


def meant(old, new):
    """Return the facets of which more than the documentation changed."""
    effects = old.compare(new).effects.items()
    return {name for name, change in effects if worst((change.uses, change.implements)) is not Effect.DOCUMENTATION}


@settings(max_examples=60, deadline=None)
@given(modules(), st.data())
def test_layout_spelling_of_unions_and_order_of_declarations_are_nothing_and_docs_are_documentation(module, data):
    one, other = (Contract.python(render(data.draw, module)) for _ in range(2))

    assert one.facets == other.facets
    documented = {name for name in one.facets if one.docs.get(name) != other.docs.get(name)}
    assert (one.digest == other.digest) is not bool(documented)
    effects = one.compare(other).effects
    assert set(effects) == documented
    assert {(change.uses, change.implements) for change in effects.values()} <= {(Effect.DOCUMENTATION,) * 2}


@settings(max_examples=60, deadline=None)
@given(modules(), st.data())
def test_a_change_of_one_declaration_changes_exactly_its_facet(module, data):
    index = data.draw(st.integers(0, len(module) - 1))
    item = module[index]
    if isinstance(item, Function):
        changed, facet = replace(item, returns=("complex",)), item.name
    else:
        kept = [field for field in item.fields if field[0] != "zeta"]
        item = replace(item, fields=(*kept, ("zeta", ("int",))))
        changed, facet = replace(item, fields=(*kept, ("zeta", ("complex",)))), f"{item.name}.zeta"
    old, new = ([*module[:index], version, *module[index + 1 :]] for version in (item, changed))

    assert meant(Contract.python(render(data.draw, old)), Contract.python(render(data.draw, new))) == {facet}


@settings(max_examples=40, deadline=None)
@given(modules(), st.data())
def test_one_declaration_more_adds_its_facets_and_changes_no_other(module, data):
    old = Contract.python(render(data.draw, module))
    new = Contract.python(render(data.draw, [*module, data.draw(functions("extra"))]))

    assert meant(old, new) == {"", "extra"}
    assert {name: value for name, value in new.facets.items() if name != "extra"} == old.facets
