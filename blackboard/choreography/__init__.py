"""The whole team's protocol, written once, from above: who may do what to which keys, when, and what if nobody does.

    steps         what it is written with: Role, each, agree, within, loop, may, …, and the Choreography itself
    ready         protocols that any team can use
    values, form  what it is made of, and its JSON form, which is checked wherever it comes from
    templates     how templates stand to each other; the most specific step governs a key
    rules         which ones are well formed; every refusal comes with a repair
    places        where each step stands, found by key
    events        what the relation asks of a board, is told, and answers
    moves         the one transition relation: `guard` says what is permitted now, `follow` what follows (it is made of
                  rights and consequences)
    project       the same as sentences

Nothing here has a clock, an id of its own or a board: the commit asks, and does what the answers say.
"""

from blackboard.choreography.ready import architect_and_coders, reviewed
from blackboard.choreography.steps import (
    Choreography,
    Role,
    agree,
    current,
    each,
    loop,
    majority,
    may,
    passed,
    quorum,
    stop,
    within,
)

__all__ = [
    "Choreography",
    "Role",
    "agree",
    "architect_and_coders",
    "current",
    "each",
    "loop",
    "majority",
    "may",
    "passed",
    "quorum",
    "reviewed",
    "stop",
    "within",
]
