"""S3: a commit is refused exactly when something changed that the transaction read, and the refusal says what.

One table: for each kind of read, the changes that break it. Whatever it does not name must not break it.
"""

import pytest

from blackboard import Conflict, Contract

START = {"api/ids": {"kind": "int", "maker": "server"}, "api/page": 20, "db/ids": "int"}

READS = {
    "whole": lambda tx: tx.decision("api/ids"),
    "facet": lambda tx: tx.decision("api/ids", facets=["kind"]),
    "absent facet": lambda tx: tx.decision("api/ids", facets=["style"]),
    "absent key": lambda tx: tx.decision("api/new"),
    "pattern": lambda tx: tx.decisions("api/*"),
    "history": lambda tx: tx.versions("api/ids"),
    "absent history": lambda tx: tx.versions("api/new"),
    "named history": lambda tx: tx.versions("db/named"),
    "questions": lambda tx: tx.questions("api/*"),
    "component": lambda tx: tx.component("server"),
    "absent component": lambda tx: tx.component("new"),
    "components": lambda tx: tx.components("*"),
    "verdicts": lambda tx: tx.verdicts("server"),
    "absent verdicts": lambda tx: tx.verdicts("planned"),
}

FACET = {"whole", "pattern", "history"}
"""Reads that break with any change of a facet of api/ids."""

CHANGES = {
    "kind amended": (lambda to: to.decided("api/ids", {"kind": "text", "maker": "server"}), {*FACET, "facet"}),
    "maker amended": (lambda to: to.decided("api/ids", {"kind": "int", "maker": "client"}), FACET),
    "style added": (
        lambda to: to.decided("api/ids", {"kind": "int", "maker": "server", "style": "x"}),
        {*FACET, "absent facet"},
    ),
    "maker removed": (lambda to: to.decided("api/ids", {"kind": "int"}), FACET),
    "kind removed": (lambda to: to.decided("api/ids", {"maker": "server"}), {*FACET, "facet"}),
    "the same again": (lambda to: to.decided("api/ids", {"maker": "server", "kind": "int"}), set()),
    "retracted": (lambda to: to.retracted("api/ids"), {*FACET, "facet", "absent facet"}),
    "gone and back": (
        lambda to: (to.decided("api/ids", 0), to.decided("api/ids", START["api/ids"], role="operator")),
        {"history"},
    ),
    "retracted and back": (
        lambda to: (to.retracted("api/ids"), to.decided("api/ids", START["api/ids"], role="operator")),
        {"pattern", "history"},
    ),
    "another key amended": (lambda to: to.decided("db/ids", "text"), set()),
    "another match amended": (lambda to: to.decided("api/page", 40), {"pattern"}),
    "another match retracted": (lambda to: to.retracted("api/page"), {"pattern"}),
    "new match": (lambda to: to.decided("api/new", 1), {"pattern", "absent key", "absent history"}),
    "new key elsewhere": (lambda to: to.decided("api/new/deep", 1), set()),
    "asked under it": (lambda to: to.asked("api/ids"), {"questions", "history"}),
    "asked anew": (lambda to: to.asked("api/new"), {"questions", "absent history"}),
    "asked elsewhere": (lambda to: to.asked("db/new"), set()),
    "question closed": (lambda to: to.decided("api/asked", 1), {"questions", "pattern"}),
    "named key decided": (lambda to: to.decided("db/named", 1), {"named history"}),
    "component rewritten": (lambda to: to.written("server", "two"), {"component", "components", "verdicts"}),
    "new component": (lambda to: to.written("new", "one"), {"components", "absent component"}),
    "planned component": (lambda to: to.written("planned", "one"), {"components", "absent verdicts"}),
    "judged": (lambda to: to.judged("server", passed=True), {"verdicts"}),
    "judged elsewhere": (lambda to: to.judged("client", passed=True), set()),
}


@pytest.fixture
def started(board, given):
    to = given(board)
    for key, value in START.items():
        to.decided(key, value)
    to.asked("api/asked")
    to.written("server", "one")
    to.written("client", "one")
    to.decided("task/planned", Contract.task(summary="later", uses=["db/named"]))
    return board


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_breaks_exactly_the_reads_that_relied_on_it(started, given, change):
    happen, breaks = CHANGES[change]
    transactions = {name: started.transaction("reader") for name in READS}
    for name, transaction in transactions.items():
        READS[name](transaction)
        transaction.decide(f"result/{name.replace(' ', '-')}", Contract.value(1))
    happen(given(started))
    broken = set()
    for name, transaction in transactions.items():
        try:
            transaction.commit()
        except Conflict as conflict:
            broken.add(name)
            assert conflict.premises, name
            for premise in conflict.premises:
                assert premise.revision > transaction.revision, premise
                assert premise.author in ("ann", "bob", "tester"), premise
    assert broken == breaks
    written = {decision.key for decision in started.snapshot().decisions("result/*")}
    assert written == {f"result/{name.replace(' ', '-')}" for name in READS if name not in breaks}


@pytest.mark.parametrize("read", READS)
def test_without_a_change_no_read_refuses(started, read):
    with started.transaction("reader") as transaction:
        READS[read](transaction)
        transaction.decide("result", Contract.value(1))


@pytest.mark.parametrize("read", READS)
def test_what_the_same_transaction_writes_breaks_none_of_its_reads(started, read):
    with started.transaction("writer") as transaction:
        READS[read](transaction)
        transaction.decision("api/ids")
        transaction.component("server")
        transaction.decide("api/ids", Contract.value("other"))
        transaction.decide("api/new", Contract.value(1))
        transaction.ask("api/other", "why?")
        transaction.write("server", {"server.txt": "three"})
        transaction.write("new", {"new.txt": "one"})


