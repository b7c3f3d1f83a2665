"""A choreography says itself in sentences."""

from choreography_play import ARCHITECT, CODER, OPERATOR, PLANNER, REVIEWER, TESTER, recipes

from blackboard.choreography import Choreography, Role, agree, current, each, loop, may, quorum, stop, within
from blackboard.choreography.project import sentence, sentences


def test_the_recipes_team_is_said():
    assert sentences(recipes()) == [
        (
            "each api/{name}, at most 20: the architect proposes api/{name}, reviewers vote, 2 of 4, within 300 s, "
            "3 rounds, 1 amendment; else the operator decides"
        ),
        "each task/{name}, at most 40: the planner decides task/{name} within 300 s; else the operator decides",
        (
            "each task/{name}, at most 40: coders write {name} from task/{name}, api/* under a lease of 600 s, "
            "the tester runs unit on {name}, until unit passed on {name}, at most 4 times on the same premises; "
            "else it stops: unbuildable"
        ),
        "the planner may ask api/*",
        "required: api/*, task/*",
    ]


def test_every_ending_is_said():
    mediator = within(30, Role("mediator").decides("ids"), otherwise=OPERATOR.decides("ids"))
    vote = agree(ARCHITECT.proposes("ids"), by=quorum(1, of=OPERATOR), otherwise=mediator)
    writes = CODER.writes("app", reads=["ids"])
    team = Choreography(
        "team",
        vote,
        agree(ARCHITECT.proposes("names"), by=quorum(2, of=REVIEWER)),
        loop(writes, TESTER.checks("app", "*"), until=current(of="app"), at_most=1, otherwise=OPERATOR.decides("ids")),
        PLANNER.decides("plan"),
        TESTER.checks("app", "lint"),
        may(CODER, "write", "notes"),
        each("x", within(1.5, PLANNER.decides("x"), otherwise=stop("too late")), at_most=1),
    )
    assert sentences(team) == [
        (
            "the architect proposes ids, the operator votes, 1 of 1, 1 round; "
            "else the mediator decides within 30 s; else the operator decides"
        ),
        "the architect proposes names, reviewers vote, 2 of 4, 1 round; else the operator settles it",
        (
            "coders write app from ids, the tester runs every check of app, until app is current and no check has "
            "failed it, at most 1 times on the same premises; else the operator decides ids"
        ),
        "the planner decides plan",
        "the tester runs lint on app",
        "coders may write notes",
        "each x, at most 1: the planner decides x within 1.5 s; else it stops: too late",
    ]


def test_a_step_is_said_about_one_instance():
    step = recipes().steps[1].steps[0]
    assert sentence(step, {"name": "server"}) == (
        "the planner decides task/server within 300 s; else the operator decides"
    )
