"""The protocol of a whole team: which role may do which act on which keys, when, and the fallback if nobody does.

    steps         constructors: Role, each, agree, within, loop, may, …, and the Choreography itself
    ready         choreographies that any team can use
    values, form  the values of a choreography, and their JSON form with the checks of its shape
    templates     comparison of templates; the most specific step governs a key
    rules         the rules of well-formed choreographies; every refusal names a repair
    places        index of steps by key
    events        the facts, events and consequences of the transition relation
    moves         the transition relation: `guard` permits an act, `follow` returns the consequences of an event; its
                  parts are in rights and consequences
    project       the choreography as sentences

This package has no clock, makes no ids and holds no board: a commit calls it and applies the answers.
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
