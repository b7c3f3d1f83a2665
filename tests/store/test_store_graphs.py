"""Staleness by join is the pure function of the design, on random graphs of pins, heads, effects and patterns.

The rows are made up, so that they hold what no language of ours says yet (`compatible`, missing effects, values that
went
and came back) and what no commit writes.
"""

from dataclasses import dataclass

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from blackboard import Blackboard
from blackboard.spec.effects import Effect, Side
from blackboard.spec.staleness import (
    TABLE,
    UNCHECKED,
    Checked,
    FacetHead,
    Freshness,
    PatternPin,
    Pin,
    Validation,
    of_component,
    of_pin,
)
from blackboard.store import views

DECISIONS = ("d/a", "d/b", "d/c")
NAMES = ("", "p", "q")
PATTERNS = ("d/*", "e/*")
DIGESTS = ("1:x", "1:y")
REVISIONS = st.integers(1, 2)


@dataclass(frozen=True)
class Graph:
    """What stands on a board: key -> retracted, (key, name) -> head, effects, members, components.

    Attributes:
        components: Of each its pins, the patterns that it listed, and the verdicts that settled how it stands.
    """

    retracted: dict[str, bool]
    heads: dict[tuple[str, str], FacetHead]
    effects: dict[tuple[str, str, int, int], tuple[Effect, Effect]]
    members: dict[tuple[str, str], int]
    components: tuple[tuple[tuple[Pin, ...], tuple[PatternPin, ...], tuple[Checked, ...]], ...]


