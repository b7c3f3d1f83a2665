"""What a text says is read once for all contracts that have it; none of them sees what is done to another."""

import copy
import json
import pickle

import pytest

from blackboard import Contract

TEXTS = {
    "value": '{"allowed": ["a", "b"], "limit": {"size": 3, "none": {}}}',
    "json-schema": '{"type": "object", "properties": {"a": {"enum": [1, 2]}}}',
    "task": '{"summary": "s", "uses": {"api/ids": ["x"]}, "files": ["f.py"]}',
    "openapi": '{"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {}}}}}}',
    "python": "def f(a: int) -> str: ...\n",
    "sql": "CREATE TABLE a (b INT CHECK (b > 1), UNIQUE (b));\n",
    "text": "prose",
    "constraint": "session.ttl >= auth.ttl",
}


def changed(value):
    """Change whatever can be changed in a JSON value."""
    match value:
        case list():
            value.append("changed")
        case dict():
            for member in value.values():
                changed(member)
            value["changed"] = 1


def pickled(contract):
    return pickle.loads(pickle.dumps(contract))  # noqa: S301 - its own


@pytest.mark.parametrize("language", TEXTS)
def test_what_a_caller_does_to_the_facets_of_a_contract_stays_its_own(language):
    contract = Contract(language, TEXTS[language])
    before = copy.deepcopy(dict(contract.facets))
    digest = Contract(language, TEXTS[language] + " ").digest
    for value in contract.facets.values():
        changed(value)
    changed(contract.body)
    again = Contract.stored(language, contract.text)
    assert dict(again.facets) == dict(contract.facets) == before
    assert again.compare(contract).effects == {}
    if language != "text":
        assert again.digest == contract.digest == digest


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
def test_a_contract_can_be_copied_whatever_was_asked_of_it(language, copied):
    contract = Contract(language, TEXTS[language])
    known = Contract.stored(language, contract.text, known=(contract.digest, json.dumps(dict(contract.digests))))
    assert contract.facets
    assert known.digests
    for one in (contract, known):
        assert copied(one) == one
        assert copied(one).digests == contract.digests


def test_a_component_gets_stale_though_somebody_changed_a_list_that_a_decision_gave(board, given):
    given(board).decided("api/kinds", {"allowed": ["a"]})
    given(board).written("server", uses=["api/kinds"])
    board.snapshot().decision("api/kinds").contract.facets["allowed"].append("b")
    given(board).decided("api/kinds", {"allowed": ["a", "b"]})
    assert board.snapshot().component("server").state == "stale"
