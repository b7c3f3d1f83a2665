"""What is still possible, against trying everything; what clashes is shown smallest by leaving out each member."""

import itertools
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackboard.contracts.language import Contract
from blackboard.contracts.lookup import member
from blackboard.errors import Invalid
from blackboard.snapshot import Decision, Question
from blackboard.solver import EFFORT, Kind, answer, possible
from blackboard.spec.expressions import judge, keys_of


class Board:
    """What the solver reads of a board, from dictionaries."""

    def __init__(self, constraints=(), decided=(), asked=()):
        texts = {**dict(constraints)}
        self.texts = {f"constraint/{name}": Contract.constraint(text) for name, text in texts.items()}
        self.decided = {key: self._contract(value) for key, value in dict(decided).items()}
        self.asked = dict(asked)

    @staticmethod
    def _contract(value):
        return value if isinstance(value, Contract) else Contract.value(value)

    def decision(self, key):
        contract = {**self.texts, **self.decided}.get(key)
        return None if contract is None else Decision(key, "accepted", 1, contract, "ann", None, "", 1, 1, ())

    def decisions(self, pattern="**"):
        assert pattern == "constraint/**"
        return tuple(self.decision(key) for key in sorted(self.texts))

    def questions(self, pattern="**"):
        return tuple(Question(key, "which?", tuple(one), "ann", None, 1) for key, one in sorted(self.asked.items()))

    def without(self, key):
        """Return the board without a constraint, a decision or a question."""
        board = Board(asked={name: one for name, one in self.asked.items() if name != key})
        board.texts = {name: one for name, one in self.texts.items() if name != key}
        board.decided = {name: one for name, one in self.decided.items() if name != key}
        return board

    def only(self, keys):
        board = self
        for key in {*self.texts, *self.decided, *self.asked} - set(keys):
            board = board.without(key)
        return board


# --- what it says ----------------------------------------------------------------------------------------------------


def test_what_is_implied_and_excluded_follows_from_constraints_and_decisions():
    board = Board(
        {"ids": "api == db", "size": "page >= limit.least"},
        {"limit": {"least": 20}, "db": "text"},
        {"api": ["int", "text"], "page": [10, 20, 50]},
    )
    found = possible(board)
    assert found.kind is Kind.SATISFIABLE
    assert found.implied == {"api": "text"}
    assert found.excluded == {"api": ("int",), "page": (10,)}
    assert found.witness["api"] == "text"
    assert found.witness["page"] in (20, 50)


def test_what_clashes_is_told_in_the_words_of_the_board():
    board = Board(
        {"ids": "api == db", "other": "page > 1", "sql": "db.type in ['integer', 'text'] or db == 'text'"},
        {"db": "text", "limit": 3},
        {"api": ["int", "uuid"], "page": [10, 20]},
    )
    found = possible(board)
    assert found.kind is Kind.UNSATISFIABLE
    assert [(one.key, one.said) for one in found.clash] == [
        ("constraint/ids", "constraint/ids: api == db"),
        ("api", 'api is asked for: "int" or "uuid"'),
        ("db", 'db is "text" (db 1 by ann)'),
    ]


def test_paths_into_options_and_into_what_nobody_decided():
    board = Board(
        {"a": "store.kind == 'sql' and store.size + spare.size == 10", "b": "spare.size > 3"},
        {},
        {"store": [{"kind": "sql", "size": 7}, {"kind": "sql", "size": 6.5}, {"kind": "file"}]},
    )
    found = possible(board)
    assert found.kind is Kind.SATISFIABLE
    assert found.implied == {"store": {"kind": "sql", "size": 6.5}}
    assert found.witness["spare.size"] == 3.5