facets = st.tuples(st.sampled_from(DECISIONS), st.sampled_from(NAMES))
pins = st.builds(
    Pin,
    st.sampled_from(DECISIONS),
    st.sampled_from(NAMES),
    st.sampled_from(tuple(Side)),
    st.just(1),
    st.integers(0, 2),
    st.sampled_from((*DIGESTS, "")),
)
graphs = st.builds(
    Graph,
    st.fixed_dictionaries({key: st.sampled_from((False, False, False, True)) for key in DECISIONS}),
    st.dictionaries(facets, st.builds(FacetHead, REVISIONS, st.sampled_from((*DIGESTS, None)))),
    st.dictionaries(
        st.tuples(st.sampled_from(DECISIONS), st.sampled_from(NAMES), REVISIONS, st.integers(0, 2)),
        st.tuples(st.sampled_from(tuple(Effect)), st.sampled_from(tuple(Effect))),
        min_size=15,
    ),
    st.dictionaries(st.tuples(st.sampled_from(PATTERNS), st.sampled_from(DECISIONS)), REVISIONS),
    st.lists(
        st.tuples(
            st.lists(pins, max_size=4, unique_by=lambda pin: (pin.key, pin.name, pin.side)).map(tuple),
            st.lists(
                st.builds(PatternPin, st.sampled_from(PATTERNS), st.integers(0, 2)),
                max_size=2,
                unique_by=lambda listed: listed.pattern,
            ).map(tuple),
            st.lists(st.builds(Checked, st.integers(1, 3), st.booleans()), max_size=2).map(tuple),
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
)


def purely(graph: Graph, pinned, listed, verdicts) -> Freshness:
    def effect(pin, now):
        both = graph.effects.get((pin.key, pin.name, now.since, pin.since))
        return None if both is None else both[pin.side is Side.IMPLEMENTS]

    return of_component(
        pinned,
        listed,
        head=lambda key, name: graph.heads.get((key, name)),
        effect=effect,
        retracted=graph.retracted.__getitem__,
        newest_member=lambda pattern: max(
            (since for (under, _), since in graph.members.items() if under == pattern), default=0
        ),
        # Of one commit's verdicts a failure counts.
        checked=max(verdicts, key=lambda one: (one.revision, not one.passed), default=UNCHECKED),
    )


def in_sql(graph: Graph) -> dict[str, str]:
    with Blackboard.in_memory() as board, board.store.writer.turn() as turn:
        raw = turn.connection.raw
        raw.execute("PRAGMA defer_foreign_keys = ON")
        ids = {key: number for number, key in enumerate(DECISIONS, 1)}
        for key, number in ids.items():
            state = "retracted" if graph.retracted[key] else "accepted"
            add_key(raw, number, key, "decision", state, None if graph.retracted[key] else 1)
        for (key, name), head in graph.heads.items():
            raw.execute("INSERT INTO current_facet VALUES (?, ?, ?, ?)", (ids[key], name, head.since, head.digest))
        for (key, name, new, old), (uses, implements) in graph.effects.items():
            row = (ids[key], name, new, old, str(uses), str(implements))
            raw.execute("INSERT INTO facet_effect VALUES (?, ?, ?, ?, ?, ?, '')", row)
        for number, pattern in enumerate(PATTERNS, 1):
            raw.execute("INSERT INTO pattern VALUES (?, ?)", (number, pattern))
        for (pattern, key), since in graph.members.items():
            row = (PATTERNS.index(pattern) + 1, ids[key], since)
            raw.execute("INSERT INTO pattern_member VALUES (?, ?, ?)", row)
        for index, (pinned, listed, verdicts) in enumerate(graph.components):
            number = 100 + index
            add_key(raw, number, f"c{index}", "component", "written", 2)
            # An older version pins whatever would be stale: only the newest counts.
            raw.execute("INSERT INTO pin VALUES (?, 1, 1, 'p', 'uses', 1, 0, '1:old', NULL)", (number,))
            for pin in pinned:
                row = (number, ids[pin.key], pin.name, str(pin.side), pin.since, pin.digest)
                raw.execute("INSERT INTO pin VALUES (?, 2, ?, ?, ?, 1, ?, ?, NULL)", row)
            for one in listed:
                row = (number, PATTERNS.index(one.pattern) + 1, one.since)
                raw.execute("INSERT INTO pattern_pin VALUES (?, 2, ?, ?)", row)
            add_verdicts(raw, number, verdicts)
        found = dict(raw.execute("SELECT key, state FROM component_state").fetchall())
        raw.execute("DELETE FROM pattern_pin")
        raw.execute("DELETE FROM verdict")
        for table in ("pin", "pattern_member", "current_facet", "facet_effect", "key"):
            raw.execute(f"DELETE FROM {table}")
        return found


def add_verdicts(raw, number, verdicts):
    # What settled nothing says nothing, nor does a verdict on an older version.
    others = [("unsettled", 4, 2, 0, 0), ("unsettled", 5, 2, 1, 0), ("older", 6, 1, 0, 1)]
    settling = [(f"check-{n}", one.revision, 2, one.passed, 1) for n, one in enumerate(verdicts)]
    for name, revision, version, passed, settles in others + settling:
        row = (name, number, revision, version, passed, settles)
        raw.execute("INSERT INTO verdict VALUES (?, ?, ?, ?, ?, '', '', 'ann', ?)", row)


def add_key(raw, number, key, kind, state, current):
    row = (number, key, kind, state, 1, current, None, 0, 1, 1, 0, 1, None, None, None)
    raw.execute(f"INSERT INTO key VALUES ({', '.join('?' * len(row))})", row)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(graphs)
def test_sql_and_the_pure_function_say_the_same_of_every_component(graph):
    expected = {f"c{index}": str(purely(graph, *one)) for index, one in enumerate(graph.components)}
    assert in_sql(graph) == expected


CHECKED = {
    Validation.NONE: (),
    Validation.PASSED: (Checked(2, passed=True),),
    Validation.FAILED: (Checked(2, passed=False),),
}


@pytest.mark.parametrize(("effect", "side", "said"), TABLE)
def test_every_row_of_the_table_is_what_the_store_joins_against(effect, side, said):
    pin = Pin("d/a", "p", side, 1, 1, "1:x")
    graph = Graph(
        dict.fromkeys(DECISIONS, False),
        {("d/a", "p"): FacetHead(2, "1:y")},
        {("d/a", "p", 2, 1): (effect, Effect.BREAKING) if side is Side.USES else (Effect.BREAKING, effect)},
        {},
        (((pin,), (), CHECKED[said]),),
    )
    assert in_sql(graph) == {"c0": str(TABLE[effect, side, said])}
    checked = max(CHECKED[said], default=UNCHECKED)
    assert of_pin(pin, FacetHead(2, "1:y"), effect, retracted=False, checked=checked) is TABLE[effect, side, said]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("coalesce(s.rank, 3)", "coalesce(s.rank, 0)"),
        ("WHEN d.current_version IS NULL THEN 4", "WHEN d.current_version IS NULL THEN 3"),
        ("THEN 3 ELSE 0 END", "THEN 0 ELSE 0 END"),
        ("m.since > pp.since", "m.since >= pp.since"),
        ("CASE p.side WHEN 'uses' THEN e.uses ELSE e.implements END", "e.uses"),
        ("h.digest {equals} nullif(p.digest, '')", "h.digest = p.digest"),
        ("AND p.component_version = k.current_version", ""),
        ("AND e.new_since = h.since AND e.old_since = p.since", "AND e.new_since = h.since"),
        ("ELSE 'current' END", "ELSE 'stale' END"),
        ("v.revision < h.since", "v.revision <= h.since"),
        ("AND n.settles_suspicion = 1", ""),
        ("AND n.version = k.current_version", ""),
        ("WHEN v.passed = 1 THEN 'passed'", "WHEN true THEN 'passed'"),
    ],
)
def test_a_view_that_is_wrong_in_one_place_is_caught(old, new, monkeypatch):
    text = " ".join(views.VIEWS["component_state"].split())
    assert old in text
    broken = text.replace(old, new)
    monkeypatch.setitem(views.VIEWS, "component_state", broken)

    @settings(
        max_examples=300,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    @given(graphs)
    def every(graph):
        expected = {f"c{index}": str(purely(graph, *one)) for index, one in enumerate(graph.components)}
        assert in_sql(graph) == expected

    with pytest.raises((AssertionError, ExceptionGroup)):
        every()
