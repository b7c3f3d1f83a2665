"""A team of models whose replies were recorded, and are replayed: the prompts are those that a model gets.

bb run examples/recorded                                              what was recorded is replayed
bb run examples/recorded --model PROVIDER:NAME --option record=yes    the model is asked, and its replies are kept
bb run examples/recorded --model PROVIDER:NAME                        the model is asked
"""

from pathlib import Path
from typing import Any

from recorded import Recorded

from blackboard import Budget, Check, InvalidTeam, Team
from blackboard.choreography import reviewed
from knowledge_sources import architect, coder, planner, reviewer
from knowledge_sources.shaping import chat_model_in, runnable_of

CALLS = Path(__file__).resolve().parent / "calls"
ONE_AT_A_TIME = {"turn": 1}
"""What each expert needs while it works, and there is one: so each run shows each of them the same board."""
PROMPT = "make me a command that counts the words of a text"


def team(options: Any) -> Team:  # noqa: ANN401 - what the command line says: model, seed, values
    """Return the team.

    Args:
        options: `model` is a model or names one; `values` may have `record`: `yes`.

    Raises:
        InvalidTeam: There is nobody whose replies could be recorded.
    """
    model = options.model or Recorded(calls=CALLS)
    if options.values.get("record") == "yes":
        asked = None if options.model is None else chat_model_in(runnable_of(options.model))
        if asked is None:
            raise InvalidTeam(
                "there is no model whose replies could be recorded", "name one with --model PROVIDER:NAME"
            )
        model = Recorded(calls=CALLS, model=asked)
    return Team(
        PROMPT,
        [
            planner("pia", model, needs=ONE_AT_A_TIME),
            architect("ari", model, needs=ONE_AT_A_TIME),
            *(reviewer(name, model, needs=ONE_AT_A_TIME) for name in ("rosa", "remy", "ruth")),
            coder("cora", model, checks=["unit"], needs=ONE_AT_A_TIME),
        ],
        resources=ONE_AT_A_TIME,
        choreography=reviewed(3, coders=1),
        checks=[Check("unit", on="**", command=["python", "-m", "unittest", "discover"])],
        budget=Budget(tokens=500_000, activations=300),
    )
