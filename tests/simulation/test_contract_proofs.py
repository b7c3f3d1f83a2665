"""Every proof that a stub's change breaks somebody is a program that worked and fails, checked and run here."""

import sys
import types

import pytest
from checked_stubs import PRELUDE, Checked, proofs
from python_changes import OPAQUE, OVERLOADS, STUBS, overloaded

from blackboard.contracts.language import Contract

ALL = [(old, new, *proof) for old, new, _ in STUBS for proof in proofs(old, new)]
# Nobody may write overloads whose first one hides the second; mypy says so beside them.
HIDDEN = {(overloaded(old), overloaded(new)) for old, new, _ in OVERLOADS if "bool" in old}


def test_a_type_checked_proof_is_right_beside_one_stub_and_wrong_beside_the_other(tmp_path):
    checked = Checked(tmp_path)
    cases = []
    for old, new, kind, program, works, fails in ALL:
        if kind == "type-checked" and (old, new) not in HIDDEN:
            modules = [checked.program(program, checked.stub(stub)) for stub in (works, fails)]
            cases.append((*modules, program))
    errors = checked.errors()

    assert [(program, errors[right]) for right, _, program in cases if right in errors] == []
    assert [program for _, wrong, program in cases if wrong not in errors] == []
    assert len(cases) > len(STUBS) / 2


@pytest.mark.parametrize("models", ["", "class A: ...\nclass B: ...\n"], ids=["nobody knows", "a class"])
def test_a_proof_holds_whatever_a_name_that_cannot_be_resolved_is(models, tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.pyi").touch()
    if models:
        (package / "models.pyi").write_text(models)
    checked, cases = Checked(tmp_path), []
    for pair in OPAQUE:
        for _, program, works, fails in proofs(*(f"from .models import A, B\n{stub}" for stub in pair[:2])):
            right, wrong = (checked.program(program, checked.stub(stub, "package")) for stub in (works, fails))
            cases.append((right, wrong, program))
    errors = checked.errors()

    assert [(program, errors[right]) for right, _, program in cases if right in errors] == []
    assert [program for _, wrong, program in cases if wrong not in errors] == []
    assert len(cases) >= len(OPAQUE) / 2


@pytest.mark.parametrize(
    ("program", "works", "fails"), [(program, *stubs) for _, _, kind, program, *stubs in ALL if kind == "run"]
)
def test_a_proof_that_is_run_works_beside_one_stub_and_fails_beside_the_other(program, works, fails, monkeypatch):
    run(program, works, monkeypatch)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the program raises
        run(program, fails, monkeypatch)


def run(program, stub, monkeypatch):
    module = types.ModuleType("contract")
    monkeypatch.setitem(sys.modules, "contract", module)
    exec(PRELUDE + Contract.python(stub).skeleton().partition("\n")[2], module.__dict__)  # noqa: S102 - our own stubs
    exec(program, {})  # noqa: S102 - our own proofs
