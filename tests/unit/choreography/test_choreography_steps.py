"""A choreography is a value with one JSON form, and nothing enters it that has no meaning there."""

import json

import pytest
from choreography_play import ARCHITECT, CODER, OPERATOR, PLANNER, REVIEWER, TESTER, recipes
from hypothesis import given, settings
from hypothesis import strategies as st

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
from blackboard.choreography.values import walk
from blackboard.errors import BlackboardError, InvalidKey, InvalidTeam
from blackboard.spec.canonical import canonical_json, parse_json

RECIPES_DIGEST = "1:4329ebfb2500547510385414d2b58918f12fc7fbbd88b81faec6af99e3251aba"

segments = st.from_regex(r"[a-z][a-z0-9_.-]{0,5}", fullmatch=True)
templates = st.lists(st.one_of(segments, st.just("{name}"), st.just("*"), st.just("**")), min_size=1, max_size=3).map(
    "/".join
)
roles = st.sampled_from([ARCHITECT, PLANNER, REVIEWER, CODER, TESTER, OPERATOR])
seconds = st.one_of(st.integers(-5, 900), st.floats(0.25, 900))
whole = st.integers(-2, 9)
decides = st.builds(Role.decides, roles, templates)
stops = st.text(st.characters(exclude_categories=["Cs"]), max_size=9).map(stop)
otherwise = st.recursive(
    st.one_of(decides, stops), lambda inner: st.builds(within, seconds, decides, otherwise=inner), max_leaves=3
)
quorums = st.one_of(st.builds(quorum, whole, of=roles), st.builds(majority, of=roles))
writes = st.builds(
    Role.writes, roles, templates, reads=st.lists(templates, max_size=2), lease_seconds=st.none() | seconds
)
checks = st.builds(Role.checks, roles, templates, st.one_of(segments, st.just("*")))
agreements = st.builds(
    agree,
    st.builds(Role.proposes, roles, templates),
    by=quorums,
    within_seconds=st.none() | seconds,
    rounds=whole,
    amendments=whole,
    otherwise=st.none() | otherwise,
)
loops = st.builds(
    lambda steps, until, at_most, then: loop(*steps, until=until, at_most=at_most, otherwise=then),
    st.lists(writes | checks, max_size=3),
    st.builds(passed, segments, of=templates) | st.builds(current, of=templates),
    whole,
    otherwise,
)
inner = st.one_of(decides, st.builds(within, seconds, decides, otherwise=otherwise), agreements, loops, writes, checks)
eaches = st.builds(
    lambda template, steps, at_most: each(template, *steps, at_most=at_most),
    templates,
    st.lists(inner, max_size=3),
    whole,
)
rights = st.builds(may, roles, st.sampled_from(["ask", "decide", "nonsense"]), segments | st.just("**"))
choreographies = st.builds(
    lambda name, steps, requires: Choreography(name, *steps, requires=requires),
    segments,
    st.lists(inner | eaches | rights, max_size=4),
    st.lists(segments | st.just("api/*"), max_size=2),
)


@given(choreographies)
@settings(max_examples=60, deadline=None)
def test_a_choreography_read_from_its_json_is_the_same(choreography):
    read = Choreography.from_json(parse_json(canonical_json(choreography.to_json())))
    assert read == choreography
    assert hash(read) == hash(choreography)
    assert read.steps == choreography.steps
    assert read.roles == choreography.roles
    assert read.requires == choreography.requires


@given(choreographies)
@settings(max_examples=40, deadline=None)
def test_each_step_has_a_path_of_its_own_and_parents_come_first(choreography):
    paths = [path for path, _ in walk(choreography.steps)]
    assert len(set(paths)) == len(paths)
    for position, path in enumerate(paths):
        parent = path.rpartition(".")[0]
        assert not parent or parent in paths[:position]


def test_the_digest_of_a_text_once_stored_never_changes():
    assert recipes().digest == RECIPES_DIGEST


def test_every_difference_that_matters_changes_the_digest():
    seen = [recipes(), architect_and_coders(), architect_and_coders(attempts=5), reviewed(3), reviewed(4)]
    seen += [reviewed(3, mediator_seconds=60), reviewed(3, wrong=1), reviewed(3, rounds=1)]
    assert len({choreography.digest for choreography in seen}) == len(seen)


def test_roles_are_found_by_name_with_their_faults():
    assert recipes().roles == {
        "architect": ARCHITECT,
        "planner": PLANNER,
        "reviewer": REVIEWER,
        "coder": CODER,
        "tester": TESTER,
        "operator": OPERATOR,
    }


