"""The team that makes an app to track recipes: who is in it, who may do what, what is checked.

    bb run examples/recipes                           the experts say what stands in experts.toml
    bb run examples/recipes --model PROVIDER:NAME     the same team with a real model

Options of its own: `--option amend=no` leaves the operator at home, `--option latency=no` lets nobody think, and
`--option prefers=JSON` changes what experts like: {"rita": {"api/ids": [{"kind": "int"}, {"kind": "uuid"}]}}.
`--option demands=yes` has a customer demand what cannot be, which is shown before anybody builds.
"""

import json
from pathlib import Path
from typing import Any

from blackboard import Budget, Check, Context, Contract, Source, Team, knowledge_source, on
from blackboard.choreography import Choreography, Role, agree, each, loop, majority, may, passed, stop, within
from knowledge_sources import (
    ScriptedChatModel,
    architect,
    coder,
    mediator,
    planner,
    possibilities,
    read_script,
    reviewer,
)
from knowledge_sources.model import Expert
from knowledge_sources.reading import Reading
from knowledge_sources.replies import Statement
from knowledge_sources.scripted import Script

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
    "constraint/offline": 'value("api/id_maker", "made_by") == "client"',
    "constraint/short": 'value("api/ids", "kind") == "int"',
    "constraint/unique": 'value("api/id_maker", "made_by") == "server" or value("api/ids", "kind") == "uuid"',
}
"""Recipes are added without a network, ids can be said on the phone, and no two recipes have the same: not together."""


def team(options: Any) -> Team:  # noqa: ANN401 - what the command line says: model, seed, values
    """Return the team.

    Args:
        options: `model` names a real model, `seed` draws how long scripted experts think, `values` are the options
            above: name -> text.
    """
    script = with_preferences(read_script(HERE), json.loads(options.values.get("prefers", "{}")))
    latency = NOBODY_THINKS if options.values.get("latency") == "no" else None
    scripted = ScriptedChatModel(script=script, seed=options.seed or 0, latency_seconds=latency)
    amends = options.values.get("amend") != "no"
    return Team(
        PROMPT,
        [
            *experts(options.model or scripted, is_scripted=options.model is None),
            *([amender("olga", scripted, key=AMENDED, after=AMENDED_AFTER)] if amends else []),
            *([customer("carla"), possibilities("petra")] if options.values.get("demands") == "yes" else []),
        ],
        choreography=choreography(code_by="planner" if options.model is None else "architect"),
        checks=[Check(CHECK, on="*", command=["python", "-B", "-c", (HERE / "check.py").read_text()])],
        budget=Budget(activations=500),
    )


def experts(model: Any, *, is_scripted: bool) -> list[Source]:  # noqa: ANN401 - a model or a model's name
    """Return everybody but the operator; the script's planner proposes, a real one asks, since it knows no rights."""
    return [
        planner("paula", model, settles="propose" if is_scripted else "ask"),
        architect("arthur", model),
        *(reviewer(name, model) for name in REVIEWERS),
        mediator("mona", model),
        *(coder(name, model, checks=[CHECK]) for name in CODERS),
    ]


def choreography(*, code_by: str) -> Choreography:
    """Return who may do what: questions and contracts are voted, tasks are the planner's, components the coders'.

    Args:
        code_by: Who proposes what the modules offer each other: the planner, or the architect whom it asks.
    """
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
        each("code/{name}", voted(planners if code_by == "planner" else architects, "code/{name}"), at_most=40),
        each(
            "task/{name}",
            within(SECONDS, planners.decides("task/{name}"), otherwise=operators.decides("task/{name}")),
            loop(
                coders.writes("{name}", reads=["task/{name}", "**"], lease_seconds=2 * SECONDS),
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


def customer(name: str) -> Source:
    """Return a person who demands what is in `DEMANDS` as soon as there is a prompt."""

    @knowledge_source(name=name, role="operator", on=on.accepted("prompt"))
    def demand(context: Context) -> None:
        with context.transaction() as transaction:
            for key, expression in DEMANDS.items():
                if transaction.decision(key) is None:
                    transaction.decide(key, Contract.constraint(expression))

    return demand


def with_preferences(script: Script, prefers: dict[str, dict[str, Any]]) -> Script:
    """Return the script with other preferences: expert -> key -> a value, or a list of values, best first."""
    changed = {
        name: script.experts[name].model_copy(update={"prefers": {**script.experts[name].prefers, **keys}})
        for name, keys in prefers.items()
    }
    return script.model_copy(update={"experts": {**script.experts, **changed}})
