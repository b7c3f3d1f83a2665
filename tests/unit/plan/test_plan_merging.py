"""Merging in a plan: the base and every change, whatever the order, and all that was asked in the footprint."""

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given
from plan_facts import Facts, Witness, body

from blackboard.choreography import Choreography, Role, may
from blackboard.contracts.language import Contract
from blackboard.errors import Conflict
from blackboard.plan import plan
from blackboard.spec.changes import Decide, Intent, Plan, Refusal, Write
from blackboard.spec.lifecycle import State
from blackboard.spec.reads import Reads
from blackboard.spec.records import VersionRecord

KEY = "free/notes"


def a_board(base, *, merge=True):
    """Return a moment in which art decides `free/…`, and has decided a base."""
    architect, merged = Role("architect"), {"free/*": "facet"} if merge else None
    protocol = Choreography("merging", may(architect, "decide", "free/*"), may(architect, "write", "*"), merge=merged)
    team = {"choreography": protocol.to_json(), "checks": {}}
    facts = Facts(values={"choreography/team": team, "member/art": {"roles": ["architect"]}})
    first = plan(facts, Intent("art", None, (Decide(KEY, body(base)),), Reads(), 0, "first"))
    assert isinstance(first, Plan), first
    return facts.apply(first)


def decide(facts, value, base, *acts):
    """Plan what an author wants who had read the base."""
    reads = Reads(decisions={KEY: body(base).digest})
    return plan(facts, Intent("art", None, (Decide(KEY, body(value)), *acts), reads, 1, "call"))


def after(facts, changes, base):
    for value in changes:
        found = decide(facts, value, base)
        assert isinstance(found, Plan), found
        facts = facts.apply(found)
    return facts


def stands(facts):
    return facts.versions[KEY, facts.records[KEY].current]


paths = st.sampled_from(["a", "b", "c", "d.x", "d.y", "e.z.u", "e.z.v"])


def nested(leaves):
    found = {}
    for path, value in leaves.items():
        *above, last = path.split(".")
        inner = found
        for name in above:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return found


@st.composite
def bases_and_changes(draw):
    """Draw leaves of a base, and up to three changes of which each has paths of its own."""
    base = draw(st.dictionaries(paths, st.integers(0, 3), min_size=1))
    owner = draw(st.dictionaries(paths, st.integers(0, 2)))
    changes = []
    for number in range(3):
        mine = [path for path, whose in owner.items() if whose == number]
        changes.append({path: draw(st.integers(4, 9)) for path in mine})
    return base, [change for change in changes if change]


@given(bases_and_changes(), st.randoms(use_true_random=False))
def test_changes_of_different_facets_come_to_the_base_and_all_of_them_in_any_order(drawn, shuffled):
    base, changes = drawn
    values = [nested({**base, **change}) for change in changes]
    shuffled.shuffle(values)
    facts = after(a_board(nested(base)), values, nested(base))
    wanted = Contract.value(nested({**base, **{path: value for change in changes for path, value in change.items()}}))
    assert stands(facts).body.digest == wanted.digest
    assert dict(stands(facts).body.facets) == dict(wanted.digests)
    # Each but the first was merged, and only one stands.
    made = [one for one in facts.versions.values() if one.state is State.MERGED]
    assert len(made) == max(0, len(changes) - 1)
    assert [one.version for one in facts.versions.values() if one.state is State.ACCEPTED] == [stands(facts).version]


@given(st.dictionaries(paths, st.integers(0, 3), min_size=1), paths, st.integers(4, 6), st.integers(7, 9))
def test_two_changes_of_one_facet_are_a_conflict_that_names_it(base, path, first, second):
    assume(path in base)
    facts = after(a_board(nested(base)), [nested({**base, path: first})], nested(base))
    found = decide(facts, nested({**base, path: second}), nested(base))
    assert isinstance(found, Refusal)
    assert isinstance(found.error, Conflict)
    assert [(one.key, one.facet) for one in found.error.premises] == [(KEY, path)]
    assert [(one.base, one.draft, one.current) for one in found.error.premises] == [
        (str(base[path]), str(second), str(first))
    ]


BASE, OURS, THEIRS = {"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 2}


def test_a_merged_version_names_both_of_its_bases():
    facts = after(a_board(BASE), [OURS], BASE)
    found = decide(facts, THEIRS, BASE)
    rows = [row for row in found.rows if isinstance(row, VersionRecord)]
    assert [(row.version, row.base, row.merged) for row in rows] == [(3, 1, None), (4, 2, 3)]
    assert found.merged == {KEY}
    assert [change.kind for change in found.changes] == ["proposed", "proposed", "merged", "accepted"]
    assert rows[1].content()["merged"] == 3
    assert "merged" not in rows[0].content()


def test_where_nothing_says_so_what_was_read_earlier_is_written_over_for_the_reads_to_refuse():
    facts = after(a_board(BASE, merge=False), [OURS], BASE)
    assert decide(facts, THEIRS, BASE).merged == frozenset()


def test_a_commit_of_several_acts_is_merged_key_by_key():
    facts = after(a_board(BASE), [OURS], BASE)
    found = decide(facts, THEIRS, BASE, Decide("free/other", body(1)))
    assert isinstance(found, Plan)
    assert found.merged == {KEY}
    facts = facts.apply(found)
    assert stands(facts).body.digest == body({"a": 2, "b": 2}).digest
    assert facts.versions["free/other", 1].state is State.ACCEPTED


def test_a_commit_of_several_acts_is_refused_for_the_facets_alone_that_both_changed():
    facts = after(a_board(BASE), [OURS], BASE)
    found = decide(facts, {"a": 3, "b": 2}, BASE, Decide("free/other", body(1)))
    assert isinstance(found.error, Conflict)
    assert [(one.key, one.facet) for one in found.error.premises] == [(KEY, "a")]


def test_two_texts_for_one_key_in_a_commit_are_not_merged():
    facts = after(a_board(BASE), [OURS], BASE)
    assert decide(facts, THEIRS, BASE, Decide(KEY, body({"a": 1, "b": 3}))).merged == frozenset()


def test_beside_an_act_that_may_rest_on_what_changed_nothing_is_merged():
    facts = after(a_board(BASE), [OURS], BASE)
    found = decide(facts, THEIRS, BASE, Write("notes", {}))
    assert getattr(found, "merged", frozenset()) == frozenset()


@pytest.mark.parametrize("value", [THEIRS, {"a": 3, "b": 2}, OURS, BASE])
def test_whatever_a_merging_plan_asked_is_in_its_footprint(value):
    witness = Witness(after(a_board(BASE), [OURS], BASE))
    found = decide(witness, value, BASE)
    assert witness.missed_by(found.footprint) == set()
