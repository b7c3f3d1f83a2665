"""A team whose work leaves rows in every table of the spec: it votes by a deadline, builds and checks."""

from blackboard import Check, Team, external, on
from blackboard.choreography import Choreography, Role, agree, each, may, quorum


def team() -> Team:
    architect, operator = Role("architect", reliable=True), Role("operator", reliable=True)
    reviewer, tester = Role("reviewer", members=3, reliable=True), Role("tester", reliable=True)
    agreed = agree(
        architect.proposes("api/{name}"),
        by=quorum(2, of=reviewer),
        within_seconds=300,
        rounds=3,
        amendments=5,
        otherwise=operator.decides("api/{name}"),
    )
    choreography = Choreography(
        "voting",
        each("api/{name}", agreed, at_most=100),
        may(architect, "ask", "api/*"),
        may(architect, "write", "*"),
        may(tester, "check", "*"),
    )
    members = [
        external("art", role="architect", on=[on.asked("api/*"), on.stale("**")]),
        external("test", role="tester", on=on.written("*")),
        *(external(f"rev-{number}", role="reviewer", on=on.proposed("api/*")) for number in (1, 2, 3)),
    ]
    return Team("agree", members, choreography=choreography, checks=[Check("unit", on="*")])
