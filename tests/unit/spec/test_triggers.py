from hypothesis import given
from hypothesis import strategies as st

from blackboard.spec.keys import is_pattern
from blackboard.spec.triggers import BY_CHECK, Event, SourceRecord, Trigger, TriggerIndex, TriggerKind

KEYS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map("/".join) | st.sampled_from(
    ["source/a", "member/a", "choreography/team"]
)
PATTERNS = st.lists(st.sampled_from(["a", "b", "*", "**"]), min_size=1, max_size=4).map("/".join)
CHECKS = st.sampled_from(["unit", "types"])


@st.composite
def triggers(draw):
    kind = draw(st.sampled_from(TriggerKind))
    return Trigger(kind, draw(CHECKS if kind in BY_CHECK else PATTERNS))


@st.composite
def events(draw):
    kind = draw(st.sampled_from(TriggerKind))
    return Event(kind, draw(KEYS), draw(CHECKS) if kind in BY_CHECK else "")


SOURCES = st.lists(st.lists(triggers(), max_size=4), max_size=5).map(
    lambda found: [SourceRecord(f"s{number}", "coder", tuple(one)) for number, one in enumerate(found)]
)


@given(sources=SOURCES, fired=st.lists(events(), max_size=4))
def test_the_index_finds_what_asking_each_source_finds_in_the_same_order(sources, fired):
    asked = (
        (source.name, event)
        for source in sources
        for event in fired
        if any(trigger.fires(event) for trigger in source.triggers)
    )
    assert TriggerIndex(sources).woken(fired) == tuple(asked)


def test_a_pattern_of_a_folder_names_the_folder_too():
    index = TriggerIndex([SourceRecord("s", "coder", (Trigger(TriggerKind.ASKED, "a/**"),))])
    assert is_pattern("a/**")
    assert [event.key for _, event in index.woken(Event(TriggerKind.ASKED, key) for key in ("a", "a/b", "b"))] == [
        "a",
        "a/b",
    ]
