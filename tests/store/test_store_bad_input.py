"""S11 and the issue's list: whatever is wrong gets one typed error, nothing has changed, and the next commit works."""

import math

import pytest

from blackboard import (
    BlackboardError,
    Contract,
    Forked,
    IllegalTransition,
    Invalid,
    InvalidContract,
    InvalidKey,
    InvalidPath,
    TooLarge,
)

BAD_KEYS = {
    "parent": "api/../ids",
    "only parent": "..",
    "this": "api/./ids",
    "empty": "",
    "empty segment": "api//ids",
    "leading slash": "/api",
    "trailing slash": "api/",
    "newline": "api/ids\n",
    "control": "api/\x07ids",
    "escape": "api/\x1b[31mids",
    "zero": "api/\x00ids",
    "bidi": "api/\u202eids",
    "space": "api/ ids",
    "surrogate": "api/\ud800",
    "not ASCII": "api/ïds",
    "pattern": "api/*",
    "backslash": "api\\ids",
    "leading dot": "api/.ids",
    "leading dash": "api/-ids",
    "long segment": "a" * 129,
    "long key": "/".join(["a" * 100] * 6),
    "not a text": 7,
    "no key": None,
}

BAD_NAMES = {**BAD_KEYS, "two segments": "ann/bob"}

HUGE = "x" * 10_000_000


def refused(board, error, act):
    """Hold that an act gets this error, that the board stands as it stood, and that a good commit works after it."""
    head = board.cursor
    with pytest.raises(error) as caught:
        act(board)
    assert isinstance(caught.value, BlackboardError)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 2000
    assert board.cursor == head
    with board.transaction("ann") as transaction:
        transaction.decide(f"good/k{head.revision}", Contract.value(1))
    assert board.revision == head.revision + 1
    board.verify()
    return caught.value


def committing(act):
    def attempt(board):
        with board.transaction("ann") as transaction:
            act(transaction)

    return attempt


KEY_USES = {
    "decision": lambda tx, key: tx.decision(key),
    "versions": lambda tx, key: tx.versions(key),
    "component": lambda tx, key: tx.component(key),
    "verdicts": lambda tx, key: tx.verdicts(key),
    "ask": lambda tx, key: tx.ask(key, "?"),
    "propose": lambda tx, key: tx.propose(key, Contract.value(1)),
    "jointly": lambda tx, key: tx.propose_jointly({key: Contract.value(1), "b": Contract.value(1)}),
    "withdraw": lambda tx, key: tx.withdraw(key, version=1),
    "vote": lambda tx, key: tx.vote(key, version=1, approve=True),
    "decide": lambda tx, key: tx.decide(key, Contract.value(1)),
    "retract": lambda tx, key: tx.retract(key, reason="no"),
    "write": lambda tx, key: tx.write(key, {}),
    "verdict": lambda tx, key: tx.verdict("unit", key, passed=True),
    "verdict's check": lambda tx, key: tx.verdict(key, "server", passed=True),
    "uses": lambda tx, key: tx.write("server", {}, uses=[key]),
}


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_bad_key_is_refused_wherever_it_is_given(memory_board, key):
    for name, use in KEY_USES.items():
        if name == "uses" and key == "api/*":
            continue  # there a pattern may stand
        refused(memory_board, InvalidKey, committing(lambda tx, use=use: use(tx, key)))
    snapshot = memory_board.snapshot()
    for read in (snapshot.decision, snapshot.versions, snapshot.component, snapshot.verdicts):
        with pytest.raises(InvalidKey):
            read(key)


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
def test_a_bad_name_of_an_author_or_role_is_refused(memory_board, name):
    refused(memory_board, InvalidKey, lambda board: board.transaction(name))
    refused(memory_board, InvalidKey, lambda board: board.claim(name))
    refused(memory_board, InvalidKey, lambda board: board.find_commit("call-1", author=name))
    refused(memory_board, InvalidKey, lambda board: board.run_transaction(lambda tx: None, name))
    if name is not None:
        refused(memory_board, InvalidKey, lambda board: board.transaction("ann", role=name))


BAD_PATTERNS = {name: key for name, key in BAD_KEYS.items() if name != "pattern"}


@pytest.mark.parametrize(
    "pattern",
    [*BAD_PATTERNS.values(), "a*", "a/***", "**b", "a/{name}"],
    ids=[*BAD_PATTERNS, "part", "three", "ending", "variable"],
)
def test_a_bad_pattern_is_refused(memory_board, pattern):
    for read in ("decisions", "components", "questions"):
        refused(memory_board, InvalidKey, committing(lambda tx, read=read: getattr(tx, read)(pattern)))


