"""The sources of the team: programs that compute proposals, votes and components from the decisions on the board.

    planner    asks the open questions of the prompt; decides a task for each component of the schema's tables
    architect  answers the questions; splits the schema into tables; proposes the interfaces of the modules
    reviewer   votes: on the answer to a question by its preferences, on a contract by computing it again
    coder      writes a component from the facets that its task names
    operator   amends the schema once: after the first tests have passed, recipes get a rating

Only the operator and the file `schema.sql` name tables and columns.
"""

import json
import re
from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Any

import generate
from generate import APP, LAYERS, QUESTIONS, Facts, Unfit, Uses, checked, tables_of
from generate.http_api import routes
from generate.tables import Table

from blackboard import Context, Contract, NotPermitted, Refused, Source, Transaction, Version, knowledge_source, on

SCHEMA = "db/schema"
FIRST_SCHEMA = Path(__file__).with_name("schema.sql")
QUESTION = {
    "api/ids": "What is the id of a row: a number, or a UUID?",
    "api/id_maker": "Who makes the id of a new row?",
    "api/dates": "How are dates written in JSON and on the command line?",
    "api/list": "Is a list everything at once, or a page of it?",
    "api/errors": "What does an error look like?",
}
OPTIONS = {
    "uuid": "Rows of two people can be merged when no two can have the same id.",
    "int": "A number can be said on the phone and typed.",
    "client": "A client that makes the id can repeat a request that got lost without adding the row twice.",
    "server": "Nobody can get it wrong who does not have to think of it.",
    "iso": "People and programs can both read it.",
    "unix": "A number has no time zone and no spelling.",
    "page": "Some people keep thousands of rows, and nobody reads them all at once.",
    "list": "One request is enough.",
    "text": "A line can be shown as it is.",
    "objects": "A program wants a code for each mistake, and a form can have three of them.",
}
"""The rationale for each option."""
CHOICES = {
    "api/ids": ("uuid", "int"),
    "api/id_maker": ("client", "server"),
    "api/dates": ("unix", "iso"),
    "api/list": ("page", "list"),
    "api/errors": ("objects", "text"),
}
"""The options of each question, first what the architect would rather have."""
CARES = {
    "rita": {"uuid", "server", "iso", "page", "objects"},
    "rob": {"int", "server", "iso", "list", "objects"},
    "ruby": {"uuid", "server", "iso", "page", "text"},
    "raj": {"uuid", "client", "unix", "page", "objects"},
}
"""Which options a reviewer approves at once; another one it approves when its own was rejected."""


# ---- what is read ---------------------------------------------------------------------------------------------------


def read(transaction: Transaction, uses: Mapping[str, Any], *, side: str = "uses") -> dict[str, Any] | None:
    """Read some facets of some decisions, and rely on no more: key -> facet -> value; None where one is missing."""
    found: dict[str, Any] = {}
    for key, facets in uses.items():
        decision = transaction.decision(key, side=side, facets=list(facets) or None)
        if decision is None:
            return None
        every = decision.contract.facets
        found[key] = {name: every[name] for name in facets if name in every} if facets else dict(every)
    return found


def table(transaction: Transaction, name: str) -> Table | None:
    """Look at a table without relying on it: what is relied on is said by the layer that is computed."""
    decision = transaction.decision_of(f"db/{name}")
    return None if decision is None else tables_of(decision.contract.facets)[name]


# ---- the planner ----------------------------------------------------------------------------------------------------


def planner(name: str) -> Source:
    """Return who asks the questions, and states a task for each component that the schema calls for."""
    wakes = [on.accepted("prompt"), on.accepted("api/ids"), on.accepted(SCHEMA), on.written("*/*")]

    @knowledge_source(name=name, role="planner", on=wakes)
    def plan(context: Context) -> None:
        with context.transaction() as transaction:
            if context.kind == "written":
                _retire(transaction, context.target)
                return
            for key, question in QUESTION.items():
                if transaction.decision_of(key) is None and not transaction.questions(key):
                    options = [_option(key, choice) for choice in CHOICES[key]]
                    transaction.ask(key, question, options=options)
            if transaction.decision_of(SCHEMA) is not None:
                _state_tasks(transaction)
            elif transaction.decision_of("api/ids") is not None and not transaction.questions(SCHEMA):
                transaction.ask(SCHEMA, f"Which tables does this take: {context.prompt}?")

    return plan


