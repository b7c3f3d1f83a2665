"""What holds for contracts of every language."""

import pytest

from blackboard.contracts.facets import difference
from blackboard.contracts.language import (
    LANGUAGES,
    MAX_TEXT_BYTES,
    Contract,
    contract_digest,
    facet_names_digest,
    known_languages,
    language_for_suffix,
)
from blackboard.errors import InvalidContract, TooLarge
from blackboard.spec.canonical import digest
from blackboard.spec.effects import UNDECIDED, Effect

TEXTS = {
    "value": '{"ids": "int", "page": {"size": 20}}',
    "text": "Recipes are public.",
    "task": '{"summary": "store"}',
    "python": "def get(id: int) -> str: ...",
    "json-schema": '{"type": "object", "properties": {"id": {"type": "integer"}}}',
    "constraint": "session.ttl >= auth.ttl",
    "openapi": '{"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {}}}}}}',
    "sql": "CREATE TABLE recipe (id INTEGER PRIMARY KEY);",
}


def test_the_languages_of_the_first_release_are_known():
    assert known_languages() == ("constraint", "json-schema", "openapi", "python", "sql", "task", "text", "value")
    assert set(TEXTS) == set(LANGUAGES)


@pytest.mark.parametrize("language", TEXTS)
def test_a_contract_has_facets_digests_and_a_digest_that_the_map_alone_gives(language):
    contract = Contract(language, TEXTS[language])

    assert contract.facets
    assert "" not in contract.facets
    assert contract.digests == {name: digest(value) for name, value in contract.facets.items()}
    assert contract.digest == contract_digest(language, contract.digests)
    assert contract.digest != contract_digest(language, {**contract.digests, "another": digest(1)})
    assert contract.digest != contract_digest("another", contract.digests)
    assert list(contract.facets) == sorted(contract.facets)


@pytest.mark.parametrize("language", TEXTS)
def test_reading_a_kept_text_again_gives_an_equal_contract(language):
    contract = Contract(language, TEXTS[language])
    again = Contract(contract.language, contract.text)

    assert again == contract
    assert hash(again) == hash(contract)
    assert again.facets == contract.facets
    assert contract.compare(again).effects == {}
    assert contract.compare(again).effect("uses") is Effect.NONE


@pytest.mark.parametrize("language", TEXTS)
def test_a_skeleton_is_a_text(language):
    assert Contract(language, TEXTS[language]).skeleton().strip()


@pytest.mark.parametrize("language", TEXTS)
def test_a_stored_contract_is_equal_and_reads_itself_when_asked(language):
    contract = Contract(language, TEXTS[language])
    stored = Contract.stored(language, contract.text)

    assert stored == contract
    assert stored.text == contract.text
    assert stored.digests == contract.digests
    assert stored.compare(contract).effects == {}


def test_a_stored_text_is_not_read_before_it_is_needed():
    stored = Contract.stored("python", "def (")

    assert stored.text == "def ("
    with pytest.raises(InvalidContract):
        _ = stored.facets


def test_a_contract_cannot_be_changed():
    contract = Contract.value({"a": 1})

    with pytest.raises(AttributeError):
        contract.language = "text"
    with pytest.raises((AttributeError, TypeError)):
        contract.text = "other"
    with pytest.raises(TypeError):
        contract.facets["a"] = 2
    assert (contract.language, contract.text, contract.facets) == ("value", '{"a":1}', {"a": 1})


def test_the_text_is_both_a_constructor_and_an_attribute():
    contract = Contract.text("Be brief.")

    assert contract.language == "text"
    assert contract.text == "Be brief."
    assert contract.facets == {"text": "Be brief."}
    assert repr(contract) == "Contract('text', 'Be brief.')"


def test_contracts_of_other_languages_or_texts_are_not_equal():
    assert Contract("value", "1") != Contract("text", "1")
    assert Contract("value", "1") != Contract("value", "2")
    assert Contract("value", "1") != "1"
    assert len({Contract("value", "1"), Contract("value", "1"), Contract("text", "1")}) == 2