BAD_PATHS = {
    "parent": "../a.py",
    "inner parent": "a/../../b.py",
    "absolute": "/etc/passwd",
    "empty": "",
    "empty part": "a//b.py",
    "this": "./a.py",
    "backslash": "a\\b.py",
    "control": "a\x07.py",
    "newline": "a\nb.py",
    "surrogate": "\ud800.py",
    "bidi": "a\u202e.py",
    "long": "a" * 1025,
}


@pytest.mark.parametrize("path", BAD_PATHS.values(), ids=BAD_PATHS)
def test_a_bad_path_of_a_file_is_refused(memory_board, path):
    refused(memory_board, InvalidPath, committing(lambda tx: tx.write("server", {path: "x"})))


BAD_TEXTS = {
    "no JSON": ('{"a": }', InvalidContract),
    "repeated name": ('{"a": 1, "a": 2}', InvalidContract),
    "NaN": ("NaN", InvalidContract),
    "infinity": ('{"a": -Infinity}', InvalidContract),
    "huge number": ("1e999", InvalidContract),
    "surrogate": ('"\ud800"', InvalidContract),
    "escaped surrogate": ('"\\ud800"', InvalidContract),
    "nothing": ("", InvalidContract),
    "two values": ("1 2", InvalidContract),
    "deep": ("[" * 100_000 + "]" * 100_000, InvalidContract),
    "10 MB": (f'"{HUGE}"', TooLarge),
}


