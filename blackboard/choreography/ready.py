"""Choreographies that any team can use, whatever it builds.

Planner, architect and coders may ask about any key. The architect decides every key without a vote, or in `reviewed`
proposes and reviewers vote. The planner decides `task/<name>`, because that template is more specific; it creates the
component `<name>`, which coders write until it is current and no check of the team has failed it. Without checks, a
current component is done. The fallback of every deadline and bound is the operator.
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
    """Return the choreography of a planner, an architect who decides without a vote, and coders.

    Args:
        coders: The number of members who write components; all but one may crash.
        decisions: The number of keys on the board at which no new decision may be asked or made.
        tasks: The largest number of tasks.
        attempts: How many times a component is written on the same premises before it is unbuildable.
        within_seconds: The deadline of a decision, counted from the question.
        lease_seconds: The longest duration of a coder's lease on a component.
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
    """Return the choreography of `architect_and_coders` with decisions accepted by a majority of reviewers.

    Args:
        reviewers: The number of members who vote; as many may crash as a majority permits.
        wrong: How many of them may vote against their purpose.
        rounds: The number of rounds of a decision.
        amendments: How many times a vote may amend an accepted decision.
        mediator_seconds: The deadline of the mediator, who decides contested keys; None means no mediator.
        coders: The number of members who write components; all but one may crash.
        decisions: The number of keys on the board at which no new decision may be asked or proposed.
        tasks: The largest number of tasks.
        attempts: How many times a component is written on the same premises before it is unbuildable.
        within_seconds: The deadline of a round, and of the planner.
        lease_seconds: The longest duration of a coder's lease on a component.
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