def _state_tasks(transaction: Transaction) -> None:
    schema = transaction.decision(SCHEMA)
    if schema is None:
        return
    tables = checked(schema.contract.facets)
    wanted = {f"{layer}/{one.name}": generate.task(layer, one, tables) for one in tables.values() for layer in LAYERS}
    wanted[APP] = generate.app_task(tables)
    for component, contract in wanted.items():
        transaction.decision(f"task/{component}")
        transaction.decide(f"task/{component}", contract, rationale=contract.facets["summary"])
    for decision in transaction.all_decisions("task/*/*"):
        component = decision.key.removeprefix("task/")
        if component not in wanted and decision.contract.facets["files"]:
            transaction.decision(decision.key)
            gone = f"The schema has no table {component.partition('/')[2]} any more: there is nothing to write."
            transaction.decide(decision.key, Contract.task(summary=gone), rationale=gone)


def _retire(transaction: Transaction, component: str) -> None:
    """Retract the task of a component of which nothing is left, and with a table's last task what is said of it."""
    task = transaction.decision(f"task/{component}")
    if task is None or task.contract.facets["files"]:
        return
    name = component.partition("/")[2]
    reason = f"the schema has no table {name} any more"
    transaction.retract(task.key, reason=reason)
    if len(transaction.all_decisions(f"task/*/{name}")) > 1:
        return
    for decision in (*transaction.all_decisions("db/*"), *transaction.all_decisions("api/*")):
        if decision.key == f"db/{name}" or decision.key[4:].rpartition("_")[0] == name:
            transaction.decision(decision.key)
            transaction.retract(decision.key, reason=reason)


# ---- the architect --------------------------------------------------------------------------------------------------


def architect(name: str, *, leaves: tuple[str, ...] = ()) -> Source:
    """Return who proposes what is asked for, required, or rests on something that has changed.

    Args:
        leaves: Keys that another source answers.
    """
    rests = ("db/*", "api/*")
    wakes = [on.asked("**"), *(wake(keys) for wake in (on.required, on.stale, on.accepted) for keys in rests)]

    def not_left(context: Context) -> float | None:
        return None if context.target in leaves else inf

    @knowledge_source(name=name, role="architect", on=wakes, rate=not_left)
    def propose(context: Context) -> None:
        for key in _following(context.transaction(), context.target):
            _propose(context, key)
        _propose(context, context.target)

    return propose


def _following(transaction: Transaction, key: str) -> list[str]:
    """Return the decisions that are computed from one that was accepted, those that nobody has made yet too.

    What a change breaks nobody with is a change for them all the same: a new column belongs into the model.
    """
    if key == SCHEMA:
        return [one.key for one in transaction.all_decisions("db/*") if one.key != SCHEMA]
    tasks = [one.contract.facets for one in transaction.all_decisions("task/*/*")]
    named = {name for task in tasks for name in (*task["implements"], *task["uses"]) if name.startswith("api/")}
    computed_keys = sorted(named - QUESTIONS.keys())
    if key in QUESTIONS:
        return computed_keys
    return [one for one in computed_keys if key.startswith("db/") and one[4:].rpartition("_")[0] == key[3:]]


def _propose(context: Context, key: str) -> None:
    with context.transaction() as transaction:
        current = transaction.decision(key)
        asked = bool(transaction.questions(key)) or context.kind == "stale"
        if current is not None and not asked and (key in CHOICES or key == SCHEMA):
            return
        versions = transaction.versions(key)
        try:
            found = None if any(one.state == "proposed" for one in versions) else _answer(transaction, key, versions)
        except NotPermitted:
            return  # its premises are not accepted yet; when they are, the source is woken again
        if found is None or (current is not None and not asked and current.contract.digest == found[0].digest):
            return
        ruled = transaction.decision_of(SCHEMA)
        # An earlier text may return if the schema requires it again; the schema's revision is the evidence.
        evidence = [] if ruled is None else [ruled.mod_revision]
        transaction.propose(key, found[0], rationale=found[1], evidence=evidence)