@pytest.mark.parametrize(("text", "error"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_a_bad_text_of_a_decision_is_refused(memory_board, text, error):
    found = refused(memory_board, error, committing(lambda tx: tx.decide("api/ids", Contract("value", text))))
    if error is InvalidContract:
        assert found.language == "value"


NO_JSON = {
    "NaN": math.nan,
    "infinity": math.inf,
    "a set": {"a": {1, 2}},
    "a number for a name": {1: 2},
    "a surrogate": "\ud800",
    "an object": object(),
    "bytes": b"x",
}


@pytest.mark.parametrize("value", NO_JSON.values(), ids=NO_JSON)
def test_a_value_that_is_no_json_is_refused(memory_board, value):
    refused(memory_board, InvalidContract, committing(lambda tx: tx.decide("api/ids", Contract.value(value))))
    refused(memory_board, InvalidContract, committing(lambda tx: tx.ask("api/ids", "?", options=[value])))


def test_an_unknown_language_is_refused(memory_board):
    refused(memory_board, InvalidContract, committing(lambda tx: tx.decide("api/ids", Contract("klingon", "x"))))


TEXT_USES = {
    "rationale": lambda tx, text: tx.decide("a", Contract.value(1), rationale=text),
    "proposal's rationale": lambda tx, text: tx.propose("a", Contract.value(1), rationale=text),
    "question": lambda tx, text: tx.ask("a", text),
    "option": lambda tx, text: tx.ask("a", "?", options=[text]),
    "reason of a vote": lambda tx, text: tx.vote("a", version=1, approve=True, reason=text),
    "reason of a retraction": lambda tx, text: tx.retract("a", reason=text),
    "log": lambda tx, text: tx.verdict("unit", "server", passed=True, log=text),
    "file": lambda tx, text: tx.write("server", {"a.txt": text}),
}


@pytest.mark.parametrize("use", TEXT_USES.values(), ids=TEXT_USES)
def test_a_text_that_no_store_can_carry_is_refused(memory_board, use):
    refused(memory_board, InvalidContract, committing(lambda tx: use(tx, "a\ud800b")))
    refused(memory_board, TooLarge, committing(lambda tx: use(tx, HUGE)))


def test_control_characters_in_texts_are_kept_as_they_are(board):
    hostile = "\x00\x1b[31m\u202e\x07\r\n\t\u200b"
    with board.transaction("ann") as transaction:
        transaction.decide("api/ids", Contract.value(hostile), rationale=hostile)
        transaction.ask("api/page", hostile, options=[hostile])
        transaction.write("server", {"a.txt": hostile})
    with board.transaction("ann") as transaction:
        transaction.verdict("unit", "server", passed=False, log=hostile)
        transaction.decision("api/ids")
        transaction.retract("api/ids", reason=hostile)
    snapshot = board.snapshot()
    assert snapshot.versions("api/ids")[0].contract == Contract.value(hostile)
    assert snapshot.versions("api/ids")[0].rationale == hostile
    assert snapshot.versions("api/ids")[0].reason == hostile
    assert (snapshot.questions()[0].question, snapshot.questions()[0].options) == (hostile, (hostile,))
    assert snapshot.component("server").text("a.txt") == hostile
    assert snapshot.verdicts("server")[0].log == hostile
    board.verify()


@pytest.mark.parametrize("name", ["\ud800", "a\0b", "", 'a"b', "a'b", "$", "ü", "a" * 5000], ids=ascii)
def test_an_odd_facet_name_is_validated_or_refused_but_never_misread(memory_board, given, name):
    given(memory_board).decided("api/ids", {"a": 1})
    try:
        with memory_board.transaction("bob") as transaction:
            transaction.decision("api/ids", facets=[name])
            transaction.decide("result", Contract.value(1))
    except BlackboardError as error:
        assert isinstance(error, Invalid)
        assert memory_board.revision == 1
    else:
        late = memory_board.transaction("bob")
        late.decision("api/ids", facets=[name])
        late.decide("result/two", Contract.value(1))
        given(memory_board).decided("api/ids", {"a": 2})
        late.commit()


NUMBERS = [10**30, -(10**30), 2**63, 2**64]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_no_board_counts_to_is_refused(memory_board, given, number):
    given(memory_board).decided("api/ids", 1)
    given(memory_board).decided("api/ids", 2)
    refused(
        memory_board, (Invalid, IllegalTransition), committing(lambda tx: tx.vote("x", version=number, approve=True))
    )
    refused(memory_board, (Invalid, IllegalTransition), committing(lambda tx: tx.withdraw("x", version=number)))
    refused(memory_board, Invalid, lambda board: board.snapshot(at=number))
    refused(
        memory_board,
        BlackboardError,
        committing(lambda tx: (tx.decision("api/ids"), tx.propose("api/ids", Contract.value(1), evidence=[number]))),
    )
    if number > 0:
        assert memory_board.changes(after=1, limit=number) != ()
        refused(memory_board, Forked, lambda board: board.changes(after=number))
    else:
        refused(memory_board, Invalid, lambda board: board.changes(after=number))


def test_a_place_before_the_first_revision_and_no_limit_at_all_are_refused(memory_board):
    refused(memory_board, Invalid, lambda board: board.changes(after=-1))
    refused(memory_board, Invalid, lambda board: board.changes(after=0, limit=0))
    refused(memory_board, Invalid, lambda board: board.snapshot(at=-1))
    refused(memory_board, Invalid, lambda board: board.snapshot(at=board.revision + 1))
    refused(memory_board, Invalid, lambda board: next(board.watch(after=-1, timeout_seconds=0)))


@pytest.mark.parametrize("key", ["choreography/team", "role/x", "member/x", "source/x"])
def test_a_reserved_key_is_written_by_an_installation_alone(memory_board, key):
    refused(memory_board, InvalidKey, committing(lambda tx: tx.decide(key, Contract.value(1))))
    refused(memory_board, InvalidKey, committing(lambda tx: tx.propose(key, Contract.value(1))))
    refused(memory_board, InvalidKey, committing(lambda tx: tx.ask(key, "?")))
    refused(memory_board, InvalidKey, committing(lambda tx: tx.retract(key, reason="no")))
    refused(memory_board, InvalidKey, committing(lambda tx: tx.write(key, {})))


def test_a_key_is_a_decision_or_a_component_and_never_both(memory_board, given):
    given(memory_board).decided("thing", 1)
    given(memory_board).written("other")
    refused(memory_board, InvalidKey, committing(lambda tx: tx.write("thing", {})))
    refused(memory_board, InvalidKey, committing(lambda tx: tx.decide("other", Contract.value(1))))
    refused(memory_board, InvalidKey, committing(lambda tx: tx.ask("other", "?")))
    refused(memory_board, IllegalTransition, committing(lambda tx: tx.retract("other", reason="no")))
    refused(memory_board, IllegalTransition, committing(lambda tx: tx.verdict("unit", "thing", passed=True)))
    refused(
        memory_board, InvalidKey, committing(lambda tx: tx.decide("task/thing", Contract.task(summary="build thing")))
    )
    refused(
        memory_board,
        InvalidKey,
        committing(lambda tx: tx.decide("task/new", Contract.task(summary="build", uses=["other"]))),
    )
