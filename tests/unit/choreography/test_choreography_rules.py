"""What is not well formed is refused, and the repair that the refusal names makes it accepted."""

import pytest
from choreography_play import ARCHITECT, CODER, OPERATOR, PLANNER, REVIEWER, TESTER, recipes

from blackboard.choreography import (
    Choreography,
    Role,
    agree,
    architect_and_coders,
    current,
    each,
    loop,
    majority,
    may,
    passed,
    quorum,
    reviewed,
    stop,
    within,
)
from blackboard.choreography.rules import check
from blackboard.errors import InvalidTeam

A, T, C = "api/{name}", "task/{name}", "{name}"
LEASE, LATE = 600, 300


def team(*steps, requires=()):
    return Choreography("team", *steps, requires=requires)


def planned(key=T, role=PLANNER, **changed):
    return within(**{"seconds": LATE, "step": role.decides(key), "otherwise": OPERATOR.decides(key)} | changed)


def voted(key=A, by=None, **changed):
    rule = {"by": by or quorum(2, of=REVIEWER), "within_seconds": LATE, "otherwise": OPERATOR.decides(key)}
    return agree(ARCHITECT.proposes(key), **(rule | changed))


def writes(key=C, reads=(T,), lease_seconds=LEASE, role=CODER):
    return role.writes(key, reads=reads, lease_seconds=lease_seconds)


def built(*steps, key=C, until=None, at_most=4, otherwise=None):
    return loop(
        *(steps or (writes(key),)),
        until=until or current(of=key),
        at_most=at_most,
        otherwise=otherwise or stop("unbuildable"),
    )


def per_task(*steps, at_most=40):
    return each(T, *steps, at_most=at_most)


FIXER = Role("fixer")