def refused(transaction) -> Conflict:
    with pytest.raises(Conflict) as error:
        transaction.commit()
    return error.value


def test_the_premise_of_a_facet_tells_both_values_who_changed_it_and_why(board, given):
    given(board).decided("api/ids", {"kind": "int", "maker": "server"})
    transaction = board.transaction("bob")
    transaction.decision("api/ids")
    transaction.decide("api/ids", Contract.value({"kind": "uuid", "maker": "server"}))
    given(board).decided("api/ids", {"kind": "text", "maker": "server"}, by="carl")
    error = refused(transaction)
    (premise,) = error.premises
    assert (premise.key, premise.facet) == ("api/ids", "kind")
    assert (premise.base, premise.draft, premise.current) == ('"int"', '"uuid"', '"text"')
    assert (premise.effect, premise.author, premise.revision) == ("breaking", "carl", 2)
    assert premise.rationale == "carl said so"
    assert error.action == "repair"


def test_a_premise_that_is_gone_asks_for_a_new_plan(board, given):
    given(board).decided("api/ids", "int")
    transaction = board.transaction("bob")
    transaction.decision("api/ids")
    transaction.decide("api/page", Contract.value(20))
    given(board).retracted("api/ids", by="carl")
    error = refused(transaction)
    assert [(one.key, one.author, one.current) for one in error.premises] == [("api/ids", "carl", None)]
    assert error.premises[0].base is not None
    assert error.action == "replan"


def test_a_phantom_is_named_with_the_pattern_that_it_came_under(board, given):
    given(board).decided("api/ids", "int")
    transaction = board.transaction("bob")
    transaction.decisions("api/**")
    transaction.decide("summary", Contract.value(1))
    given(board).decided("api/page/size", 20, by="carl")
    error = refused(transaction)
    assert [(one.key, one.author) for one in error.premises] == [("api/page/size", "carl")]
    assert "api/**" in str(error)


@pytest.mark.parametrize("side", ["uses", "implements"])
def test_a_premise_names_the_side_on_which_the_component_stands(board, given, side):
    given(board).decided("api/ids", "int")
    transaction = board.transaction("bob")
    transaction.decision("api/ids", side=side)
    transaction.write("server", {"server.txt": "one"})
    given(board).decided("api/ids", "text")
    assert {premise.side for premise in refused(transaction).premises} == {side}


def test_every_broken_read_is_named_not_just_the_first(board, given):
    for key in ("a", "b", "c"):
        given(board).decided(key, 1)
    transaction = board.transaction("bob")
    for key in ("a", "b", "c"):
        transaction.decision(key)
    transaction.component("server")
    transaction.decide("sum", Contract.value(3))
    given(board).decided("a", 2)
    given(board).decided("c", 2)
    given(board).written("server")
    assert {premise.key for premise in refused(transaction).premises} == {"a", "c", "server"}


def test_a_change_of_the_set_of_facets_breaks_a_whole_read_and_is_named(board, given):
    given(board).decided("api/ids", {"kind": "int"})
    transaction = board.transaction("bob")
    transaction.decision("api/ids")
    transaction.decide("summary", Contract.value(1))
    given(board).decided("api/ids", {"kind": "int", "maker": "client"})
    assert [(one.facet, one.base, one.current) for one in refused(transaction).premises] == [
        ("maker", None, '"client"')
    ]


def test_reading_twice_relies_on_both(board, given):
    given(board).decided("api/ids", {"kind": "int", "maker": "server"})
    narrow = board.transaction("bob")
    narrow.decision("api/ids", facets=["kind"])
    narrow.decision("api/ids")
    narrow.decide("summary", Contract.value(1))
    wide = board.transaction("bob")
    wide.decision("api/ids")
    wide.decision("api/ids", facets=["kind"])
    wide.decide("summary", Contract.value(1))
    given(board).decided("api/ids", {"kind": "int", "maker": "client"})
    refused(narrow)
    refused(wide)


def test_a_hundred_reads_are_validated_together(board, given):
    with board.transaction("ann") as transaction:
        for number in range(100):
            transaction.decide(f"many/k{number}", Contract.value(number))
    reader = board.transaction("bob")
    for number in range(100):
        reader.decision(f"many/k{number}")
    reader.decide("sum", Contract.value(4950))
    given(board).decided("many/k42", -1)
    assert [premise.key for premise in refused(reader).premises] == ["many/k42"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (Contract.text("plain"), {"text": "plain"}),
        (
            Contract.task(summary="build"),
            {"summary": "build", "implements": {}, "uses": {}, "checks": [], "files": []},
        ),
    ],
    ids=["text", "task"],
)
def test_the_same_facets_in_another_language_are_another_decision(board, given, text, value):
    given(board).decided("task/style", value)
    reader = board.transaction("bob")
    reader.decision("task/style")
    reader.decide("summary", Contract.value(1))
    given(board).decided("task/style", text)
    error = refused(reader)
    assert [(premise.key, premise.author) for premise in error.premises] == [("task/style", "ann")]
    assert board.snapshot().decision("task/style").contract == text


def test_a_conflict_that_has_just_gone_away_still_names_its_premise(board, given, monkeypatch):
    """The premises are read after the turn, in which others may have put the value back."""
    from blackboard.store import commit

    given(board).decided("api/ids", "int")
    transaction = board.transaction("bob")
    transaction.decision("api/ids")
    transaction.decide("summary", Contract.value(1))
    given(board).decided("api/ids", "text")
    explain = commit.conflict

    def late(*arguments):
        given(board).decided("api/ids", "int", role="operator")
        return explain(*arguments)

    monkeypatch.setattr(commit, "conflict", late)
    assert [premise.key for premise in refused(transaction).premises] == ["api/ids"]
