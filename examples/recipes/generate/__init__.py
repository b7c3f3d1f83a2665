"""The generators of components: six for each table, and the program that combines them.

A `Layer` names the decisions that a component implements and uses (this becomes its task), and computes its contract
and its code. The generators read no board: they make texts from facets. The component `LAYER/TABLE` has the module
`TABLE_LAYER`, whose contract is `api/TABLE_LAYER`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blackboard import Contract
from generate import app, cli, http_api, model, service, storage, tests
from generate.fits import checked
from generate.tables import Table, Unfit, in_order, key_facets, table_of, tables_of

__all__ = [
    "APP",
    "LAYERS",
    "QUESTIONS",
    "Facts",
    "Unfit",
    "Uses",
    "app_task",
    "checked",
    "tables_of",
    "task",
    "written",
]

Uses = dict[str, list[str]]
"""key -> facets; no facets means all of them."""
QUESTIONS = {
    "api/ids": "kind",
    "api/id_maker": "made_by",
    "api/dates": "form",
    "api/list": "shape",
    "api/errors": "shape",
}
"""The questions other than the schema: key -> the facet that answers it."""
APP = "app/main"


@dataclass(frozen=True)
class Facts:
    """What may be known: of each decision the facets that were named, and no others: key -> facet -> value."""

    values: Mapping[str, Mapping[str, Any]]

    def table(self, name: str) -> Table:
        """Return a table, with the columns that were named."""
        return table_of(name, self.values[f"db/{name}"])

    @property
    def tables(self) -> list[Table]:
        """All tables, each after the tables that it refers to."""
        return in_order({key.removeprefix("db/"): self.table(key[3:]) for key in self.values if key.startswith("db/")})

    @property
    def agreed(self) -> dict[str, Any]:
        """The answers to the questions that were named."""
        return {key: self.values[key][facet] for key, facet in QUESTIONS.items() if key in self.values}


@dataclass(frozen=True)
class Layer:
    """One component of each table.

    Attributes:
        summary: The summary of its task.
        uses: Table and the tables that it refers to -> the decisions that the code is computed from.
        code: Table's name and the decisions of `uses` and `implements` -> its module.
        premises: Table -> the decisions that the contract is computed from.
        stub: Table's name and the decisions of `premises` -> its contract; None if no other component calls it.
    """

    summary: str
    uses: Callable[[Table, Sequence[Table]], Uses]
    code: Callable[[str, Facts], str]
    premises: Callable[[Table], Uses] = lambda _: {}
    stub: Callable[[str, Facts], str] | None = None


def _whole(table: Table) -> Uses:
    return {f"db/{table.name}": []}


def _answers(*keys: str) -> Uses:
    return {key: [QUESTIONS[key]] for key in keys}


def _dates(*tables: Table) -> Uses:
    return _answers("api/dates") if any(table.has_dates for table in tables) else {}


def _api(table: Table, *layers: str) -> Uses:
    return {f"api/{table.name}_{layer}": [] for layer in layers}


LAYERS = {
    "model": Layer(
        "The dataclass of a row.",
        lambda *_: {},
        lambda name, _: model.heading(name),
        _whole,
        lambda name, facts: model.stub(facts.table(name)),
    ),
    "storage": Layer(
        "Keep rows in SQLite.",
        lambda t, _: _api(t, "model"),
        lambda name, facts: storage.code(facts.table(name)),
        lambda t: {f"db/{t.name}": key_facets(t)},
        lambda name, facts: storage.stub(facts.table(name)),
    ),
    "service": Layer(
        "What a row may be, and what can be done with rows.",
        lambda t, _: {**_whole(t), **_api(t, "model", "storage"), **_answers("api/id_maker"), **_dates(t)},
        lambda name, facts: service.code(facts.table(name), facts.agreed),
        lambda t: {f"db/{t.name}": key_facets(t), **_answers("api/id_maker"), **_dates(t)},
        lambda name, facts: service.stub(facts.table(name), facts.agreed),
    ),
    "http": Layer(
        "The rows over HTTP, as JSON; the addresses as an OpenAPI document.",
        lambda t, _: {**_api(t, "service"), **_answers("api/list", "api/errors")},
        lambda name, facts: http_api.code(name, facts.agreed),
        lambda _: {},
        lambda name, _: http_api.stub(name),
    ),
    "cli": Layer(
        "The rows on the command line.",
        lambda t, _: {**_whole(t), **_api(t, "service"), **_answers("api/id_maker"), **_dates(t)},
        lambda name, facts: cli.code(facts.table(name), facts.agreed),
        lambda _: {},
        lambda name, _: cli.stub(name),
    ),
    "tests": Layer(
        "Hold the modules to what is agreed.",
        lambda t, parents: {
            **_whole(t),
            **_api(t, "model", "storage", "service", "http", "cli"),
            **{key: [] for one in parents for key in (*_whole(one), *_api(one, "model", "storage"))},
            **_answers("api/id_maker", "api/list", "api/errors"),
            **_dates(t, *parents),
        },
        lambda name, facts: tests.code(
            facts.table(name), [one for one in facts.tables if one.name != name], facts.agreed
        ),
    ),
}


def routes(table: Table) -> Uses:
    """Return what the OpenAPI document of a table is computed from."""
    return {**_whole(table), **_answers("api/list", "api/errors"), **_dates(table)}


def task(layer: str, table: Table, tables: Mapping[str, Table]) -> Contract:
    """Return the task of a component."""
    implements = _api(table, layer) if LAYERS[layer].stub is not None else {}
    files = [f"test_{table.name}.py" if layer == "tests" else f"{table.name}_{layer}.py"]
    if layer == "http":
        implements |= _api(table, "routes")
        files.append(f"{table.name}.openapi.json")
    if layer == "storage":
        implements |= _whole(table)
        files.append(f"{table.name}.sql")
    return Contract.task(
        summary=LAYERS[layer].summary,
        implements=implements,
        uses=LAYERS[layer].uses(table, _parents(table, tables)),
        checks=["unit"] if layer == "tests" else [],
        files=files,
    )


def app_task(tables: Mapping[str, Table]) -> Contract:
    """Return the task of the program that puts the tables together."""
    return Contract.task(
        summary="One command that serves all tables over HTTP, or works on them directly.",
        uses={
            "prompt": [],
            **{key: [] for one in in_order(tables) for key in _api(one, "storage", "http", "cli")},
        },
        files=["app.py"],
        command=["python", "app.py"],
    )


def written(component: str, facts: Facts, texts: Mapping[str, str]) -> dict[str, str]:
    """Return the files of a component.

    Args:
        component: Its key.
        facts: What its task names.
        texts: Of the contracts that it implements: key -> text.
    """
    layer, _, name = component.partition("/")
    if component == APP:
        names = [key[4:].removesuffix("_storage") for key in facts.values if key.endswith("_storage")]
        return {"app.py": app.code(sorted(names), facts.values["prompt"]["text"])}
    module = f"test_{name}.py" if layer == "tests" else f"{name}_{layer}.py"
    files = {module: LAYERS[layer].code(name, facts)}
    if layer == "model":
        files[module] += texts[f"api/{name}_model"]
    if layer == "storage":
        files[f"{name}.sql"] = texts[f"db/{name}"]
    if layer == "http":
        files[f"{name}.openapi.json"] = texts[f"api/{name}_routes"]
    return files


def _parents(table: Table, tables: Mapping[str, Table]) -> list[Table]:
    """Return all tables that a table refers to, directly or not, each after those that it refers to."""
    found: set[str] = set()
    left = [table]
    while left:
        new = {*left.pop().references.values()} - found - {table.name}
        found |= new
        left += [tables[name] for name in new]
    return [one for one in in_order(tables) if one.name in found]