def test_an_unknown_language_is_named_with_those_that_there_are():
    with pytest.raises(InvalidContract) as caught:
        Contract("cobol", "x")

    assert caught.value.language == "cobol"
    assert "json-schema" in caught.value.why


@pytest.mark.parametrize("language", TEXTS)
def test_a_text_beyond_the_limit_is_too_large_in_every_language(language):
    with pytest.raises(TooLarge) as caught:
        Contract(language, "é" * (MAX_TEXT_BYTES // 2 + 1))

    assert (caught.value.field, caught.value.size, caught.value.limit) == ("contract", 1_048_578, 1_048_576)


@pytest.mark.parametrize("language", TEXTS)
def test_a_lone_surrogate_is_refused_in_every_language_with_its_place(language):
    with pytest.raises(InvalidContract) as caught:
        Contract(language, "a\nbc\ud800")

    assert (caught.value.line, caught.value.column) == (2, 3)


def test_what_is_no_text_is_refused():
    with pytest.raises(InvalidContract):
        Contract("value", {"a": 1})


def test_a_change_of_language_breaks_everything():
    comparison = Contract.text("a").compare(Contract.value({"text": "a"}))

    assert list(comparison.effects) == [""]
    assert comparison.effects[""].reason == "language text -> value"
    assert comparison.effect("implements") is Effect.BREAKING


def test_changed_added_and_removed_facets_are_breaking_undecided_and_so_is_the_set_of_names():
    old, new = Contract.value({"a": 1, "b": 2, "c": 3}), Contract.value({"a": 1, "b": "2", "d": 4})

    effects = old.compare(new).effects

    assert {name: change.reason for name, change in effects.items()} == {
        "": "facets: 1 added, 1 removed",
        "b": "2 -> 2",
        "c": "3 -> absent",
        "d": "absent -> 4",
    }
    assert {(change.uses, change.implements, change.proof) for change in effects.values()} == {
        (Effect.BREAKING, Effect.BREAKING, UNDECIDED)
    }


def test_a_changed_facet_alone_leaves_the_set_of_names():
    assert list(Contract.value({"a": 1, "b": 2}).compare(Contract.value({"a": 1, "b": 3})).effects) == ["b"]


def test_a_reason_is_one_short_line_that_begins_where_the_texts_differ():
    old, new = Contract.text("x" * 500 + "\nold"), Contract.text("x" * 500 + "\nnew")

    reason = old.compare(new).effects["text"].reason

    assert "\n" not in reason
    assert len(reason) < 120
    assert reason.endswith('old" -> …xxxxxxxxxxxxxxxxxxxxxx\\nnew"')
    assert difference('"int"', '"str"') == "int -> str"
    assert difference(None, '"' + "y" * 100 + '"').startswith('absent -> "yyy')


def test_the_digest_of_the_set_of_names_knows_no_order():
    assert facet_names_digest(["b", "a"]) == facet_names_digest(iter(["a", "b"]))
    assert facet_names_digest(["a"]) != facet_names_digest(["a", "b"])


@pytest.mark.parametrize(
    ("path", "text", "language"),
    [
        ("api.pyi", "", "python"),
        ("ids.json", "{}", "value"),
        ("ids.json", "not json", "value"),
        ("ids.json", '["$schema"]', "value"),
        ("recipe.json", '{"$schema": "https://json-schema.org/draft/2020-12/schema"}', "json-schema"),
        ("ttl.constraint", "", "constraint"),
        ("schema.sql", "", "sql"),
        ("style.md", "", "text"),
        ("STYLE.TXT", "", "text"),
        ("deep/server.task.toml", "", "task"),
        (".task.toml", "", "task"),
    ],
)
def test_a_suffix_names_its_language(path, text, language):
    assert language_for_suffix(path, text) == language


@pytest.mark.parametrize("path", ["server.toml", "schema.ddl", "pyi", ""])
def test_another_suffix_is_refused_with_those_that_there_are(path):
    with pytest.raises(InvalidContract) as caught:
        language_for_suffix(path, "")

    assert ".pyi" in caught.value.why
