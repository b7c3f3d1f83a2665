"""Votes against an oracle: what a board makes of any sequence of votes, with members who are wrong or crashed.

The oracle counts by hand and knows nothing of the rules: it asks, after each vote, whether every way in which the rest
could still vote comes to the same end. Within the declared faults (n >= c + 2w + 1 and w + 1 <= q <= n - c - w) what
only wrong members want is never accepted and what all sound members want always is; beyond them the oracle sees the
bad happen, so it would see it within.
"""

import itertools
import random
from collections import Counter
from dataclasses import dataclass

import hypothesis.strategies as st
import pytest
from hypothesis import given
from plan_facts import Facts, body

from blackboard.choreography import Choreography, Role, agree, each, quorum
from blackboard.errors import IllegalTransition
from blackboard.plan import plan
from blackboard.spec.agreement import quorum_bounds
from blackboard.spec.changes import Intent, Plan, Propose, Vote
from blackboard.spec.lifecycle import State
from blackboard.spec.reads import Reads

KEYS = ("api/ids", "api/page")
OPERATOR = Role("operator", reliable=True)
ARCHITECT = Role("architect", reliable=True)


def names(members):
    return tuple(f"v{number}" for number in range(members))


def a_board(members, votes):
    """Return a moment in which so many voters settle every key of `api/` by so many votes."""
    voter = Role("voter", members=members, reliable=True)
    step = agree(
        ARCHITECT.proposes("api/{name}"),
        by=quorum(votes, of=voter),
        rounds=9,
        amendments=9,
        otherwise=OPERATOR.decides("api/{name}"),
    )
    team = {"choreography": Choreography("votes", each("api/{name}", step, at_most=9)).to_json(), "checks": {}}
    roles = {"art": "architect", **dict.fromkeys(names(members), "voter")}
    return Facts(
        values={
            "choreography/team": team,
            **{f"member/{name}": {"roles": [role]} for name, role in roles.items()},
        }
    )


def act(facts, wanted, author):
    return plan(facts, Intent(author, None, (wanted,), Reads(histories=dict.fromkeys(KEYS, 0)), facts.revision, "call"))


def proposed(facts, *texts, joint=False):
    """Propose texts of the first key one beside the other, or one text of each key together."""
    bodies = [(KEYS[0], body(text)) for text in texts]
    wanted = [tuple((key, body("x")) for key in KEYS)] if joint else [(one,) for one in bodies]
    for one in wanted:
        found = act(facts, Propose(one), "art")
        assert isinstance(found, Plan), found
        facts = facts.apply(found)
    return facts


# --- the oracle ------------------------------------------------------------------------------------------------------


def fate(members, votes, cast):
    """Say what a version's votes come to, by trying every way in which the others may vote."""
    rest = [name for name in names(members) if name not in cast]
    endings = set()
    for later in itertools.product((True, False), repeat=len(rest)):
        ballots = {**cast, **dict(zip(rest, later, strict=True))}
        endings.add(Counter(ballots.values())[True] >= votes)
    now = Counter(cast.values())[True] >= votes
    if now:
        return "accepted"
    return "rejected" if endings == {False} else "proposed"


def told(members, votes, groups, ballots):
    """Return the end of each version, and the ballots that count, of a sequence of (version, voter, yes).

    `groups` are the versions that stand or fall together; of several groups on one key the first accepted ends the
    others.
    """
    state = {one: "proposed" for group in groups for one in group}
    cast = {one: {} for one in state}
    counted = []
    for place, (version, voter, yes) in enumerate(ballots):
        if state[version] != "proposed" or voter in cast[version]:
            continue
        cast[version][voter] = yes
        counted.append(place)
        group = next(group for group in groups if version in group)
        fates = {fate(members, votes, cast[one]) for one in group}
        if fates == {"accepted"}:
            for one, now in state.items():
                state[one] = "accepted" if one in group else "rejected" if now == "proposed" else now
        elif "rejected" in fates:
            state.update(dict.fromkeys(group, "rejected"))
    return state, counted


# --- the board -------------------------------------------------------------------------------------------------------


def played(facts, ballots):
    """Return the facts after a sequence of votes, and the places of those that changed something."""
    counted = []
    for place, ((key, version), voter, yes) in enumerate(ballots):
        found = act(facts, Vote(key, version, yes), voter)
        if isinstance(found, Plan):
            if found.changes:
                counted.append(place)
                facts = facts.apply(found)
        else:
            assert isinstance(found.error, IllegalTransition), found.error
    return facts, counted


def states(facts):
    return {name: str(one.state) for name, one in facts.versions.items()}