def _answer(transaction: Transaction, key: str, versions: tuple[Version, ...]) -> tuple[Contract, str] | None:
    """Return what a key should be, and why."""
    if key in CHOICES:
        lost = {version.contract.text for version in versions if version.state == "rejected" and version.contract}
        options = {choice: Contract.value(_option(key, choice)) for choice in CHOICES[key]}
        left = [choice for choice, contract in options.items() if contract.text not in lost]
        return (options[left[0]], OPTIONS[left[0]]) if left else None
    if key == SCHEMA:
        ids = read(transaction, {"api/ids": ["kind"]})
        return None if ids is None else (_first_schema(ids["api/ids"]["kind"]), "What a cook writes down, and no more.")
    return computed(transaction, key)


def computed(transaction: Transaction, key: str) -> tuple[Contract, str] | None:
    """Return what follows for a key from what is decided, and from what it follows; None: nothing, or not yet."""
    if key.startswith("db/"):
        name = key.removeprefix("db/")
        schema = transaction.decision(SCHEMA)
        one = None if schema is None else tables_of(schema.contract.facets).get(name)
        return None if one is None else (Contract("sql", one.ddl() + ";\n"), f"The part of {SCHEMA} about {name}.")
    if not key.startswith("api/"):
        return None
    name, _, layer = key.removeprefix("api/").rpartition("_")
    known = table(transaction, name)
    schema = transaction.decision_of(SCHEMA)
    if known is None and schema is not None and name not in tables_of(schema.contract.facets):
        return None
    if known is None:
        # Whatever is required comes after its table; whoever asks is woken by it.
        raise NotPermitted(f"computing {key}", (), (f"db/{name}",))
    if layer == "routes":
        premises = generate.routes(known)
        make = lambda facts: Contract("openapi", routes(facts.table(name), facts.agreed))  # noqa: E731
    elif layer in LAYERS:
        premises, stub = LAYERS[layer].premises(known), LAYERS[layer].stub
        make = lambda facts: Contract.python(stub(name, facts))  # noqa: E731
    else:
        return None
    facts = read(transaction, premises)
    if facts is None:
        missing = tuple(one for one in premises if transaction.decision_of(one) is None)
        raise NotPermitted(f"computing {key}", (), missing)
    return make(Facts(facts)), f"Follows from {_said(premises) or 'its name alone'}."


def _said(uses: Uses) -> str:
    return ", ".join(f"{key} ({', '.join(facets)})" if facets else key for key, facets in uses.items())


def _first_schema(kind: str) -> Contract:
    text = FIRST_SCHEMA.read_text("utf-8")
    if kind == "uuid":
        text = re.sub(r"\b(id|\w+_id) INTEGER\b", r"\1 TEXT", text)
    return Contract("sql", text)


def _option(key: str, choice: str) -> dict[str, str]:
    return {QUESTIONS[key]: {"objects": "list"}.get(choice, choice) if key == "api/errors" else choice}


# ---- the reviewers --------------------------------------------------------------------------------------------------


def reviewer(name: str) -> Source:
    """Return who votes on each version that is proposed."""

    @knowledge_source(name=name, role="reviewer", on=on.proposed("**"))
    def vote(context: Context) -> None:
        for version in _waiting(context, name):
            try:
                _cast(context, name, version)
            except Refused:
                # The others have settled it meanwhile: no vote is missing.
                if version.version in {one.version for one in _waiting(context, name)}:
                    raise

    return vote


def _waiting(context: Context, name: str) -> list[Version]:
    return [
        version
        for version in context.transaction().versions_of(context.target)[0]
        if version.state == "proposed"
        and name in (version.electorate or ())
        and all(one.author != name for one in version.votes)
    ]


