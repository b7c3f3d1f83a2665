"""The team that makes an app to track recipes: who is in it, who may do what, what is checked.

    bb run examples/recipes                           the experts say what stands in experts.toml
    bb run examples/recipes --model PROVIDER:NAME     the same team with a real model

Options of its own: `--option amend=no` leaves the operator at home, `--option latency=no` lets nobody think, and
`--option prefers=JSON` changes what experts like: {"rita": {"api/ids": [{"kind": "int"}, {"kind": "uuid"}]}}.
`--option demands=yes` has a customer demand what no answers to two of the questions meet: nobody builds before she
gives way.
"""

import json
from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Any

from blackboard import Budget, Check, Context, Contract, Source, Team, knowledge_source, on
from blackboard.choreography import Choreography, Role, agree, each, loop, majority, may, passed, stop, within
from knowledge_sources import (
    ScriptedChatModel,
    architect,
    coder,
    human,
    mediator,
    planner,
    possibilities,
    read_script,
    reviewer,
)
from knowledge_sources.model import Expert
from knowledge_sources.reading import Reading
from knowledge_sources.replies import Statement
from knowledge_sources.scripted import Reply, Script

HERE = Path(__file__).resolve().parent
PROMPT = "make me an app to track recipes"
REVIEWERS = ("rita", "rob", "ruby", "raj")
CODERS = ("cora", "carl", "chen", "cleo")
CHECK = "unit"
AMENDED = "api/recipe"
AMENDED_AFTER = "web_page"

SECONDS = 300
NOBODY_THINKS = (0.0, 0.0)

DEMANDS = {
    "constraint/offline": 'value("api/id_maker", "made_by") != "server"',
    "constraint/short": 'value("api/ids", "kind") != "uuid"',
    "constraint/unique": 'value("api/ids", "kind") != "int" or value("api/id_maker", "made_by") != "client"',
}
"""Recipes are added without a network, ids can be said on the phone, and no two recipes have the same."""
DEMANDED = {"api/ids": ["kind"], "api/id_maker": ["made_by"]}
"""The two questions, with what everybody relies on of them: no pair of their options meets all of that."""


def team(options: Any) -> Team:  # noqa: ANN401 - what the command line says: model, seed, values
    """Return the team.

    Args:
        options: `model` names a real model, `seed` draws how long scripted experts think, `values` are the options
            above: name -> text.
    """
    script = with_preferences(read_script(HERE), json.loads(options.values.get("prefers", "{}")))
    demands = options.values.get("demands") == "yes"
    if demands:
        script = with_uses(script, DEMANDED)
    latency = NOBODY_THINKS if options.values.get("latency") == "no" else None
    scripted = ScriptedChatModel(script=script, seed=options.seed or 0, latency_seconds=latency)
    amends = options.values.get("amend") != "no"
    return Team(
        PROMPT,
        [
            *experts(options.model or scripted, is_scripted=options.model is None, demands=demands),
            *([amender("olga", scripted, key=AMENDED, after=AMENDED_AFTER)] if amends else []),
            *(demanding("carla") if demands else []),
        ],
        choreography=choreography(code_by="planner" if options.model is None else "architect", demands=demands),
        checks=[Check(CHECK, on="*", command=["python", "-B", "-c", (HERE / "check.py").read_text()])],
        budget=Budget(activations=500),
    )


def experts(model: Any, *, is_scripted: bool, demands: bool = False) -> list[Source]:  # noqa: ANN401 - a model or a model's name
    """Return everybody but the operator; the script's planner proposes, a real one asks, since it knows no rights."""

    def unless_demanded(context: Context) -> float | None:
        return None if context.target in (*DEMANDS, *DEMANDED) else inf

    return [
        planner("paula", model, settles="propose" if is_scripted else "ask"),
        architect("arthur", model, rate=unless_demanded if demands else None),
        *(reviewer(name, model) for name in REVIEWERS),
        mediator("mona", model),
        *(coder(name, model, checks=[CHECK]) for name in CODERS),
    ]