def at_most_one_accepted(facts):
    accepted = Counter(key for (key, _), one in facts.versions.items() if one.state is State.ACCEPTED)
    return all(count == 1 for count in accepted.values())


@dataclass(frozen=True)
class Scene:
    """One setting: voters, votes needed, and the versions that are up."""

    members: int
    votes: int
    groups: tuple[tuple[tuple[str, int], ...], ...]
    start: Facts


def scenes():
    for members in range(1, 6):
        for votes in range(1, members + 1):
            board = a_board(members, votes)
            one = ((KEYS[0], 1),)
            yield Scene(members, votes, (one,), proposed(board, "a"))
            yield Scene(members, votes, (one, ((KEYS[0], 2),)), proposed(board, "a", "b"))
            yield Scene(members, votes, (((KEYS[0], 1), (KEYS[1], 1)),), proposed(board, joint=True))


def test_random_votes_come_to_what_the_oracle_says(seed, length):
    draw = random.Random(seed)
    settings = list(scenes())
    for _ in range(length(10_000, 100_000)):
        scene = draw.choice(settings)
        versions = [one for group in scene.groups for one in group]
        # Some say the same twice, some change their minds, some never vote.
        present = draw.sample(names(scene.members), draw.randint(0, scene.members))
        ballots = [(one, voter, draw.random() < 0.6) for one in versions for voter in present for _ in range(2)]
        draw.shuffle(ballots)
        ballots = ballots[: draw.randint(0, len(ballots))]
        facts, counted = played(scene.start, ballots)
        assert (states(facts), counted) == told(scene.members, scene.votes, scene.groups, ballots), (scene, ballots)
        assert at_most_one_accepted(facts)


ballots_of_one = st.integers(1, 6).flatmap(
    lambda members: st.tuples(
        st.just(members),
        st.integers(1, members),
        st.dictionaries(st.sampled_from(names(members)), st.booleans()),
        st.randoms(use_true_random=False),
    )
)


def ends(members, votes, cast, order):
    start = proposed(a_board(members, votes), "a")
    facts, _ = played(start, [((KEYS[0], 1), voter, cast[voter]) for voter in order])
    return str(facts.versions[KEYS[0], 1].state)


@given(ballots_of_one)
def test_the_order_in_which_votes_arrive_never_matters(drawn):
    members, votes, cast, shuffled = drawn
    order = sorted(cast)
    other = sorted(cast)
    shuffled.shuffle(other)
    assert ends(members, votes, cast, order) == ends(members, votes, cast, other)


@given(ballots_of_one)
def test_more_yes_votes_never_turn_an_acceptance_into_something_else(drawn):
    members, votes, cast, shuffled = drawn
    voters = list(names(members))
    shuffled.shuffle(voters)
    more = {voter: cast.get(voter, True) or shuffled.random() < 0.5 for voter in voters}
    if ends(members, votes, cast, [voter for voter in voters if voter in cast]) == "accepted":
        assert ends(members, votes, more, voters) == "accepted"


# --- faults ----------------------------------------------------------------------------------------------------------


def accepts(members, votes, *, sound, wrong, crashed, wanted):
    """Say whether a text is accepted that the wrong push (not `wanted`) or that they oppose (`wanted`)."""
    cast = {voter: wanted for voter in sound if voter not in crashed}
    cast |= dict.fromkeys(wrong, not wanted)
    return ends(members, votes, cast, sorted(cast)) == "accepted"


def bad_things(members, votes, crash, wrong):
    """Return which bad ends some choice of so many crashed and wrong members brings about."""
    liars = names(members)[:wrong]
    sound = names(members)[wrong:]
    crashed = sound[: min(crash, len(sound))]
    found = set()
    if accepts(members, votes, sound=sound, wrong=liars, crashed=crashed, wanted=False):
        found.add("accepted what only wrong members want")
    if not accepts(members, votes, sound=sound, wrong=liars, crashed=crashed, wanted=True):
        found.add("did not accept what all sound members want")
    return found


FAULTS = [(n, c, w) for n in range(1, 8) for c in range(n) for w in range(n - c)]


@pytest.mark.parametrize(("members", "crash", "wrong"), FAULTS)
def test_within_the_declared_faults_nothing_bad_happens_and_beyond_them_it_is_seen(members, crash, wrong):
    least, most = quorum_bounds(members, crash=crash, wrong=wrong)
    assert (least <= most) is (members >= crash + 2 * wrong + 1)
    for votes in range(1, members + 1):
        bad = bad_things(members, votes, crash, wrong)
        assert (not bad) is (least <= votes <= most), (votes, bad)
        assert ("accepted what only wrong members want" in bad) is (votes < least)
        assert ("did not accept what all sound members want" in bad) is (votes > most)