# name: (broken, repaired, what the refusal names, what its repair names)
CASES = {
    "1 a key with a variable outside an each": (
        team(planned()),
        team(per_task(planned())),
        ("step 0.0", "planner", T),
        "wrap it: each('task/{name}'",
    ),
    "1 a pattern outside an each": (
        team(planned("api/*")),
        team(each("api/*", planned("api/*"), at_most=9)),
        ("step 0.0", "planner", "api/*"),
        "wrap it: each('api/*'",
    ),
    "1 a step that does not name its variable": (
        team(per_task(planned("task/first"))),
        team(per_task(planned(T))),
        ("step 0.0.0", "planner", "task/first"),
        "let it name {name}",
    ),
    "1 a step that names a variable which nothing binds": (
        team(per_task(planned(), built(key="{name}-{part}"))),
        team(per_task(planned(), built(key="{name}-part"))),
        ("step 0.1", "coder", "{name}-{part}"),
        "let it name {name}",
    ),
    "1 a step of another key in an each that binds nothing": (
        team(each("api/**", planned("api/all"), at_most=9)),
        team(each("api/**", planned("api/**"), at_most=9)),
        ("step 0.0.0", "planner", "api/all"),
        "let the step name 'api/**'",
    ),
    "1 a read that nothing binds": (
        team(per_task(planned(), built(writes(reads=[T, "api/{part}"]))), requires=["api/*"]),
        team(per_task(planned(), built(writes(reads=[T, "api/*"]))), requires=["api/*"]),
        ("step 0.1.0", "coder", C),
        "read a pattern with * there",
    ),
    "1 a variable that is part of a segment": (
        team(each("task/{name}-api", planned("task/{name}-api"), at_most=9)),
        team(each("task/{name}", planned("task/{name}"), at_most=9)),
        ("step 0", "planner", "task/{name}-api"),
        "bind a whole segment",
    ),
    "1 an each without steps": (
        team(each(T, at_most=9)),
        team(each(T, planned(), at_most=9)),
        ("step 0", "no role", T),
        "give it one",
    ),
    "1 an otherwise about another key": (
        team(each(A, voted(otherwise=OPERATOR.decides("rulings/{name}")), at_most=9)),
        team(each(A, voted(otherwise=OPERATOR.decides(A)), at_most=9)),
        ("step 0.0", "architect", A),
        f"let it decide {A}",
    ),
    "1 a second otherwise about another key": (
        team(per_task(planned(otherwise=planned(role=ARCHITECT, otherwise=OPERATOR.decides("x/{name}"))))),
        team(per_task(planned(otherwise=planned(role=ARCHITECT)))),
        ("step 0.0.1", "architect", T),
        f"let it decide {T}",
    ),
    "1 an act that is none": (
        team(may(PLANNER, "delete", "notes/*")),
        team(may(PLANNER, "retract", "notes/*")),
        ("step 0", "planner", "notes/*"),
        "retract",
    ),
    "1 a key that installing a team writes": (
        team(planned("role/coder")),
        team(planned("roles/coder")),
        ("step 0.0", "planner", "role/coder"),
        "use another key",
    ),
    "1 more faults than members": (
        team(planned("a", role=Role("planner", members=2, crash=3))),
        team(planned("a", role=Role("planner", members=2, crash=2))),
        ("step 0.0", "planner", "a"),
        "faults at most that",
    ),
    "1 a role without members": (
        team(planned("a", role=Role("planner", members=0))),
        team(planned("a", role=Role("planner", members=1))),
        ("step 0.0", "planner", "a"),
        "members=1",
    ),
    "1 a check of what nobody writes": (
        team(per_task(planned(), TESTER.checks("{name}-page", "unit"))),
        team(per_task(planned(), writes("{name}-page"), TESTER.checks("{name}-page", "unit"))),
        ("step 0.1", "tester", "{name}-page"),
        "role.writes('{name}-page'",
    ),
    "1 a loop about two components": (
        team(per_task(planned(), built(writes(), TESTER.checks("{name}-page", "unit")))),
        team(per_task(planned(), built(writes(), TESTER.checks(C, "unit")))),
        ("step 0.1.1", "tester", "{name}-page"),
        f"let it name {C}",
    ),
    "1 a loop whose condition nothing makes true": (
        team(per_task(planned(), built(writes(), TESTER.checks(C, "lint"), until=passed("unit", of=C)))),
        team(per_task(planned(), built(writes(), TESTER.checks(C, "unit"), until=passed("unit", of=C)))),
        ("step 0.1", "coder", C),
        "add role.checks('{name}', 'unit')",
    ),
    "1 a loop until nobody knows which check passed": (
        team(per_task(planned(), built(writes(), TESTER.checks(C, "*"), until=passed("*", of=C)))),
        team(per_task(planned(), built(writes(), TESTER.checks(C, "*"), until=current(of=C)))),
        ("step 0.1", "coder", C),
        "current(of='{name}')",
    ),
    "1 a step after checks that nobody counts": (
        team(per_task(planned(), writes(), TESTER.checks(C, "*"), planned("release/{name}"))),
        team(per_task(planned(), writes(), TESTER.checks(C, "unit"), planned("release/{name}"))),
        ("step 0.2", "tester", C),
        "name the check",
    ),
    "1 a loop that hands over what nobody settled": (
        team(per_task(planned(), built(otherwise=OPERATOR.decides("rulings/{name}")))),
        team(per_task(planned(), built(otherwise=OPERATOR.decides(T)))),
        ("step 0.1", "coder", C),
        "a key that a step of its each settled",
    ),
    "2 two rules for one decision": (
        team(each(A, voted(), at_most=9), each("api/{part}", planned("api/{part}"), at_most=9)),
        team(each(A, voted(), at_most=9), each("api/errors", planned("api/errors"), at_most=9)),
        ("step 1.0", "planner", "api/{part}"),
        "more specifically than",
    ),
    "2 two rules where templates only meet": (
        team(
            each("{a}/{b}", planned("{a}-x/{b}"), at_most=9),
            each("{b}/{a}", planned("all-{b}/{a}"), at_most=9),
        ),
        team(
            each("{a}/{b}", planned("{a}-x/{b}"), at_most=9),
            each("{b}/{a}", planned("all-{b}-y/{a}"), at_most=9),
        ),
        ("step 1.0", "planner", "all-{b}/{a}"),
        "keep one of the two",
    ),
    "2 two writers of a component without leases": (
        team(
            per_task(planned(), built()),
            per_task(Role("fixer", reliable=True).writes(C, reads=[T])),
        ),
        team(
            per_task(planned(), built()),
            per_task(Role("fixer", reliable=True).writes(C, reads=[T], lease_seconds=LEASE)),
        ),
        ("step 1.0", "fixer", C),
        "give both lease_seconds",
    ),
    "2 two writers of a component one after the other": (
        team(per_task(planned(), built(), writes(role=FIXER))),
        team(per_task(planned(), built())),
        ("step 0.2", "fixer", C),
        "keep one of the two",
    ),
    "2 two writers in one loop": (
        team(per_task(planned(), built(writes(), writes(role=FIXER)))),
        team(per_task(planned(), built(writes()))),
        ("step 0.1", "coder", C),
        "exactly one",
    ),
    "2 a right to decide that goes round a vote": (
        team(each(A, voted(), at_most=9), may(CODER, "decide", "api/*")),
        team(each(A, voted(), at_most=9), may(CODER, "decide", "**")),
        ("step 1", "coder", "api/*"),
        "let it name less or more than api/{name}",
    ),
    "2 a right to write that goes round a lease": (
        team(per_task(planned(), built()), may(PLANNER, "write", "*")),
        team(per_task(planned(), built()), may(PLANNER, "write", "notes")),
        ("step 1", "planner", "*"),
        "let it name less or more than {name}",
    ),
    "2 one key for a decision and a component": (
        team(each(C, planned(C), built(writes(reads=[C])), at_most=9)),
        team(per_task(planned(T), built(writes(reads=[T])), at_most=9)),
        ("step 0.1", "coder", C),
        "keys of their own",
    ),
    "3 a read that no step settles": (
        team(per_task(planned(), built(writes(reads=[T, "api/*"])))),
        team(per_task(planned(), built(writes(reads=[T, "api/*"]))), each(A, voted(), at_most=9)),
        ("step 0.1.0", "coder", C),
        "add a step that settles api/*",
    ),
    "3 a read that no step settles, required": (
        team(per_task(planned(), built(writes(reads=[T, "api/*"])))),
        team(per_task(planned(), built(writes(reads=[T, "api/*"]))), requires=["api/*"]),
        ("step 0.1.0", "coder", C),
        "or require it",
    ),
    "3 a read that only a right may settle": (
        team(per_task(planned(), built(writes(reads=[T, "notes/x"]))), may(PLANNER, "decide", "notes/x")),
        team(per_task(planned(), built(writes(reads=[T, "notes/*"]))), may(PLANNER, "decide", "notes/x")),
        ("step 0.1.0", "coder", C),
        "drop it",
    ),
    "3 a read that is settled only afterwards": (
        team(per_task(built(), planned())),
        team(per_task(planned(), built())),
        ("step 0.0.0", "coder", C),
        "put step 0.1 before it",
    ),
    "5 a quorum that one wrong member makes": (
        team(each(A, voted(by=quorum(1, of=REVIEWER)), at_most=9)),
        team(each(A, voted(by=quorum(2, of=REVIEWER)), at_most=9)),
        ("step 0.0", "architect", A),
        "use quorum(2, …)",
    ),
    "5 a quorum that crashed members prevent": (
        team(each(A, voted(by=quorum(3, of=REVIEWER)), at_most=9)),
        team(each(A, voted(by=quorum(2, of=REVIEWER)), at_most=9)),
        ("step 0.0", "architect", A),
        "use quorum(2, …)",
    ),
    "5 a majority that crashed members prevent": (
        team(each(A, voted(by=majority(of=Role("reviewer", members=2))), at_most=9)),
        team(each(A, voted(by=quorum(1, of=Role("reviewer", members=2))), at_most=9)),
        ("step 0.0", "architect", A),
        "quorum(1, …)",
    ),
    "5 too few voters for the faults": (
        team(each(A, voted(by=quorum(2, of=Role("reviewer", members=3, crash=1, wrong=1))), at_most=9)),
        team(each(A, voted(by=quorum(2, of=Role("reviewer", members=4, crash=1, wrong=1))), at_most=9)),
        ("step 0.0", "architect", A),
        "members=4",
    ),
    "5 voters of whom one is the author": (
        team(each(A, voted(by=quorum(1, of=ARCHITECT)), at_most=9)),
        team(each(A, voted(by=quorum(1, of=Role("judge", members=2))), at_most=9)),
        ("step 0.0", "architect", A),
        "members=3",
    ),
    "6 an each of nothing": (
        team(per_task(planned(), at_most=0)),
        team(per_task(planned(), at_most=1)),
        ("step 0", "planner", T),
        "at_most=1",
    ),
    "6 a loop of nothing": (
        team(per_task(planned(), built(at_most=0))),
        team(per_task(planned(), built(at_most=1))),
        ("step 0.1", "coder", C),
        "at_most=1",
    ),
    "6 no round": (
        team(each(A, voted(rounds=0), at_most=9)),
        team(each(A, voted(rounds=1), at_most=9)),
        ("step 0.0", "architect", A),
        "rounds=1",
    ),
    "6 less than no amendment": (
        team(each(A, voted(amendments=-1), at_most=9)),
        team(each(A, voted(amendments=0), at_most=9)),
        ("step 0.0", "architect", A),
        "amendments=0",
    ),
    "6 a deadline that is over": (
        team(per_task(planned(seconds=0))),
        team(per_task(planned(seconds=1))),
        ("step 0.0", "planner", T),
        "more than 0 seconds",
    ),
    "6 a lease that is over": (
        team(per_task(planned(), built(writes(lease_seconds=-1)))),
        team(per_task(planned(), built(writes(lease_seconds=1)))),
        ("step 0.1.0", "coder", C),
        "more than 0 seconds",
    ),
    "7 votes without a deadline": (
        team(each(A, voted(within_seconds=None), at_most=9)),
        team(each(A, voted(within_seconds=9), at_most=9)),
        ("step 0.0", "architect", A),
        "within_seconds",
    ),
    "7 a decision without a deadline": (
        team(per_task(PLANNER.decides(T))),
        team(per_task(within(9, PLANNER.decides(T), otherwise=OPERATOR.decides(T)))),
        ("step 0.0", "planner", T),
        "write within(seconds, planner.decides(…)",
    ),
    "7 a deadline that ends at somebody who may be gone": (
        team(per_task(planned(otherwise=ARCHITECT.decides(T)))),
        team(per_task(planned(otherwise=planned(role=ARCHITECT)))),
        ("step 0.0.1", "architect", T),
        "write within(seconds, architect.decides(…)",
    ),
    "7 rounds that end at somebody who may be gone": (
        team(each(A, voted(otherwise=PLANNER.decides(A)), at_most=9)),
        team(each(A, voted(otherwise=within(9, PLANNER.decides(A), otherwise=stop("x"))), at_most=9)),
        ("step 0.0.1", "planner", A),
        "write within(seconds, planner.decides(…)",
    ),
    "7 a loop that ends at somebody who may be gone": (
        team(per_task(planned(), built(otherwise=PLANNER.decides(T)))),
        team(per_task(planned(), built(otherwise=planned()))),
        ("step 0.1.1", "planner", T),
        "write within(seconds, planner.decides(…)",
    ),
    "7 a writer without a lease": (
        team(per_task(planned(), built(writes(lease_seconds=None)))),
        team(per_task(planned(), built(writes(lease_seconds=60)))),
        ("step 0.1.0", "coder", C),
        "lease_seconds",
    ),
    "7 a check in hands that may be gone": (
        team(per_task(planned(), built(writes(), Role("tester").checks(C, "unit")))),
        team(per_task(planned(), built(writes(), Role("tester", reliable=True).checks(C, "unit")))),
        ("step 0.1.1", "tester", C),
        "reliable=True",
    ),
    "8 a writer that does not say what it reads": (
        team(per_task(planned(), built(writes(reads=[])))),
        team(per_task(planned(), built(writes(reads=[T])))),
        ("step 0.1.0", "coder", C),
        "reads=['task/{name}'",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_well_formed_is_refused_with_step_role_key_and_a_repair(name):
    broken, _, named, repair = CASES[name]
    with pytest.raises(InvalidTeam) as refused:
        check(broken)
    step, role, key = named
    assert refused.value.what.startswith(f"{step} ({role}, {key}): ")
    assert repair in refused.value.repair


@pytest.mark.parametrize("name", CASES)
def test_with_the_repair_it_is_accepted(name):
    broken, repaired, _, _ = CASES[name]
    assert repaired != broken
    check(repaired)


@pytest.mark.parametrize("rule", "1235678")
def test_each_rule_has_a_case(rule):
    assert any(name.startswith(rule) for name in CASES)


@pytest.mark.parametrize(
    "choreography",
    [
        recipes(),
        architect_and_coders(),
        architect_and_coders(coders=1, attempts=1),
        *(reviewed(reviewers) for reviewers in range(1, 9)),
        reviewed(5, wrong=1),
        reviewed(7, wrong=2),
        reviewed(3, mediator_seconds=60),
        team(planned("api/ids")),
        team(built(writes("app", reads=["api/ids"]), key="app"), planned("api/ids"), requires=["api/ids"]),
        team(each(A, voted(by=quorum(1, of=OPERATOR), within_seconds=LATE), at_most=1)),
    ],
)
def test_a_well_formed_choreography_is_accepted(choreography):
    check(choreography)


@pytest.mark.parametrize(
    ("members", "crash", "wrong"), [(n, c, w) for n in range(1, 8) for c in range(3) for w in range(3) if c + w <= n]
)
def test_quorums_are_accepted_exactly_within_the_bounds(members, crash, wrong):
    for votes in range(members + 2):
        rule = quorum(votes, of=Role("reviewer", members=members, crash=crash, wrong=wrong))
        choreography = team(each(A, voted(by=rule), at_most=1))
        if wrong + 1 <= votes <= members - crash - wrong:
            check(choreography)
        else:
            with pytest.raises(InvalidTeam):
                check(choreography)


def test_a_majority_among_too_few_honest_reviewers_is_refused():
    with pytest.raises(InvalidTeam, match="reviewer"):
        check(reviewed(2, wrong=1))