@pytest.mark.parametrize(
    ("text", "witness"),
    [
        ("x.a > 1 and x.a < 2", 1.5),
        ("x.a == 'b'", "b"),
        ("x.a != 'b' and x.a in ['b', 'c']", "c"),
        ("x.a and x.a != False", True),
        ("x.a == None", None),
        ("2 * x.a - 3 == 4", 3.5),
    ],
)
def test_a_witness_for_a_value_that_nobody_offered_options_for(text, witness):
    found = possible(Board({"a": text}))
    assert (found.kind, found.witness["x.a"]) == (Kind.SATISFIABLE, witness)


@pytest.mark.parametrize(
    "text",
    [
        "x.a > 1 and x.a < 1",
        "x.a == 'b' and x.a == 'c'",
        "x.a == 1 and x.a == 'b'",
        "x.a and x.a == None",
        "x.a == None and x.a > 1",
        "x.a == [1] and x.a > 1",
        "not (x.a == 1) and not (x.a != 1) and x.b",
        "x + 1 == 2 and x == 3",
        "facet('api/x', 'id') == 'int' and 1 == 2",
    ],
)
def test_what_no_value_can_make_true_is_impossible(text):
    found = possible(Board({"a": text}))
    assert (found.kind, [one.key for one in found.clash]) == (Kind.UNSATISFIABLE, ["constraint/a"])


@pytest.mark.parametrize(
    "text", ["facet('api/x', 'id') == facet('db/x', 'id')", "3 * x.a == 1", "x.a == [1] and x.b in x.a"]
)
def test_what_z3_is_not_told_makes_it_unknown_with_the_reason_and_never_impossible(text):
    found = possible(Board({"a": text}))
    assert found.kind is Kind.UNKNOWN
    assert found.why.startswith("constraint/a: ")


def test_facets_of_what_is_decided_are_compared_as_a_commit_compares_them():
    stub = Contract.python("class Note:\n    id: int\n")
    board = Board({"ids": "facet('api/notes', 'Note.id') == kind"}, {"api/notes": stub}, {"kind": ["text", "integer"]})
    found = possible(board)
    assert (found.kind, found.implied) == (Kind.SATISFIABLE, {"kind": "integer"})


def test_an_option_that_stands_for_a_contract_has_no_say_in_its_facets():
    board = Board({"ids": "facet('db/s', 'r.id') == 'integer'"}, asked={"db/s": ["integer", "text"]})
    found = possible(board)
    assert (found.kind, found.clash) == (Kind.UNKNOWN, ())
    board = Board({"ids": "facet('db/s', 'r.id') == 'integer'"}, asked={"db/s": [{"r": {"id": "integer"}}, "text"]})
    assert possible(board).kind is not Kind.UNSATISFIABLE
    board = Board({"ids": "facet('db/s', 'id') == 'integer'"}, asked={"db/s": [{"id": "text"}, {"id": "uuid"}]})
    assert possible(board).kind is Kind.UNSATISFIABLE


def test_a_question_on_what_is_decided_leaves_the_decision_as_it_is():
    found = possible(Board({"a": "x == 1"}, {"x": 1}, {"x": [2, 3]}))
    assert (found.kind, found.implied) == (Kind.SATISFIABLE, {})


def test_a_board_without_constraints_excludes_nothing():
    assert possible(Board()).kind is Kind.SATISFIABLE
    found = possible(Board(asked={"x": [1, 2], "y": ["only"]}))
    assert (found.kind, found.implied, found.excluded) == (Kind.SATISFIABLE, {"y": "only"}, {})


# --- effort ----------------------------------------------------------------------------------------------------------


def large(seed):
    """Return 200 questions with 4 options and 400 constraints that a hidden answer meets."""
    draw = random.Random(seed)
    options = {f"q{number}": (["a", "b", "c", "d"] if number % 2 else [1, 2, 3, 4]) for number in range(200)}
    hidden = {key: draw.choice(one) for key, one in options.items()}
    constraints = {}
    for number in range(400):
        one, two = draw.sample(sorted(options), 2)
        wrong = draw.choice([value for value in options[one] if value != hidden[one]])
        numbers = isinstance(hidden[one], int) and isinstance(hidden[two], int)
        constraints[f"c{number}"] = (
            f"{one} {'<=' if hidden[one] <= hidden[two] else '>'} {two}"
            if numbers and number % 3 == 0
            else f"{one} != {wrong!r} or {two} == {hidden[two]!r}"
            if number % 3 == 1
            else f"not ({one} == {wrong!r} and {two} == {draw.choice(options[two])!r})"
        )
    return Board(constraints, asked=options)


