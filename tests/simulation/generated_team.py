"""A team for `bb work`: a plan of `--option components=N`, each with a decision of its own and two that it uses.

With `--option block=yes` its architect decides nothing and waits until its run is cancelled.
"""

import time

from simulated_teams import PASSES, architect, coder, planner

from blackboard import Team, knowledge_source, on

CODERS = ("ann", "ben", "cy", "dee")


def tasks(components):
    """Return component -> (what it implements, what it uses), in layers."""
    return {
        f"c{number}": (
            {f"api/k{number}": []},
            {f"api/k{below}": [] for below in {number // 2, number // 3} if below != number},
        )
        for number in range(components)
    }


@knowledge_source(name="architect", role="architect", on=on.required("*/*"))
def blocked(context):
    while not context.cancelled:
        time.sleep(0.01)


def team(options):
    """Return the team."""
    deciding = blocked if options.values.get("block") else architect()
    sources = [planner(tasks(int(options.values["components"]))), deciding, *map(coder, CODERS)]
    return Team("a plan that is generated", sources, checks=[PASSES])