def choreography(*, code_by: str, demands: bool = False) -> Choreography:
    """Return who may do what: questions and contracts are voted, tasks are the planner's, components the coders'.

    Args:
        code_by: Who proposes what the modules offer each other: the planner, or the architect whom it asks.
        demands: Whether what the customer demands, and the questions about it, are hers: nobody votes on them, and
            nobody writes before they are answered.
    """
    customers = [*DEMANDS, *DEMANDED] if demands else []
    answered = [*DEMANDED] if demands else []
    architects, planners, mediators = Role("architect"), Role("planner"), Role("mediator")
    reviewers, coders = Role("reviewer", members=len(REVIEWERS)), Role("coder", members=len(CODERS), crash=3)
    testers, operators = Role("tester", reliable=True), Role("operator", reliable=True)

    def voted(by: Role, template: str) -> Any:  # noqa: ANN401 - a step
        settled = within(SECONDS, mediators.decides(template), otherwise=operators.decides(template))
        return agree(
            by.proposes(template),
            by=majority(of=reviewers),
            within_seconds=SECONDS,
            rounds=3,
            amendments=3,
            otherwise=settled,
        )

    return Choreography(
        "recipes",
        each("**", voted(architects, "**"), at_most=100),
        *(operators.decides(key) for key in customers),
        each("code/{name}", voted(planners if code_by == "planner" else architects, "code/{name}"), at_most=40),
        each(
            "task/{name}",
            within(SECONDS, planners.decides("task/{name}"), otherwise=operators.decides("task/{name}")),
            loop(
                coders.writes("{name}", reads=["task/{name}", *answered, "**"], lease_seconds=2 * SECONDS),
                testers.checks("{name}", CHECK),
                until=passed(CHECK, of="{name}"),
                at_most=4,
                otherwise=stop("unbuildable"),
            ),
            at_most=40,
        ),
        *(may(role, "ask", "**") for role in (planners, architects)),
        requires=["task/*"],
    )


def amender(name: str, model: ScriptedChatModel, *, key: str, after: str) -> Source:
    """Return a scripted person who amends one decision, once, when a component has passed its check."""
    expert = Expert(model, Statement, "mediate", "languages", "board")

    @knowledge_source(name=name, role="operator", on=on.passed(CHECK))
    async def amend(context: Context) -> None:
        if context.target != after:
            return
        async with context.transaction() as transaction:
            reading = Reading(transaction)
            reading.introduce(name, "operator", "mediate", key)
            if reading.decision(key) is None or any(one.author == name for one in transaction.versions(key)):
                return
            statement = await expert.aask(reading.facts, context=context)
            statement.bring_in(transaction, key, "decide")

    return amend


def demanding(name: str) -> list[Source]:
    """Return a customer: what she wrote down, who looks whether it can be met, and herself, who is asked."""

    @knowledge_source(name=f"{name}_wrote", role="operator", on=on.accepted("prompt"))
    def demand(context: Context) -> None:
        with context.transaction() as transaction:
            for key, expression in DEMANDS.items():
                if transaction.decision(key) is None:
                    transaction.decide(key, Contract.constraint(expression))

    asked = [on.asked("constraint/**"), *(on.asked(key) for key in DEMANDED)]
    return [demand, possibilities("petra"), human(name, on=asked)]


def with_uses(script: Script, uses: Mapping[str, list[str]]) -> Script:
    """Return the script in which every task of the plan relies on some decisions too: key -> facets."""

    def relying(reply: Reply) -> Reply:
        if reply.act != "plan":
            return reply
        plan: dict[str, Any] = dict(reply.answer)
        plan["tasks"] = [{**task, "uses": {**uses, **task.get("uses", {})}} for task in plan["tasks"]]
        return reply.model_copy(update={"answer": plan})

    return script.model_copy(update={"replies": tuple(map(relying, script.replies))})


def with_preferences(script: Script, prefers: dict[str, dict[str, Any]]) -> Script:
    """Return the script with other preferences: expert -> key -> a value, or a list of values, best first."""
    changed = {
        name: script.experts[name].model_copy(update={"prefers": {**script.experts[name].prefers, **keys}})
        for name, keys in prefers.items()
    }
    return script.model_copy(update={"experts": {**script.experts, **changed}})