def test_two_hundred_questions_under_four_hundred_constraints_take_a_small_part_of_the_effort():
    found = possible(large(1), effort=EFFORT // 8)
    assert (found.kind, found.why) == (Kind.SATISFIABLE, "")
    assert found.excluded


def test_at_the_limit_of_its_effort_it_is_unknown_and_alike_each_time():
    assert {(found.kind, found.why) for found in (possible(large(1), effort=1000) for _ in range(3))} == {
        (Kind.UNKNOWN, "the effort was spent")
    }
    assert possible(Board({"a": "x.a == 1"}), effort=0).kind is Kind.UNKNOWN


def test_a_clash_among_many_is_found_smallest():
    board = large(2)
    board.texts["constraint/more"] = Contract.constraint("q0 + q2 > q4 + 6")
    board.texts["constraint/less"] = Contract.constraint("q4 > 2")
    found = possible(board)
    assert found.kind is Kind.UNSATISFIABLE
    smallest(board, found)
    assert len(found.clash) <= 5


def test_a_clash_that_the_effort_did_not_reach_to_make_smallest_says_so():
    """Every pair of neighbours differs, around an odd ring of two colours, beside many that nobody needs."""
    ring = {f"q{number}": [0, 1] for number in range(9)}
    texts = {f"c{number}": f"q{number} != q{(number + 1) % 9}" for number in range(9)}
    texts |= {f"more{number}": f"q{number} + q{(number + 2) % 9} <= {number % 3}" for number in range(9)}
    board = Board(texts, asked=ring)
    assert not possible(board).why
    found = (possible(board, effort=effort) for effort in itertools.count(1000, 1000))
    first = next(one for one in found if one.kind is Kind.UNSATISFIABLE)
    assert first.why == answer._NOT_SMALLEST


@pytest.mark.parametrize("effort", [True, 1.5, None, "x"])
def test_an_effort_that_is_no_whole_number_is_refused(effort):
    with pytest.raises(Invalid):
        possible(Board({"a": "x == 1"}), effort=effort)


def test_an_effort_beyond_what_z3_counts_is_as_good_as_the_largest():
    assert possible(Board({"a": "x == 1"}), effort=2**70).kind is Kind.SATISFIABLE


def test_a_sum_of_many_questions_is_known_exactly():
    asked = {f"q{number}": [1, 3, 5, 7.5] for number in range(12)}
    total = " + ".join(asked)
    found = possible(Board({"a": f"{total} == 14", "b": "q7 != 1"}, asked=asked))
    assert found.kind is Kind.SATISFIABLE
    assert found.implied == {**dict.fromkeys(asked, 1), "q7": 3}
    assert possible(Board({"a": f"{total} > 90"}, asked=asked)).kind is Kind.UNSATISFIABLE


def test_a_vast_sum_that_z3_cannot_tell_within_its_effort_is_unknown():
    asked = {f"q{number}": [2, 4, 6, 8] for number in range(60)}
    found = possible(Board({"a": f"{' + '.join(asked)} == 301"}, asked=asked), effort=100_000)
    assert (found.kind, found.clash) == (Kind.UNKNOWN, ())


def test_z3_is_loaded_when_it_is_used_and_not_before():
    program = (
        "import sys, blackboard.solver as solver\n"
        "from blackboard import Blackboard\n"
        "with Blackboard.in_memory() as board:\n    solver.possible(board.snapshot())\n"
        "print('z3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


# --- against trying everything ---------------------------------------------------------------------------------------

VALUES = (0, 1, 2, 2.5, "x", "y", True, None)
POOL = (0, 1, 2, 2.5, 3, 0.75, -9, 99, "x", "y", "z", True, False, None, [], {})
"""What stands for any value where nobody offered options."""

names = st.sampled_from(["a", "b", "c", "d"])
operands = st.one_of(
    names,
    st.sampled_from(VALUES).map(repr),
    st.builds("{} + {}".format, names, st.one_of(names, st.integers(-1, 2))),
    st.builds("2 * {}".format, names),
)
atoms = st.one_of(
    st.builds("{} {} {}".format, operands, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), operands),
    st.builds("{} in {}".format, names, st.lists(st.sampled_from(VALUES), max_size=3).map(repr)),
    names,
)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
    ),
    max_leaves=4,
)
boards = st.builds(
    lambda texts, decided, asked: Board(
        {str(number): text for number, text in enumerate(texts)},
        {"d": decided},
        {key: list(dict.fromkeys(map(repr, one))) and one for key, one in zip("abc", asked, strict=True)},
    ),
    st.lists(expressions, min_size=1, max_size=4),
    st.sampled_from(VALUES),
    st.tuples(*[st.lists(st.sampled_from(VALUES), min_size=1, max_size=3, unique_by=repr)] * 3),
)


