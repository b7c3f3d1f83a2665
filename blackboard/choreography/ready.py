"""Choreographies that any team can use: nothing in them depends on what is being built.

Planner, architect and coders may ask any key. A decision of any depth is settled by the architect alone, in `reviewed`
by votes on what the architect proposes. `task/<name>` is more specific, so it is the planner's; it brings the component
`<name>` into being, which coders write until it is current and none of the team's checks has failed it: a team without
checks is finished with a component when it is current. What is late or used up is the operator's.
"""

from blackboard.choreography.steps import Choreography, agree, current, each, loop, majority, may, stop, within
from blackboard.choreography.values import ANY_CHECK, OPERATOR, Loop, May, Otherwise, Role, Within
from blackboard.spec.agreement import majority_of

_ANY, _TASK, _COMPONENT = "**", "task/{name}", "{name}"
_REQUIRED = ("task/*",)
_ARCHITECT, _PLANNER = Role("architect"), Role("planner")
_TESTER, _OPERATOR = Role("tester", reliable=True), Role(OPERATOR, reliable=True)


def architect_and_coders(
    *,
    coders: int = 4,
    decisions: int = 1000,
    tasks: int = 200,
    attempts: int = 4,
    within_seconds: float = 300,
    lease_seconds: float = 600,
) -> Choreography:
    """Return the protocol of a planner, an architect who decides alone, and coders.

    Args:
        coders: How many members write components; all but one may crash.
        decisions: With how many keys of any kind on the board no new decision may be asked or made.
        tasks: The most tasks.
        attempts: How often a component is written on the same premises before it counts as unbuildable.
        within_seconds: How long a decision may take once it is asked.
        lease_seconds: How long a coder may hold a component in all.
    """
    settled = within(within_seconds, _ARCHITECT.decides(_ANY), otherwise=_OPERATOR.decides(_ANY))
    return Choreography(
        "architect_and_coders",
        each(_ANY, settled, at_most=decisions),
        each(_TASK, _planned(within_seconds), _built(coders, attempts, lease_seconds), at_most=tasks),
        *_questions(coders),
        requires=_REQUIRED,
    )


def reviewed(
    reviewers: int,
    *,
    wrong: int = 0,
    rounds: int = 3,
    amendments: int = 3,
    mediator_seconds: float | None = None,
    coders: int = 4,
    decisions: int = 1000,
    tasks: int = 200,
    attempts: int = 4,
    within_seconds: float = 300,
    lease_seconds: float = 600,
) -> Choreography:
    """Return the protocol of `architect_and_coders` in which a majority of reviewers settles decisions.

    Args:
        reviewers: How many members vote; as many may crash as a majority can do without.
        wrong: How many of them may vote against their purpose.
        rounds: How many rounds of proposals a decision has.
        amendments: How often an accepted decision may be put to the vote again.
        mediator_seconds: How long a mediator may take over what the rounds left contested; None has no mediator.
        coders: How many members write components; all but one may crash.
        decisions: With how many keys of any kind on the board no new decision may be asked or proposed.
        tasks: The most tasks.
        attempts: How often a component is written on the same premises before it counts as unbuildable.
        within_seconds: How long a round, or the planner, may take.
        lease_seconds: How long a coder may hold a component in all.
    """
    spare = max(0, reviewers - majority_of(reviewers) - wrong)
    last: Otherwise = _OPERATOR.decides(_ANY)
    if mediator_seconds is not None:
        last = within(mediator_seconds, Role("mediator").decides(_ANY), otherwise=last)
    settled = agree(
        _ARCHITECT.proposes(_ANY),
        by=majority(of=Role("reviewer", members=reviewers, crash=spare, wrong=wrong)),
        within_seconds=within_seconds,
        rounds=rounds,
        amendments=amendments,
        otherwise=last,
    )
    return Choreography(
        "reviewed",
        each(_ANY, settled, at_most=decisions),
        each(_TASK, _planned(within_seconds), _built(coders, attempts, lease_seconds), at_most=tasks),
        *_questions(coders),
        requires=_REQUIRED,
    )


def _planned(within_seconds: float) -> Within:
    return within(within_seconds, _PLANNER.decides(_TASK), otherwise=_OPERATOR.decides(_TASK))


def _built(coders: int, attempts: int, lease_seconds: float) -> Loop:
    return loop(
        _coder(coders).writes(_COMPONENT, reads=(_TASK, _ANY), lease_seconds=lease_seconds),
        _TESTER.checks(_COMPONENT, ANY_CHECK),
        until=current(of=_COMPONENT),
        at_most=attempts,
        otherwise=stop("unbuildable"),
    )


def _questions(coders: int) -> tuple[May, ...]:
    return tuple(may(role, "ask", _ANY) for role in (_PLANNER, _ARCHITECT, _coder(coders)))


def _coder(coders: int) -> Role:
    return Role("coder", members=coders, crash=max(0, coders - 1))
