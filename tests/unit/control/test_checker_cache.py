"""The type checker's cache: what is found is the same with it, nothing of a component gets in, and it may be absent."""

import sys

import pytest

from blackboard.contracts.conformance import conformance_plan
from blackboard.contracts.language import Contract
from blackboard.control import checker_cache
from blackboard.control.sandbox import Limits, Sandbox

PLAN = conformance_plan(
    {"api/notes": (Contract.python("def load(key: int) -> str: ...\n"), None)},
    {"notes.py": "import json\n\ndef load(key: int) -> int:\n    return json.loads('1')\n"},
)
FILES = {"notes.py": "import json\n\ndef load(key: int) -> int:\n    return json.loads('1')\n", **PLAN.probes}


@pytest.fixture(autouse=True)
def forgotten():
    checker_cache._kept.cache_clear()
    yield
    checker_cache._kept.cache_clear()


def test_it_is_made_once_and_what_is_found_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(checker_cache, "_MODULES", "json")
    command, cached = checker_cache.with_cache(PLAN.command)
    assert cached
    run = Sandbox.best(Limits()).run
    plain = run([sys.executable, *PLAN.command], FILES)
    quick = run([sys.executable, *command], {**FILES, **cached})
    assert PLAN.said(quick.output) == PLAN.said(plain.output) != ()
    checker_cache._kept.cache_clear()
    monkeypatch.setattr(checker_cache, "_make", None)
    assert checker_cache.with_cache(PLAN.command)[1] == cached


def test_where_it_cannot_be_kept_the_checker_works_without_it(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert checker_cache.with_cache(PLAN.command) == ([*PLAN.command], {})