@pytest.mark.parametrize(
    ("role", "crash"),
    [
        (Role("a"), 1),
        (Role("a", members=3), 1),
        (Role("a", members=3, crash=2), 2),
        (Role("a", members=3, crash=0), 0),
        (Role("a", reliable=True), 0),
        (Role("a", members=0), 0),
    ],
)
def test_a_role_may_lose_one_member_unless_it_says_otherwise(role, crash):
    assert role.crash == crash


DECIDES = PLANNER.decides("a")
VOTED = agree(ARCHITECT.proposes("a"), by=quorum(1, of=OPERATOR))


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Choreography("x", within(5, VOTED, otherwise=stop("late"))), "within_seconds"),
        (lambda: Choreography("x", ARCHITECT.proposes("a")), "agree("),
        (lambda: Choreography("x", each("a", each("b", DECIDES, at_most=1), at_most=1)), "at the top"),
        (lambda: Choreography("x", each("a", may(PLANNER, "ask", "a"), at_most=1)), "at the top"),
        (lambda: Choreography("x", within(5, CODER.writes("a"), otherwise=stop("late"))), "lease_seconds"),
        (lambda: Choreography("x", within(5, TESTER.checks("a", "t"), otherwise=stop("late"))), "reliable"),
        (lambda: Choreography("x", loop(DECIDES, until=current(of="a"), at_most=1, otherwise=stop("x"))), "Writes"),
        (lambda: Choreography("x", loop(until=stop("x"), at_most=1, otherwise=stop("x"))), "Passed"),
        (lambda: Choreography("x", within(5, DECIDES, otherwise=None)), "Decides"),
        (lambda: Choreography("x", "a step"), "Each"),
        (lambda: Choreography("x", within(float("nan"), DECIDES, otherwise=stop("x"))), "seconds"),
        (lambda: Choreography("x", within(10**400, DECIDES, otherwise=stop("x"))), "seconds"),
        (lambda: Choreography("x", within("soon", DECIDES, otherwise=stop("x"))), "seconds"),
        (lambda: Choreography("x", each("a", DECIDES, at_most=True)), "int"),
        (lambda: Choreography("x", within(5, DECIDES, otherwise=stop("\ud800"))), "stored"),
        (lambda: Choreography("x", Role("planner").decides("a"), Role("planner", members=2).decides("b")), "once"),
    ],
)
def test_what_has_no_meaning_where_it_stands_is_refused_with_a_repair(make, word):
    with pytest.raises(InvalidTeam) as refused:
        make()
    assert word in refused.value.repair


@pytest.mark.parametrize("key", ["", "/a", "a//b", "../a", "a b", "{N}", "a\n", "x" * 600])
def test_a_key_that_is_not_well_formed_is_refused(key):
    with pytest.raises(InvalidKey):
        Choreography("x", PLANNER.decides(key))


def broken(change):
    form = json.loads(json.dumps(recipes().to_json()))
    change(form)
    return form


@pytest.mark.parametrize(
    "form",
    [
        None,
        [],
        "recipes",
        {},
        broken(lambda form: form.pop("requires")),
        broken(lambda form: form.update(more=1)),
        broken(lambda form: form.update(steps=3)),
        broken(lambda form: form.update(roles=[])),
        broken(lambda form: form.update(requires=[1])),
        broken(lambda form: form.update(requires="api/*")),
        broken(lambda form: form.update(name="a b")),
        broken(lambda form: form.update(name=None)),
        broken(lambda form: form["roles"]["coder"].update(members="four")),
        broken(lambda form: form["roles"]["coder"].update(members=True)),
        broken(lambda form: form["roles"]["coder"].update(reliable=0)),
        broken(lambda form: form["roles"].pop("coder")),
        broken(lambda form: form["steps"].append({"kind": "spin"})),
        broken(lambda form: form["steps"].append({"name": "no kind"})),
        broken(lambda form: form["steps"].append(7)),
        broken(lambda form: form["steps"][0].update(at_most=2.5)),
        broken(lambda form: form["steps"][0].update(steps={})),
        broken(lambda form: form["steps"][0].pop("at_most")),
        broken(lambda form: form["steps"][1]["steps"][1].pop("otherwise")),
        broken(lambda form: form["steps"][1]["steps"][1]["steps"][0].update(reads="api/*")),
        broken(lambda form: form["steps"][1]["steps"][1]["steps"][0].update(role=["coder"])),
        broken(lambda form: form["steps"][1]["steps"][1]["until"].update(check="*/*")),
        broken(lambda form: form["steps"][2].update(pattern="{name}")),
    ],
)
def test_a_form_that_is_not_one_is_refused_by_one_typed_error(form):
    with pytest.raises(BlackboardError) as refused:
        Choreography.from_json(form)
    assert isinstance(refused.value, InvalidTeam | InvalidKey)
