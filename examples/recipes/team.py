"""The team that makes an app to track recipes: who is in it, who may do what, what is checked.

    bb run examples/recipes                           the experts are programs (experts.py): no model, no key
    bb decide db/schema FILE && bb run …              with any other tables: what depends on them is made again
    bb run examples/recipes --model PROVIDER:NAME     the same prompt for models

Options of its own: `--option amend=no` leaves the operator at home; `--option demands=yes` has a customer demand what
no answers to two of the questions meet: nobody builds before she gives way.
"""

from pathlib import Path
from typing import Any

from experts import CARES, amender, architect, coder, planner, reviewer

from blackboard import Budget, Check, Context, Contract, Source, Team, knowledge_source, on
from blackboard.choreography import (
    Choreography,
    Role,
    agree,
    current,
    each,
    loop,
    majority,
    may,
    reviewed,
    stop,
    within,
)
from knowledge_sources import architect as model_architect
from knowledge_sources import coder as model_coder
from knowledge_sources import human, possibilities
from knowledge_sources import planner as model_planner
from knowledge_sources import reviewer as model_reviewer

HERE = Path(__file__).resolve().parent
PROMPT = "make me an app to track recipes"
CODERS = ("cora", "carl", "chen", "cleo")
UNIT = ["python", "-B", "-m", "unittest", "discover"]
SECONDS = 300

DEMANDS = {
    "constraint/offline": 'value("api/id_maker", "made_by") != "server"',
    "constraint/short": 'value("api/ids", "kind") != "uuid"',
    "constraint/unique": 'value("api/ids", "kind") != "int" or value("api/id_maker", "made_by") != "client"',
}
"""Recipes are added without a network, ids can be said on the phone, and no two recipes have the same."""
DEMANDED = ("api/ids", "api/id_maker")
"""The two questions: no pair of their options meets all of that."""


def team(options: Any) -> Team:  # noqa: ANN401 - what the command line says: model, seed, values
    """Return the team.

    Args:
        options: `model` names a model, `values` are the options above: name -> text.
    """
    if options.model is not None:
        return team_of_models(options.model)
    demands = options.values.get("demands") == "yes"
    sources = [
        planner("paula"),
        architect("arthur", leaves=DEMANDED if demands else ()),
        *map(reviewer, CARES),
        *map(coder, CODERS),
        *([] if options.values.get("amend") == "no" else [amender("olga")]),
        *(demanding("carla") if demands else []),
    ]
    checks = [Check("unit", on="tests/*", command=UNIT)]
    return Team(PROMPT, sources, choreography=choreography(demands=demands), checks=checks)


def choreography(*, demands: bool = False) -> Choreography:
    """Return who may do what: decisions are voted, tasks are the planner's, components the coders'.

    Args:
        demands: Whether a customer settles the questions about ids, and nobody writes before she has.
    """
    architects, planners, operators = Role("architect"), Role("planner"), Role("operator", reliable=True)
    reviewers, coders = Role("reviewer", members=len(CARES)), Role("coder", members=len(CODERS), crash=3)
    testers = Role("tester", reliable=True)
    voted = agree(
        architects.proposes("**"),
        by=majority(of=reviewers),
        within_seconds=SECONDS,
        rounds=3,
        amendments=100,
        otherwise=operators.decides("**"),
    )
    return Choreography(
        "recipes",
        each("**", voted, at_most=1_000),
        *(operators.decides(key) for key in ((*DEMANDS, *DEMANDED) if demands else ())),
        each(
            "task/{layer}/{name}",
            within(
                SECONDS, planners.decides("task/{layer}/{name}"), otherwise=operators.decides("task/{layer}/{name}")
            ),
            loop(
                coders.writes(
                    "{layer}/{name}",
                    reads=["task/{layer}/{name}", *(DEMANDED if demands else ()), "**"],
                    lease_seconds=2 * SECONDS,
                ),
                testers.checks("{layer}/{name}", "*"),
                until=current(of="{layer}/{name}"),
                at_most=4,
                otherwise=stop("unbuildable"),
            ),
            at_most=500,
        ),
        *(may(planners, "retract", pattern) for pattern in ("task/**", "db/*", "api/*")),
        *(may(role, "ask", "**") for role in (planners, architects)),
        requires=["task/*/*"],
    )


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


def team_of_models(model: str) -> Team:
    """Return a team of models for the same prompt."""
    return Team(
        PROMPT,
        [
            model_planner("paula", model),
            model_architect("arthur", model),
            *(model_reviewer(name, model) for name in CARES),
            *(model_coder(name, model, checks=["unit"]) for name in CODERS),
        ],
        choreography=reviewed(len(CARES)),
        checks=[Check("unit", on="**", command=UNIT)],
        budget=Budget(tokens=2_000_000, activations=500),
    )