def _cast(context: Context, name: str, version: Version) -> None:
    key = context.target
    with context.transaction() as transaction:
        objection = objection_to(transaction, name, key, version)
        said = objection or "It is what follows from the decisions that it rests on."
        if key in CHOICES and not objection:
            said = OPTIONS[_chosen(key, version)]
        transaction.vote(key, version=version.version, approve=not objection, reason=said)


def objection_to(transaction: Transaction, name: str, key: str, version: Version) -> str:  # noqa: PLR0911 - a case each
    """Return what speaks against a version; the empty text where nothing does."""
    if version.contract is None:
        return "its text is gone"
    if key in CHOICES:
        chosen = _chosen(key, version)
        others = [one for one in transaction.versions_of(key)[0] if one.state == "rejected"]
        mine = [choice for choice in CHOICES[key] if choice in CARES[name]]
        if chosen in CARES[name] or any(_chosen(key, one) in mine for one in others):
            return ""
        return f"{mine[0]} is better: {OPTIONS[mine[0]]}"
    if key == SCHEMA:
        try:
            checked(version.contract.facets)
        except Unfit as error:
            return str(error)
        return ""
    found = computed(transaction, key)
    if found is None:
        return "nothing asks for it"
    wanted, offered = found[0].facets, version.contract.facets
    lacking = sorted(name for name in wanted if offered.get(name) != wanted[name])
    return f"{', '.join(lacking)} are not what follows from the decisions" if lacking else ""


def _chosen(key: str, version: Version) -> str:
    said = None if version.contract is None else json.loads(version.contract.text)
    return next((choice for choice in CHOICES[key] if _option(key, choice) == said), "")


# ---- the coders -----------------------------------------------------------------------------------------------------


def coder(name: str) -> Source:
    """Return who writes components, each from the facets that its task names and from nothing else."""

    @knowledge_source(name=name, role="coder", on=[on.required("*/*"), on.stale("*/*"), on.suspect("*/*")])
    def write(context: Context) -> None:
        component = context.target
        with context.transaction() as transaction:
            task = transaction.decision(f"task/{component}")
            if task is None:
                return
            current = transaction.component(component)
            if current is not None and current.state == "current":
                return
            if not task.contract.facets["files"]:
                transaction.write(component, dict.fromkeys(current.files if current is not None else ()))
                return
            implements, uses = task.contract.facets["implements"], task.contract.facets["uses"]
            used, implemented_facts = read(transaction, uses), read(transaction, implements, side="implements")
            if used is None or implemented_facts is None:
                missing = [key for key in (*uses, *implements) if transaction.decision_of(key) is None]
                raise NotPermitted(f"{name} writes {component}", (), tuple(missing))
            texts = {key: transaction.decision_of(key).contract.text for key in implements}
            files = generate.written(component, Facts(implemented_facts | used), texts)
            kept = {} if current is None else {path: content.decode() for path, content in current.files.items()}
            # A suspect component whose text would be the same is not written again: its checks judge it.
            if files != kept or current is None or current.state != "suspect":
                transaction.write(component, {**dict.fromkeys(kept), **files})

    return write


# ---- the operator ---------------------------------------------------------------------------------------------------


def amender(name: str) -> Source:
    """Return an operator who gives recipes a rating when the first tests have passed: once, and nothing else."""

    @knowledge_source(name=name, role="operator", on=on.passed("unit"))
    def amend(context: Context) -> None:
        with context.transaction() as transaction:
            schema = transaction.decision(SCHEMA)
            if schema is None or any(one.author == name for one in transaction.versions(SCHEMA)):
                return
            start = "CREATE TABLE recipe (\n"
            text = schema.contract.text
            if start not in text:
                return
            column = f"{start}    rating INTEGER CHECK (rating BETWEEN 1 AND 10),\n"
            rationale = "I want to know which recipes were worth it: ratings go from 1 to 10."
            transaction.decide(SCHEMA, Contract("sql", text.replace(start, column)), rationale=rationale)

    return amend