def met(board, chosen):
    decided = {**{key: one.body for key, one in board.decided.items()}, **chosen}

    def lookup(name):
        return member(name, decided[name.key])

    return all(judge(one.body.expression, lookup).value is True for one in board.texts.values())


def answers(board):
    """Yield every way to answer the questions that meets the constraints; what is open is tried from a pool."""
    named = {key for one in board.texts.values() for key in keys_of(one.body.expression)}
    open_keys = sorted({*named, *board.asked} - board.decided.keys())
    for values in itertools.product(*(board.asked.get(key, POOL) for key in open_keys)):
        chosen = dict(zip(open_keys, values, strict=True))
        if met(board, chosen):
            yield chosen


def smallest(board, found):
    """Hold that a clash cannot be, and that it could without any one of its members."""
    members = [one.key for one in found.clash]
    alone = board.only(members)
    assert possible(alone).kind is Kind.UNSATISFIABLE
    for key in members:
        without = alone.without(key)
        way = possible(without)
        assert way.kind is Kind.SATISFIABLE, key
        assert met(without, way.witness), key


@given(boards)
def test_what_it_says_of_a_small_board_is_what_trying_everything_says(board):
    found = possible(board)
    every = list(answers(board))
    if not every:
        assert found.kind is Kind.UNSATISFIABLE
        smallest(board, found)
        return
    assert found.kind is Kind.SATISFIABLE
    assert met(board, {key: found.witness.get(key, board.asked[key][0]) for key in "abc"})
    left = {key: [one for one in board.asked[key] if any(same(one, way[key]) for way in every)] for key in "abc"}
    assert found.implied == {key: one[0] for key, one in left.items() if len(one) == 1}
    gone = {key: [one for one in board.asked[key] if not any(same(one, kept) for kept in left[key])] for key in "abc"}
    assert repr({key: list(one) for key, one in sorted(found.excluded.items())}) == repr(
        {key: one for key, one in gone.items() if one}
    )


def same(one, two):
    return repr(one) == repr(two)


@given(boards, st.sampled_from(VALUES))
def test_where_nothing_is_offered_nothing_that_the_pool_can_do_is_called_impossible(board, other):
    board.asked, board.decided = {}, {**board.decided, "c": Contract.value(other)}
    found = possible(board)
    way = next(answers(board), None)
    if way is not None:
        assert found.kind is not Kind.UNSATISFIABLE
    if found.kind is Kind.SATISFIABLE:
        assert met(board, found.witness)


def test_the_search_pays_every_question_from_one_effort():
    search = answer._Search(answer.read(large(1)), EFFORT)
    search.answer()
    assert 0 < EFFORT - search._left < EFFORT // 8
