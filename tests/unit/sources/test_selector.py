import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackboard import InvalidTeam
from knowledge_sources.selector import canonical, consults, select

TEXT = """\
first
#: when a kind == "int"
    int
    #: when a/b x.y != 3
    other than 3
    #: else
    3
    #: end
#: else
text
#: end
last #{a/b x.y}
"""


def chosen(text, **values):
    asked = []

    def value_of(key, facet):
        asked.append((key, facet))
        return values[f"{key.replace('/', '_')}_{facet.replace('.', '_')}"]

    return select(text, value_of), asked


def test_blocks_are_kept_or_dropped_by_facts():
    assert chosen(TEXT, a_kind="int", a_b_x_y=3)[0] == "first\n    int\n    3\nlast 3\n"
    assert chosen(TEXT, a_kind="int", a_b_x_y=4)[0] == "first\n    int\n    other than 3\nlast 4\n"
    assert chosen(TEXT, a_kind="uuid", a_b_x_y=3)[0] == "first\ntext\nlast 3\n"


def test_what_stands_in_a_dropped_block_is_not_asked_for():
    assert chosen(TEXT, a_kind="uuid", a_b_x_y=3)[1] == [("a", "kind"), ("a/b", "x.y")]
    assert chosen("#: when a kind == 1\n#{b c}\n#: when d e == 1\n#: end\n#: end\n", a_kind=2) == ("", [("a", "kind")])


def test_what_a_text_consults_is_known_without_facts():
    assert consults(TEXT) == {("a", "kind"), ("a/b", "x.y")}
    assert consults("nothing\n") == frozenset()


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("-- ", ""), ("//", ""), ("/* ", " */"), ("<!-- ", " -->"), ("\t; ", "  ")]
)
def test_a_marker_may_stand_in_a_comment_of_any_language(before, after):
    text = f'{before}#: when a kind == "x"{after}\nx\n{before}#: else{after}\ny\n{before}#: end{after}\n'
    assert chosen(text, a_kind="x")[0] == "x\n"
    assert chosen(text, a_kind="y")[0] == "y\n"


@pytest.mark.parametrize("value", [1, True, None, "1", [1], {"a": [None]}, 1.5])
def test_a_value_is_compared_as_json_and_not_as_python(value):
    text = f"#: when a kind == {json.dumps(value)}\nyes\n#: end\n"
    assert chosen(text, a_kind=value)[0] == "yes\n"
    for other in (1, True, None, "1", [1], {"a": [None]}, 1.5):
        if other is not value:
            assert chosen(text, a_kind=other)[0] == ("yes\n" if canonical(other) == canonical(value) else "")


def test_one_and_true_are_two_values_but_one_has_two_spellings():
    assert canonical(1) != canonical(True)
    assert canonical({"b": 1.0, "a": (2.0,)}) == canonical({"a": [2], "b": 1})


def test_values_are_written_as_json_inside_any_line():
    text = "limit = #{a kind}; also #{a kind} but not #{this one is none} or #{x}\n"
    assert chosen(text, a_kind="é")[0] == 'limit = "é"; also "é" but not #{this one is none} or #{x}\n'


@given(st.text().filter(lambda text: "#" not in text))
def test_a_text_without_markers_stays_as_it_is(text):
    assert select(text, lambda _key, _facet: pytest.fail("asked")) == text


def test_line_endings_and_a_missing_last_one_are_kept():
    assert chosen("a\r\n#: when a kind == 1\r\nb\r\n#: end\r\nc", a_kind=1)[0] == "a\r\nb\r\nc"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("#: else\n", "line 1"),
        ("x\n#: end\n", "line 2"),
        ("#: when a b == 1\n#: else\n#: else\n#: end\n", "line 3"),
        ("#: when a b == 1\n", "ends inside"),
        ("#: when a b = 1\n", "line 1"),
        ("#: when a b == one\n", "line 1"),
        ("#: if a b == 1\n", "line 1"),
        ("#: when a b == 1 and more\n#: end\n", "line 1"),
    ],
)
def test_a_block_that_is_not_well_formed_is_named(text, where):
    with pytest.raises(InvalidTeam, match=where) as caught:
        consults(text, name="a.py")
    assert "a.py" in caught.value.what
    with pytest.raises(InvalidTeam):
        select(text, lambda _key, _facet: 1, name="a.py")
