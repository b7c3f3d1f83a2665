"""Which module a Python contract describes."""

import pytest

from blackboard.contracts.language import Contract
from blackboard.errors import InvalidContract

STATED = '"""Keeps recipes.\n\nmodule: recipes.storage\n"""\ndef load() -> str: ...\n'


@pytest.mark.parametrize(
    ("key", "module"),
    [
        ("api/storage", "storage"),
        ("http-api", "http_api"),
        ("api/v2.1", "v2_1"),
        ("a/3d", "_3d"),
        ("a/import", "import_"),
    ],
)
def test_a_contract_without_a_module_line_describes_the_module_that_its_key_names(key, module):
    assert Contract.python("def load() -> str: ...").module(key) == module


def test_a_module_line_is_stronger_than_the_key_and_is_a_facet():
    contract = Contract.python(STATED)

    assert contract.module("api/other") == "recipes.storage"
    assert contract.facets["__module__"] == "recipes.storage"


def test_contracts_in_other_languages_describe_no_module():
    assert Contract.value(1).module("api/storage") is None


def test_a_changed_module_breaks_users_and_implementers():
    change = Contract.python(STATED).compare(Contract.python(STATED.replace("recipes.storage", "recipes.store")))

    assert list(change.effects) == ["__module__"]
    assert change.effect("uses") == change.effect("implements") == "breaking"
    assert change.effects["__module__"].reason == "module: recipes.storage -> recipes.store"
    assert change.effects["__module__"].proof == "import recipes.storage"


@pytest.mark.parametrize("line", ["module: a-b", "module: ", "module: class", "module: a..b", "module: a\nmodule: b"])
def test_a_module_line_that_names_no_module_is_refused(line):
    with pytest.raises(InvalidContract):
        Contract.python(f'"""Docs.\n\n{line}\n"""\n')
