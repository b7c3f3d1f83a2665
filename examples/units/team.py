"""A team that builds a command for units: a planner, an architect, three reviewers, two coders.

bb run examples/units                           the experts say what stands in experts.toml
bb run examples/units --model PROVIDER:NAME     the same team with a real model
"""

from pathlib import Path
from typing import Any

from blackboard import Budget, Check, Team
from blackboard.choreography import reviewed
from knowledge_sources import ScriptedChatModel, architect, coder, planner, read_script, reviewer

HERE = Path(__file__).resolve().parent
PROMPT = "make me a command that converts units of length and weight"


def team(options: Any) -> Team:  # noqa: ANN401 - what the command line says: model, seed, values
    """Return the team; `options.model` names a real model."""
    model = options.model or ScriptedChatModel(script=read_script(HERE), seed=options.seed or 0)
    return Team(
        PROMPT,
        [
            planner("pia", model),
            architect("ari", model),
            *(reviewer(name, model) for name in ("rosa", "remy", "ruth")),
            *(coder(name, model, checks=["works"]) for name in ("cora", "cyrus")),
        ],
        choreography=reviewed(3, coders=2),
        checks=[Check("works", on="command", command=["python", "-B", "-c", (HERE / "check.py").read_text()])],
        budget=Budget(activations=200),
    )
